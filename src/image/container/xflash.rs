//! XFlash, the flasher that Lite-On, Sony and others gave out: a Windows program
//! with up to four images in it, often scrambled.
//!
//! Source: OmniPatcher's `common_xflash.pl` 2.0.1 (C64K), proven on vendors'
//! flashers; none of them was seen here. What comes out is taken only where it
//! looks like Lite-On's firmware, as there: every bank starts with 02, or the
//! marks of a re-banked image are there.

use memchr::memmem;

use super::Trouble;
use crate::flash::{BANK_SIZE, Offset};
use crate::image::structure::Structure;
use crate::image::{banks_of, is_flash_size, size_of};

/// Images in one flasher.
const SLOTS: usize = 4;

/// Bytes that the scrambled methods change, and that a key has.
const KEY: usize = 0x400;

/// The Fibonacci numbers start anew above this one.
const LAST_NUMBER: u32 = 0x2AF9_0C18;

/// How an image is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// As it is.
    Plain,
    /// The first `inverted` bytes complemented, `skipped` bytes of something else
    /// behind them, first and last half of a bank exchanged and reversed.
    Flipped { inverted: usize, skipped: usize },
    /// One byte in each of 1024 parts changed, by a key and Fibonacci numbers.
    Fibonacci,
    /// As many changed, by a key, the revision, and a byte that is nowhere told.
    Standard { mask: u8 },
}

/// How sure the byte is that the standard method keeps to itself: it is the
/// commonest candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    pub key: u8,
    /// Places that speak for it, some counted three times.
    pub votes: u32,
    /// Those that speak for the next candidate.
    pub next: u32,
    /// Bytes of the result that do not fit into a run of one byte around them.
    pub misfits: u32,
}

impl Guess {
    /// Votes that chance gives to no candidate: of 293 places, each of 256 values
    /// has one or two.
    const FEWEST: u32 = 24;

    /// Whether there is no doubt: twice as many as for any other, more than chance
    /// gives, and nothing in the result speaks against it.
    pub fn is_decisive(&self) -> bool {
        self.votes >= Guess::FEWEST && self.votes >= 2 * self.next && self.misfits == 0
    }
}

/// One image of a flasher.
#[derive(Debug)]
pub struct Slot {
    pub revision: String,
    pub image: Result<Unscrambled, Trouble>,
}

/// The bytes, and the guess that they took, by the standard method.
type Unscrambled = (Vec<u8>, Option<Guess>);

/// How what came out differs from firmware, of which every bank starts with 02.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlike {
    /// Banks that start otherwise, of all.
    pub banks: u32,
    pub of: u32,
    /// The start of the first of them in the image, and the byte there.
    pub at: Offset,
    pub found: u8,
}

impl Unlike {
    /// `None` where every bank starts as it should.
    fn of(image: &[u8]) -> Option<Unlike> {
        let banks = banks_of(image);
        let starts = banks.filter_map(|(bank, bytes)| Some((bank, *bytes.first()?)));
        let mut others = starts
            .filter(|(_, first)| *first != Structure::LJMP)
            .peekable();
        let (bank, found) = *others.peek()?;
        Some(Unlike {
            banks: others.count() as u32,
            of: size_of(image).div_ceil(BANK_SIZE),
            at: Offset(bank.range().start()),
            found,
        })
    }
}

/// The images of a flasher; `None` where this is none. `was_packed` says that UPX
/// had packed it.
///
/// # Errors
/// [`Trouble::UnknownFlasher`].
pub fn read(program: &[u8], was_packed: bool) -> Option<Result<Vec<Slot>, Trouble>> {
    let table = Table::find(program)?;
    let version = find_version(program);
    let method = find_method(program, version, was_packed);
    Some(match method {
        Some(method) => Ok(table.slots(program, version, method)),
        None => Err(Trouble::UnknownFlasher),
    })
}

/// The descriptor: text in the program.
struct Table {
    count: usize,
    starts: [usize; SLOTS],
    sizes: [usize; SLOTS],
    revisions: [[u8; 4]; SLOTS],
    /// The byte after the descriptor, from which its places are counted.
    base: usize,
}

impl Table {
    fn find(program: &[u8]) -> Option<Table> {
        let first = memmem::find(program, b"HOW_MANY_BIN=").map(|at| at + 13);
        let second = memmem::find(program, b"PARA_OPT=").map(|at| at + 9);
        let count_at = [first, second].into_iter().flatten().min()?;
        let starts_at = count_at + memmem::find(program.get(count_at..)?, b"BIN_START1=")?;
        let mut rest = Fields(program, starts_at);
        let starts = rest.numbers("BIN_START")?;
        let sizes = rest.numbers("BIN_SIZE")?;
        let mut revisions = [[0; 4]; SLOTS];
        for (number, revision) in (1..).zip(&mut revisions) {
            let field = rest.field(&format!("NEW_FW{number}="), 7)?;
            *revision = field.first_chunk().copied()?;
        }
        Some(Table {
            count: digits(program.get(count_at..)?)?,
            starts,
            sizes,
            revisions,
            base: rest.1,
        })
    }

