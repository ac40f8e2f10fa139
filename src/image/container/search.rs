//! Goes through a container, and those inside it, for firmware images.

use std::ops::RangeInclusive;

use super::xflash::{self, Guess, Slot, Unlike};
use super::{
    Budget, File, Kind, Problem, banks, cabinet, gzip, pe, seven_zip, shown, upx, wrapped, zip,
};
use crate::flash::BANK_SIZE;
use crate::image::damage::{self, Certainty, Finding};
use crate::image::structure::Structure;
use crate::image::{Foreign, Image, ParseError, identity, is_flash_size, mt19xx, soundness};

/// Bytes of what may be an image that lost a part or has one twice: from one bank to
/// twice the largest flash.
const SIZES: RangeInclusive<usize> = BANK_SIZE as usize..=0x40_0000;

/// Bytes of a text that is kept, and how many are: records of dumps have 3 KiB.
const LARGEST_TEXT: usize = 0x1_0000;
const MOST_TEXTS: usize = 64;

/// Everything of interest in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub kind: Kind,
    /// In the order of the container.
    pub images: Vec<Found>,
    /// What is there and is no image.
    pub others: Vec<Member>,
    /// Small texts in there, of files that are called `….txt`.
    pub texts: Vec<String>,
}

/// An image in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// From the outermost container in, without its file's own name.
    pub path: Vec<Step>,
    pub image: Image,
    /// Where unscrambling it took a guess.
    pub guess: Option<Guess>,
}

/// One container, and what was taken out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub kind: Kind,
    /// A member's name, a revision, or what part of a program it is; to show.
    pub name: String,
}

/// A part of a container that gives no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub path: Vec<Step>,
    pub trouble: Trouble,
}

/// Why a part of a container gives no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A program without firmware, or a few bytes of whatever.
    NoImage,
    /// What it is instead of an image, or why an image in it cannot be read.
    Image(ParseError),
    /// A container that only another program opens.
    Foreign(Kind),
    /// An archive or a member of one.
    Archive(Problem),
    /// UPX has packed this by a method that is not read here.
    UpxMethod(u8),
    /// What UPX has packed does not come out whole.
    UpxDamaged,
    /// A flasher of a kind that nobody has described.
    UnknownFlasher,
    /// A flasher that ends before its image does.
    CutShort,
    /// A flasher whose image does not look like firmware when it is unscrambled.
    NotFirmware(Unlike),
    /// A flasher's table gives its image a size that no image has.
    NoSize { size: usize },
    /// A flasher whose key cannot be told with certainty.
    Undecided(Guess),
    /// Deeper, larger or more than is looked at.
    Limit,
}

impl Member {
    /// Whether it may be, or hold, an image after all. What is a text, a picture or a
    /// program without firmware is not, unless it is called as images are.
    pub fn may_be_image(&self) -> bool {
        let is_called_so = || {
            self.path
                .last()
                .is_some_and(|step| is_image_name(&step.name))
        };
        match &self.trouble {
            Trouble::NoImage => false,
            Trouble::Image(ParseError::Utf16 { is_hex }) => *is_hex || is_called_so(),
            Trouble::Image(
                ParseError::Text { .. }
                | ParseError::Empty
                | ParseError::Foreign(Foreign::WebPage | Foreign::Answer),
            ) => is_called_so(),
            Trouble::Image(ParseError::Foreign(kind)) => *kind == Foreign::SRecords,
            _ => true,
        }
    }
}

/// Whether a file is called as images are.
fn is_image_name(name: &str) -> bool {
    const ENDINGS: [&str; 5] = ["bin", "hex", "rom", "fw", "mtk"];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
    })
}

/// Looks for images in a container, and in the containers inside it; `None`
/// where the bytes are no container.
pub fn search(content: &[u8], budget: Budget) -> Option<Contents> {
    let kind = Kind::of(content)?;
    let mut search = Search {
        budget,
        path: Vec::new(),
        found: Contents {
            kind,
            images: Vec::new(),
            others: Vec::new(),
            texts: Vec::new(),
        },
    };
    search.open(kind, content, false);
    let mut found = search.found;
    found.images = banks::joined(found.images);
    // A flasher is a program that is known better.
    let images = found.images.iter().map(|image| &image.path);
    let mut paths = images.chain(found.others.iter().map(|other| &other.path));
    if let Some(outermost) = paths.find_map(|path| path.first()) {
        found.kind = outermost.kind;
    }
    Some(found)
}

struct Search {
    budget: Budget,
    path: Vec<Step>,
    found: Contents,
}

