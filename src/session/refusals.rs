//! How often a drive has refused vendor mode, over several runs: what its user
//! can try is a ladder, and each run shows one rung more.

use std::fs;
use std::path::PathBuf;

use crate::files::{Links, read_text};

/// More than there are rungs.
const MOST: u32 = 99;

/// A number in a file of this folder for every place at which a drive has refused.
#[derive(Debug, Clone)]
pub struct Refusals(pub PathBuf);

impl Refusals {
    /// Counts one more refusal at a place, and says how many there were since
    /// the drive there last let itself be entered; `None` where that cannot be
    /// kept.
    pub fn one_more(&self, place: &str) -> Option<u32> {
        let file = self.file(place);
        let before = read_text(&file, 16, Links::Own).ok();
        let before = before.and_then(|text| text.trim().parse::<u32>().ok());
        let now = before.unwrap_or_default().saturating_add(1).min(MOST);
        fs::create_dir_all(file.parent()?).ok()?;
        // What is there may be a link that somebody has put there.
        let _ = fs::remove_file(&file);
        fs::write(&file, format!("{now}\n")).ok()?;
        Some(now)
    }

    /// The drive at a place has let itself be entered.
    pub fn forget(&self, place: &str) {
        let _ = fs::remove_file(self.file(place));
    }

    fn file(&self, place: &str) -> PathBuf {
        self.0
            .join(place.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_its_own_number_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let refusals = Refusals(folder.path().join("refusals"));
        let (one, other) = (
            "0000:00:01.1 port 2 target 0",
            "0000:00:01.1 port 2 target 1",
        );
        assert_eq!(refusals.one_more(one), Some(1));
        assert_eq!(refusals.one_more(one), Some(2));
        assert_eq!(refusals.one_more(other), Some(1));
        refusals.forget(one);
        assert_eq!(refusals.one_more(one), Some(1));
        assert_eq!(refusals.one_more(other), Some(2));
    }

    #[test]
    fn what_is_no_number_counts_as_none_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let refusals = Refusals(folder.path().to_owned());
        let target = folder.path().join("target");
        fs::write(&target, "7 and more than a number").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("position-3")).unwrap();
        assert_eq!(refusals.one_more("position-3"), Some(1));
        assert_eq!(
            fs::read_to_string(target).unwrap(),
            "7 and more than a number"
        );
    }

    #[test]
    fn where_nothing_can_be_kept_there_is_no_number() {
        let in_the_way = tempfile::NamedTempFile::new().unwrap();
        let refusals = Refusals(in_the_way.path().to_owned());
        assert_eq!(refusals.one_more("position-3"), None);
    }
}
