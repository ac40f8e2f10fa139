//! Which image of a container is meant: the only one, or the one that is named.
//! None is ever guessed.

use super::Image;
use super::container::{Contents, Found, Guess, Kind, Member, Step};
use super::identity::{self, ImageIdentity};
use super::soundness::{self, Problem};
use super::sums::Checksum;

/// Where an image came from that was packed in something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What the file is.
    pub kind: Kind,
    /// From the file in.
    pub path: Vec<Step>,
    /// Where unscrambling it took a guess.
    pub guess: Option<Guess>,
    /// How many images there are beside it.
    pub others: usize,
    /// What else is there, and gives no image.
    pub beside: Vec<Member>,
    /// Texts in there that may be the records of dumps.
    pub texts: Vec<String>,
}

/// An image of a container, as it is shown to choose by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// From 1 on.
    pub number: usize,
    pub path: Vec<Step>,
    /// Bytes.
    pub size: u32,
    pub identities: Vec<ImageIdentity>,
    pub sum: Checksum,
    /// Why it is no whole image, where that is seen at once.
    pub problem: Option<Problem>,
}

/// A container of which no image was taken: it has none, or several, or one beside
/// what may be another, and none or more than one of them was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEntry {
    pub kind: Kind,
    /// Those to choose from.
    pub images: Vec<Listed>,
    /// What is there and gives no image.
    pub others: Vec<Member>,
    /// The number or name that was given and that none of them has.
    pub unknown: Option<String>,
}

/// Takes the image that `wanted` names by its number in the list or by its name in
/// any letters, or the only one there is. What is a number of the list means that,
/// also where a file is called so.
///
/// # Errors
/// [`NoEntry`]: nothing is chosen for the user, and one image beside something that
/// may be another is no only one.
pub fn choose(contents: Contents, wanted: Option<&str>) -> Result<Image, NoEntry> {
    let Contents {
        kind,
        mut images,
        others,
        texts,
    } = contents;
    let matching: Vec<usize> = match wanted {
        None if others.iter().any(Member::may_be_image) => Vec::new(),
        None => (0..images.len()).collect(),
        Some(wanted) => match number(wanted).filter(|number| *number < images.len()) {
            Some(number) => vec![number],
            None => {
                let named = images.iter().enumerate();
                let named = named.filter(|(_, found)| is_named(&found.path, wanted));
                named.map(|(number, _)| number).collect()
            }
        },
    };
    let [number] = matching[..] else {
        let unknown = wanted.filter(|_| matching.is_empty());
        return Err(NoEntry {
            kind,
            images: list(&images),
            others,
            unknown: unknown.map(str::to_owned),
        });
    };
    let found = images.swap_remove(number);
    Ok(Image {
        origin: Some(Origin {
            kind,
            path: found.path,
            guess: found.guess,
            others: images.len(),
            beside: others,
            texts,
        }),
        ..found.image
    })
}

/// The place of an entry that is given as its number in the list, which counts from 1.
fn number(wanted: &str) -> Option<usize> {
    wanted.parse::<usize>().ok()?.checked_sub(1)
}

/// Whether something in a container is called so: with all that leads to it, or
/// without.
pub fn is_named(path: &[Step], wanted: &str) -> bool {
    let names: Vec<&str> = path.iter().map(|step| step.name.as_str()).collect();
    let last = names.last().copied().unwrap_or_default();
    let file_name = last.rsplit(['/', '\\']).next().unwrap_or_default();
    [&names.join("/"), last, file_name]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(wanted))
}

fn list(images: &[Found]) -> Vec<Listed> {
    (1..)
        .zip(images)
        .map(|(number, found)| Listed {
            number,
            path: found.path.clone(),
            size: found.image.size(),
            identities: identity::find(found.image.bytes()),
            sum: Checksum::of(found.image.bytes()),
            problem: soundness::problems(found.image.bytes()).into_iter().next(),
        })
        .collect()
}