impl Search {
    fn open(&mut self, kind: Kind, content: &[u8], was_packed: bool) {
        match kind {
            Kind::Zip => self.zip(Kind::Zip, content),
            Kind::SwappedZip => self.zip(Kind::SwappedZip, &wrapped::unswapped(content)),
            Kind::Signed => {
                if let Some(payload) = wrapped::signed(content) {
                    self.take(Kind::Signed, "the payload", payload.to_vec());
                }
            }
            Kind::Program | Kind::XFlash | Kind::Upx => self.program(content, was_packed),
            Kind::SevenZip => {
                let files = seven_zip::read(content, &mut self.budget);
                self.members(kind, files);
            }
            Kind::Cabinet => {
                let files = cabinet::read(content, &mut self.budget);
                self.members(kind, files);
            }
            Kind::Gzip => {
                let file = gzip::read(content, &mut self.budget);
                self.member(kind, file);
            }
            Kind::Rar | Kind::Bzip2 | Kind::Xz | Kind::Zstd | Kind::Tar | Kind::Lha | Kind::Ace => {
                self.trouble(Trouble::Foreign(kind))
            }
        }
    }

    /// Something that came out of a container.
    fn take(&mut self, kind: Kind, name: &str, content: Vec<u8>) {
        let may_go_on = self.may_go_on(|budget| &mut budget.members, 1);
        if !may_go_on || !self.may_search(content.len()) {
            return;
        }
        self.inside(kind, name, |search| match Kind::of(&content) {
            Some(inner) if search.budget.depth > 0 => {
                search.budget.depth -= 1;
                search.open(inner, &content, false);
                search.budget.depth += 1;
            }
            Some(_) => search.trouble(Trouble::Limit),
            None => search.image(content),
        });
    }

    /// Counts what is looked at; more than the budget has of that is told once.
    fn may_go_on(&mut self, part: fn(&mut Budget) -> &mut usize, amount: usize) -> bool {
        let left = part(&mut self.budget);
        if *left == 0 {
            return false;
        }
        *left = left.saturating_sub(amount);
        let is_left = *left > 0;
        if !is_left {
            self.trouble(Trouble::Limit);
        }
        is_left
    }

    /// Counts bytes that are gone through.
    fn may_search(&mut self, bytes: usize) -> bool {
        self.may_go_on(|budget| &mut budget.searched, bytes)
    }

    fn inside(&mut self, kind: Kind, name: &str, work: impl FnOnce(&mut Search)) {
        self.path.push(Step {
            kind,
            name: shown(name),
        });
        work(self);
        self.path.pop();
    }

    fn image(&mut self, content: Vec<u8>) {
        self.keep_text(&content);
        match Image::parse(content) {
            Ok(image) if self.may_be_firmware(&image) => self.keep(image, None),
            Ok(_) => self.trouble(Trouble::NoImage),
            Err(error) => self.trouble(Trouble::Image(error)),
        }
    }

    /// A record of a dump lies beside it, in an archive as well.
    fn keep_text(&mut self, content: &[u8]) {
        let is_text = |step: &Step| step.name.to_ascii_lowercase().ends_with(".txt");
        let is_one = self.path.last().is_some_and(is_text);
        if is_one && content.len() <= LARGEST_TEXT && self.found.texts.len() < MOST_TEXTS {
            let text = std::str::from_utf8(content).map(str::to_owned);
            self.found.texts.extend(text);
        }
    }

    /// Whether this is an image, whole or damaged: it has the size of a flash or, as
    /// what is left of one or was added to one, about that size, or it is called so.
    fn may_be_firmware(&self, image: &Image) -> bool {
        let size = image.bytes().len();
        let is_called_so = self
            .path
            .last()
            .is_some_and(|step| is_image_name(&step.name));
        is_flash_size(size)
            || SIZES.contains(&size) && soundness::content(image.bytes()).is_none()
            || size <= *SIZES.end() && is_called_so
    }

    fn keep(&mut self, image: Image, guess: Option<Guess>) {
        let kept = self.budget.kept.checked_sub(image.bytes().len());
        let Some(kept) = kept.filter(|_| self.found.images.len() < Budget::IMAGES) else {
            return self.trouble(Trouble::Limit);
        };
        self.budget.kept = kept;
        self.found.images.push(Found {
            path: self.path.clone(),
            image,
            guess,
        });
    }

    fn trouble(&mut self, trouble: Trouble) {
        if self.found.others.len() < self.budget.members.max(Budget::IMAGES) {
            self.found.others.push(Member {
                path: self.path.clone(),
                trouble,
            });
        }
    }

    fn zip(&mut self, kind: Kind, content: &[u8]) {
        let mut archive = match zip::Archive::of(content, &mut self.budget) {
            Ok(archive) => archive,
            Err(problem) => return self.trouble(Trouble::Archive(problem)),
        };
        for number in 0..archive.len() {
            if let Some(file) = archive.file(number, &mut self.budget) {
                self.member(kind, file);
            }
        }
    }