    fn slots(&self, program: &[u8], version: Option<[u8; 3]>, method: Method) -> Vec<Slot> {
        let count = match version {
            Some(version) if version >= [2, 2, 0] => SLOTS,
            _ => self.count.min(SLOTS),
        };
        (0..count)
            .filter(|slot| self.sizes[*slot] > 0)
            .map(|slot| Slot {
                revision: self.revision(slot),
                image: self
                    .image(program, slot, method)
                    .unwrap_or(Err(Trouble::CutShort)),
            })
            .collect()
    }

    fn revision(&self, slot: usize) -> String {
        let revision = self.revisions[slot];
        let text = revision.iter().filter(|letter| **letter != 0);
        super::shown(&text.map(|letter| char::from(*letter)).collect::<String>())
    }

    /// `None` where the program ends before the image does.
    fn image(
        &self,
        program: &[u8],
        slot: usize,
        method: Method,
    ) -> Option<Result<Unscrambled, Trouble>> {
        let start = self.base.checked_add(self.starts[slot])?;
        let size = self.sizes[slot];
        if !is_flash_size(size) {
            return Some(Err(Trouble::NoSize { size }));
        }
        let bytes = |start: usize, size: usize| program.get(start..start.checked_add(size)?);
        let key = || bytes(self.base.checked_add(KEY * slot)?, KEY);
        // The low byte of the sum of the revision's letters.
        let of_revision = self.revisions[slot]
            .iter()
            .fold(0, |sum: u8, letter| sum.wrapping_add(*letter));
        let mut guess = None;
        let image = match method {
            Method::Plain => bytes(start, size)?.to_vec(),
            Method::Flipped { inverted, skipped } => {
                unflipped(bytes(start, size.checked_add(skipped)?)?, inverted, skipped)?
            }
            Method::Fibonacci => {
                let mut image = bytes(start.checked_add(0x1000)?, size)?.to_vec();
                undo_fibonacci(&mut image, key()?, of_revision);
                image
            }
            Method::Standard { mask } => {
                let mut image = bytes(start.checked_add(0x1000)?, size)?.to_vec();
                guess = Some(undo_standard(&mut image, key()?, of_revision, mask));
                image
            }
        };
        let unlike = Unlike::of(&image).filter(|_| !Structure::of(&image).rebanked);
        Some(match (guess, unlike) {
            (Some(guess), _) if !guess.is_decisive() => Err(Trouble::Undecided(guess)),
            (_, Some(unlike)) => Err(Trouble::NotFirmware(unlike)),
            (guess, None) => Ok((image, guess)),
        })
    }
}

/// Fields of the descriptor, one after the other: a name, a value, a NUL.
struct Fields<'a>(&'a [u8], usize);

impl<'a> Fields<'a> {
    fn field(&mut self, name: &str, length: usize) -> Option<&'a [u8]> {
        let rest = self.0.get(self.1..)?.strip_prefix(name.as_bytes())?;
        let (value, end) = rest.split_at_checked(length)?;
        if end.first() != Some(&0) {
            return None;
        }
        self.1 += name.len() + length + 1;
        Some(value)
    }

    fn numbers(&mut self, name: &str) -> Option<[usize; SLOTS]> {
        let mut numbers = [0; SLOTS];
        for (slot, number) in (1..).zip(&mut numbers) {
            let field = self.field(&format!("{name}{slot}="), 10)?;
            if !field.iter().all(u8::is_ascii_digit) {
                return None;
            }
            *number = digits(field)?;
        }
        Some(numbers)
    }
}

/// The number that decimal digits at the start of `bytes` make.
fn digits(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit());
    let digits = &bytes[..end.unwrap_or(bytes.len()).min(10)];
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `rr?`, NUL, `v` or `Ver `, perhaps `XFB-`, then x.y.z and two NUL.
fn find_version(program: &[u8]) -> Option<[u8; 3]> {
    let mut after = memmem::find_iter(program, b"\0v")
        .filter(|at| at.checked_sub(3).and_then(|at| program.get(at..at + 2)) == Some(b"rr"))
        .map(|at| at + 2)
        .chain(memmem::find_iter(program, b"Ver ").map(|at| at + 4));
    after.find_map(|at| {
        let rest = program.get(at..)?;
        version_in(rest.strip_prefix(b"XFB-").unwrap_or(rest))
    })
}

fn version_in(bytes: &[u8]) -> Option<[u8; 3]> {
    let length = bytes.iter().take(8).position(|byte| *byte == 0)?;
    if bytes.get(length + 1) != Some(&0) {
        return None;
    }
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    let mut numbers = text.split('.').map(|part| {
        let is_number = part.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    });
    let version = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(version)
}

