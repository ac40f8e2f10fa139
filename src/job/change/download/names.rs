//! The names in an image, in what was read, and those that the drive gives itself.

use crate::flash::Offset;
use crate::image::{Image, ImageIdentity, Model, identity};
use crate::job::change::Content;
use crate::job::fit::{self, Comparison, Match};
use crate::job::read::Dump;
use crate::job::{Forced, NoBackup, Refusal};
use crate::protocol::download::{DownloadRules, ImageNames};
use crate::scsi::Identity;

/// Who a drive may say it is once it has an image.
#[derive(Debug)]
pub(super) struct Expected {
    /// Anybody where there are none.
    pub identities: Vec<Identity>,
    with_revision: bool,
}

/// Compares the names in the image with those of the drive, where the family
/// has a place for them.
pub(super) fn names_fit(
    image: &Image,
    drive: Option<&Identity>,
    rules: &DownloadRules,
    forced: &Forced,
) -> Result<Option<Match>, Refusal> {
    match rules.names {
        ImageNames::Undocumented => fit::check(image, drive, None, &[], forced).map(Some),
        ImageNames::At(at) if identity_at(image.bytes(), at).is_some() => {
            fit::check(image, drive, None, &[], forced).map(Some)
        }
        ImageNames::At(at) => {
            let of_image = identity::find(image.bytes());
            let all: Vec<&Identity> = of_image.iter().map(ImageIdentity::identity).collect();
            let other = drive.and_then(|drive| fit::other_way(drive, &all));
            let nameless = Comparison::NoNamesAt {
                at,
                named: of_image.first().map(named),
            };
            other.unwrap_or(nameless).unless_forced(forced).map(Some)
        }
    }
}

/// The model that an identity in an image names.
fn named(found: &ImageIdentity) -> Model {
    Model::from(found.identity())
}

fn identity_at(bytes: &[u8], at: Offset) -> Option<Identity> {
    identity::find(bytes)
        .iter()
        .find(|found| found.at() == at)
        .map(|found| found.identity().clone())
}

impl Expected {
    pub fn of(content: &Content<'_>, drive: Option<&Identity>, rules: &DownloadRules) -> Expected {
        let anybody = Expected {
            identities: Vec::new(),
            with_revision: false,
        };
        match (content, rules.names) {
            // What an erased drive calls itself is its boot loader's business.
            (Content::Blank, _) => anybody,
            (Content::Image { image, .. }, ImageNames::At(at)) => {
                match identity_at(image.bytes(), at) {
                    Some(identity) => Expected {
                        identities: vec![identity],
                        with_revision: true,
                    },
                    None => anybody,
                }
            }
            (Content::Image { image, .. }, _) => {
                let of_image = identity::find(image.bytes());
                let mut named = of_image.iter().map(ImageIdentity::identity);
                // An image that names this very drive says its revision, too.
                let is_drive = |named: &&Identity| {
                    drive.is_some_and(|drive| Model::from(drive) == Model::from(*named))
                };
                match named.clone().find(is_drive) {
                    Some(identity) => Expected {
                        identities: vec![identity.clone()],
                        with_revision: true,
                    },
                    None => Expected {
                        identities: named.by_ref().chain(drive).cloned().collect(),
                        with_revision: false,
                    },
                }
            }
        }
    }

    /// Whether the image names this model and this revision.
    pub fn is_revision_of(&self, drive: &Identity) -> bool {
        self.with_revision && self.is_met_by(drive)
    }

    pub fn is_met_by(&self, drive: &Identity) -> bool {
        let is_it = |expected: &Identity| {
            Model::from(expected) == Model::from(drive)
                && (!self.with_revision || expected.revision == drive.revision)
        };
        self.identities.is_empty() || self.identities.iter().any(is_it)
    }
}

/// What is read is firmware only where the drive's names are in it.
pub(super) fn refuse_nameless(
    dump: &Dump,
    rules: &DownloadRules,
    drive: Option<&Identity>,
) -> Result<(), Refusal> {
    let ImageNames::At(at) = rules.names else {
        return Ok(());
    };
    let found = identity_at(&dump.bytes, at).map(|identity| Model::from(&identity));
    if drive.is_none_or(|drive| found == Some(Model::from(drive))) {
        return Ok(());
    }
    Err(Refusal::NoBackupPossible(NoBackup::Nameless { at }))
}