    fn members(&mut self, kind: Kind, files: Result<Vec<File>, Problem>) {
        match files {
            Ok(files) => files.into_iter().for_each(|file| self.member(kind, file)),
            Err(problem) => self.trouble(Trouble::Archive(problem)),
        }
    }

    fn member(&mut self, kind: Kind, file: File) {
        match file.content {
            Ok(content) => self.take(kind, &file.name, content),
            Err(problem) => self.inside(kind, &file.name, |search| {
                search.trouble(Trouble::Archive(problem));
            }),
        }
    }

    fn program(&mut self, content: &[u8], was_packed: bool) {
        if was_packed && !self.may_search(content.len()) {
            return;
        }
        if let Some(slots) = xflash::read(content, was_packed) {
            return self.flasher(slots);
        }
        match upx::unpack(content).filter(|_| !was_packed) {
            Some(Ok(inner)) => {
                return self.inside(Kind::Upx, "the program inside", |search| {
                    search.program(&inner, true);
                });
            }
            Some(Err(trouble)) => return self.trouble(trouble),
            None => {}
        }
        let before = self.found.images.len() + self.found.others.len();
        if let Some(program) = pe::Program::of(content) {
            self.resources(&program);
            self.overlay(content, program.overlay());
        }
        if self.found.images.len() + self.found.others.len() == before {
            self.trouble(Trouble::NoImage);
        }
    }

    fn resources(&mut self, program: &pe::Program) {
        for (number, resource) in (1..).zip(program.resources()) {
            let name = format!("resource {number}");
            match Kind::of(resource) {
                // Programs carry programs that have nothing to do with firmware.
                Some(kind) if kind != Kind::Signed || holds_something(resource) => {
                    self.take(Kind::Program, &name, resource.to_vec());
                }
                _ if looks_like_firmware(resource) => {
                    self.take(Kind::Program, &name, resource.to_vec());
                }
                _ => {}
            }
        }
    }

    /// An archive behind a program, which the program unpacks.
    fn overlay(&mut self, content: &[u8], overlay: &[u8]) {
        const STARTS: [(&[u8], Kind); 4] = [
            (b"PK\x03\x04", Kind::Zip),
            (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
            (b"Rar!\x1a\x07", Kind::Rar),
            (b"MSCF\0\0\0\0", Kind::Cabinet),
        ];
        let first = STARTS
            .into_iter()
            .filter_map(|(start, kind)| Some((memchr::memmem::find(overlay, start)?, kind)))
            .min_by_key(|(at, _)| *at);
        match first {
            // Its directory counts from the start of the program or of the archive.
            Some((_, Kind::Zip)) => self.inside(Kind::Program, "the archive behind it", |search| {
                search.zip(Kind::Zip, content);
            }),
            Some((at, kind)) => self.inside(Kind::Program, "the archive behind it", |search| {
                search.open(kind, &overlay[at..], false);
            }),
            None => {}
        }
    }

    fn flasher(&mut self, slots: Result<Vec<Slot>, Trouble>) {
        let slots = match slots {
            Ok(slots) => slots,
            Err(trouble) => {
                return self.inside(Kind::XFlash, "its images", |search| search.trouble(trouble));
            }
        };
        for slot in slots {
            self.inside(Kind::XFlash, &slot.revision, |search| match slot.image {
                Ok((image, guess)) => {
                    let image = Image::from_bytes(image);
                    match guess {
                        Some(guess) if !is_whole(&image) => {
                            search.trouble(Trouble::Undecided(guess));
                        }
                        guess => search.keep(image, guess),
                    }
                }
                Err(trouble) => search.trouble(trouble),
            });
        }
    }
}

/// Whether an image whose key was a guess is whole by everything else that can be
/// asked of it, its own name included.
fn is_whole(image: &Image) -> bool {
    let bytes = image.bytes();
    let is_doubted = |finding: &Finding| finding.certainty > Certainty::Possible;
    soundness::problems(bytes).is_empty()
        && !damage::findings(image).iter().any(is_doubted)
        && !identity::find(bytes).is_empty()
}

/// Whether what looks like a signed payload is one: a container, or firmware.
fn holds_something(signed: &[u8]) -> bool {
    wrapped::signed(signed)
        .is_some_and(|payload| Kind::of(payload).is_some() || looks_like_firmware(payload))
}

/// A resource of the size of a flash may be a picture.
fn looks_like_firmware(bytes: &[u8]) -> bool {
    if !is_flash_size(bytes.len()) {
        return false;
    }
    let (bytes, _) = mt19xx::unwrapped(bytes.to_vec());
    let bytes = &bytes[..];
    let structure = Structure::of(bytes);
    soundness::content(bytes).is_none()
        && (structure.jumps == structure.banks || !identity::find(bytes).is_empty())
}