/// By the version, and from 2.1.0 on by the code that unscrambles.
fn find_method(program: &[u8], version: Option<[u8; 3]>, was_packed: bool) -> Option<Method> {
    match version {
        None => (!was_packed).then_some(Method::Plain),
        Some(version) if version < [2, 0, 5] => Some(Method::Plain),
        Some([2, 0, 5]) => Some(Method::Flipped {
            inverted: 0,
            skipped: 0,
        }),
        Some(version) if version < [2, 1, 0] => None,
        Some(_) if has_fibonacci_code(program) => Some(Method::Fibonacci),
        Some(_) => standard_mask(program)
            .map(|mask| Method::Standard { mask })
            .or_else(|| {
                memmem::find(program, &[0xff; 256]).map(|_| Method::Flipped {
                    inverted: 0x400,
                    skipped: 0x1000,
                })
            }),
    }
}

fn has_fibonacci_code(program: &[u8]) -> bool {
    memmem::find_iter(program, b"\x30\x02\xeb\x2b").any(|at| {
        program.get(at + 16..at + 20) == Some(b"\x80\x34\x02\xff")
            && program.get(at + 45..at + 47) == Some(b"\x30\x10")
    })
}

/// The mask in `and eax, mask`, between a load of a byte and what keeps a
/// remainder positive.
fn standard_mask(program: &[u8]) -> Option<u8> {
    memmem::find_iter(program, b"\x00\x00\x80\x79\x05\x48\x83\xc8").find_map(|at| {
        let mask = *program.get(at.checked_sub(1)?)?;
        let before = program.get(..at - 1)?.strip_suffix(b"\x25")?;
        let loads =
            before.ends_with(b"\x0f\xb6\x04\x08") || before.ends_with(b"\x33\xc0\x8a\x04\x0a");
        (loads && program.get(at + 9) == Some(&0x40)).then_some(mask)
    })
}

fn unflipped(bytes: &[u8], inverted: usize, skipped: usize) -> Option<Vec<u8>> {
    const HALF: usize = 0x8000;
    let (first, rest) = bytes.split_at_checked(inverted)?;
    let mut image: Vec<u8> = first.iter().map(|byte| !byte).collect();
    image.extend(rest.get(skipped..)?);
    let end = image.len().checked_sub(HALF).filter(|end| *end >= HALF)?;
    let (first, rest) = image.split_at_mut(HALF);
    first.swap_with_slice(&mut rest[end - HALF..]);
    first.reverse();
    rest[end - HALF..].reverse();
    Some(image)
}

fn undo_fibonacci(image: &mut [u8], key: &[u8], of_revision: u8) {
    let part = image.len() / KEY;
    let (mut before, mut number): (u32, u32) = (0, 1);
    for (index, key) in key.iter().enumerate() {
        let within = match (index + 1) % 3 {
            0 => key & 7,
            1 => key % 7,
            _ => key % 5,
        };
        (before, number) = (number, before.wrapping_add(number));
        if let Some(byte) = image.get_mut(index * part + usize::from(within)) {
            *byte ^= match number % 9 {
                1 => of_revision,
                2 => 0xff,
                _ => *key,
            };
        }
        if number > LAST_NUMBER {
            (before, number) = (0, 1);
        }
    }
}

/// Where the byte of part `index` is that the standard method changes.
fn standard_place(size: usize, index: usize, key: u8, mask: u8) -> usize {
    index * (size / KEY) + usize::from(key & mask)
}

/// Whether the byte of part `index` is changed by revision and hidden key.
fn is_hidden(index: usize) -> bool {
    matches!((index + 1) % 7, 1 | 3)
}

fn undo_standard(image: &mut [u8], key: &[u8], of_revision: u8, mask: u8) -> Guess {
    let size = image.len();
    let hidden = || {
        let parts = key.iter().enumerate();
        let hidden = parts.filter(|(index, _)| is_hidden(*index));
        hidden.map(|(index, key)| standard_place(size, index, *key, mask))
    };
    let mut votes = [0_u32; 0x100];
    for place in hidden() {
        let Some(byte) = image.get(place) else {
            continue;
        };
        let is_after_zero = place > 0 && place < size - 1 && image[place - 1] == 0;
        votes[usize::from(byte ^ of_revision)] += if is_after_zero { 3 } else { 1 };
    }
    let mut order: Vec<(u32, u8)> = votes.into_iter().zip(0..=0xff).collect();
    order.sort_by_key(|(votes, byte)| (std::cmp::Reverse(*votes), *byte));
    let (best, second) = (order[0], order[1]);
    for (index, key) in key.iter().enumerate() {
        if let Some(byte) = image.get_mut(standard_place(size, index, *key, mask)) {
            *byte ^= match is_hidden(index) {
                true => of_revision ^ best.1,
                false => *key,
            };
        }
    }
    let misfits = hidden().filter(|place| is_misfit(image, *place)).count();
    Guess {
        key: best.1,
        votes: best.0,
        next: second.0,
        misfits: misfits as u32,
    }
}

/// A byte unlike sixteen equal ones around it.
fn is_misfit(image: &[u8], place: usize) -> bool {
    const AROUND: usize = 8;
    let Some(window) = place
        .checked_sub(AROUND)
        .and_then(|start| image.get(start..place + AROUND + 1))
    else {
        return false;
    };
    let value = window[0];
    let equal = window.iter().filter(|byte| **byte == value).count();
    equal == 2 * AROUND && window[AROUND] != value
}
