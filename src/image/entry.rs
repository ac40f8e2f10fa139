//! Which image of a container is meant: the only one, or the one that is named.
//! None is ever guessed.

use super::Image;
use super::container::{Contents, Found, Guess, Kind, Member, Step};
use super::identity::{self, ImageIdentity};
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
}

/// Why no image of a container was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoEntry {
    /// There is none in it.
    NoImage { kind: Kind, members: Vec<Member> },
    /// There are several, and none or more than one of them was named.
    Several { kind: Kind, images: Vec<Listed> },
    /// None has the number or name that was given.
    Unknown {
        kind: Kind,
        wanted: String,
        images: Vec<Listed>,
    },
}

/// Takes the image that `wanted` names by its number or by its name in any
/// letters, or the only one there is.
///
/// # Errors
/// [`NoEntry`]: nothing is chosen for the user.
pub fn choose(contents: Contents, wanted: Option<&str>) -> Result<Image, NoEntry> {
    let kind = contents.kind;
    if contents.images.is_empty() {
        return Err(NoEntry::NoImage {
            kind,
            members: contents.others,
        });
    }
    let numbered = (1..).zip(&contents.images);
    let matching: Vec<usize> = numbered
        .filter(|(number, found)| wanted.is_none_or(|wanted| is_named(*number, found, wanted)))
        .map(|(number, _)| number)
        .collect();
    let ([number], others) = (&matching[..], contents.images.len() - 1) else {
        let images = list(&contents.images);
        return Err(match wanted {
            Some(wanted) if matching.is_empty() => NoEntry::Unknown {
                kind,
                wanted: wanted.to_owned(),
                images,
            },
            _ => NoEntry::Several { kind, images },
        });
    };
    let mut images = contents.images;
    let found = images.swap_remove(number - 1);
    Ok(Image {
        origin: Some(Origin {
            kind,
            path: found.path,
            guess: found.guess,
            others,
        }),
        ..found.image
    })
}

fn is_named(number: usize, found: &Found, wanted: &str) -> bool {
    if wanted.parse() == Ok(number) {
        return true;
    }
    let names: Vec<&str> = found.path.iter().map(|step| step.name.as_str()).collect();
    let file_name = |name: &str| {
        name.rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let last = names.last().copied().unwrap_or_default();
    [names.join("/"), last.to_owned(), file_name(last)]
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
        })
        .collect()
}
