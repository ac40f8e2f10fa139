//! Files that belong together, and whose run was killed between two of their names.
//!
//! Before the first of them has its name, a note lies beside them. For each file it says
//! its own name, the name that it is to have, what it holds, and what the file holds that
//! has that name now; each with a zero behind it, and one more at the end. Such a note
//! may come with somebody's archive: it is about files of the folder that it lies in, by
//! whatever name that is reached, and gives a name only where all of the group is there.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISO_HDLC, Crc};
use tempfile::TempPath;

use super::{
    Place, SUFFIX, Staged, give_name, held_by_no_run, is_own_name, left_over, regular, sync_folder,
};

const ENDING: &str = ".group";
/// In place of what a file holds: there is none.
const NOTHING: &str = "-";
/// Two names and two contents of a hundred files.
const LARGEST: u64 = 0x1_0000;
/// Bytes that are read to see what files hold: a dump and what it replaces are far less.
const MOST_READ: u64 = 0x1000_0000;

/// What was read of files, and may still be.
struct Reading {
    left: u64,
}

impl Reading {
    fn new() -> Reading {
        Reading { left: MOST_READ }
    }

    /// What a file holds, its size and CRC-32; `None` where that is not to be known.
    fn held(&mut self, path: &Path) -> Option<String> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Some(NOTHING.to_owned()),
            _ => {}
        }
        let file = regular(path, false)?;
        let size = file.metadata().ok()?.len();
        self.left = self.left.checked_sub(size)?;
        let crc32 = Crc::<u32>::new(&CRC_32_ISO_HDLC);
        let mut digest = crc32.digest();
        let mut piece = vec![0; 0x1_0000];
        let mut rest = file.take(size);
        loop {
            match rest.read(&mut piece) {
                Ok(0) => return Some(format!("{size} {:08x}", digest.finalize())),
                Ok(length) => digest.update(piece.get(..length)?),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

/// Notes what the next run needs to know that finds these files. Without that, on a full
/// disk, they have their names all the same.
pub(super) fn noted(files: &[(Staged, Place)]) -> Option<Staged> {
    let (first, others) = files.split_first()?;
    let folder = first.1.folder();
    if others.is_empty() || others.iter().any(|(_, place)| place.folder() != folder) {
        return None;
    }
    let mut reading = Reading::new();
    let mut text = Vec::new();
    for (staged, place) in files {
        let (part, name) = (staged.file.path(), place.target());
        let [held, replaced] = [reading.held(part)?, reading.held(name)?];
        let names = [part.file_name()?, name.file_name()?];
        for said in names.into_iter().chain([held.as_ref(), replaced.as_ref()]) {
            text.extend(said.as_bytes());
            text.push(0);
        }
    }
    text.push(0);
    let mut note = Staged::called(folder, ENDING).ok()?;
    note.fill(|out| out.write_all(&text), None).ok()?;
    sync_folder(folder).ok()?;
    Some(note)
}

/// A file of a group, as its note has it.
struct Member {
    part: PathBuf,
    name: PathBuf,
    held: String,
    replaced: String,
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Named,
    /// Nothing has its name, or what had it then.
    Ready,
    /// Something else has its name, or it cannot be seen what.
    Waiting,
    Gone,
}

impl Member {
    fn state(&self, reading: &mut Reading) -> State {
        let (Some(there), Some(part)) = (reading.held(&self.name), reading.held(&self.part)) else {
            return State::Waiting;
        };
        if there == self.held {
            State::Named
        } else if part != self.held {
            State::Gone
        } else if [NOTHING, &self.replaced].contains(&there.as_str())
            && held_by_no_run(&self.part).is_some()
        {
            State::Ready
        } else {
            State::Waiting
        }
    }

    fn give_name(&self) -> bool {
        let Ok(part) = TempPath::try_from_path(&self.part) else {
            return false;
        };
        match give_name(part, &self.name, self.replaced != NOTHING) {
            Ok(()) => true,
            Err(error) => {
                let _ = error.path.keep();
                false
            }
        }
    }
}

/// A file that still waits for its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub part: PathBuf,
    pub name: PathBuf,
    /// Whether it is this one whose name another file has; the rest of the group waits
    /// for that.
    pub is_taken: bool,
}

/// Names what killed runs of this user have named in part in this folder. Returns the
/// files that still wait, since another one has a name of that group.
pub fn complete(folder: &Path) -> Vec<Waiting> {
    let mut reading = Reading::new();
    let notes = left_over(folder, ENDING).into_iter();
    notes
        .flat_map(|note| complete_one(folder, &note, &mut reading))
        .collect()
}

fn complete_one(folder: &Path, note: &Path, reading: &mut Reading) -> Vec<Waiting> {
    let Some(file) = held_by_no_run(note) else {
        // The files of a run that lives are its own.
        return Vec::new();
    };
    let mut text = Vec::new();
    let read = (&*file).take(LARGEST).read_to_end(&mut text);
    // One that was not written to its end was before the first of the names.
    let members = read.ok().and_then(|_| members(folder, &text));
    let states: Vec<(&Member, State)> = members
        .iter()
        .flatten()
        .map(|member| (member, member.state(reading)))
        .collect();
    let is_any = |state: State| states.iter().any(|(_, found)| *found == state);
    if !is_any(State::Gone) {
        let unnamed = states.iter().filter(|(_, state)| *state != State::Named);
        let can_be = !is_any(State::Waiting);
        if !(can_be && unnamed.clone().all(|(member, _)| member.give_name())) {
            let waiting = unnamed.map(|(member, state)| Waiting {
                part: member.part.clone(),
                name: member.name.clone(),
                is_taken: *state == State::Waiting,
            });
            return waiting.collect();
        }
        let _ = sync_folder(folder);
    }
    let _ = fs::remove_file(note);
    Vec::new()
}

/// `None` for what is no note.
fn members(folder: &Path, text: &[u8]) -> Option<Vec<Member>> {
    let said: Vec<&OsStr> = text
        .strip_suffix(&[0, 0])?
        .split(|byte| *byte == 0)
        .map(OsStr::from_bytes)
        .collect();
    let is_name = |name: &OsStr| Path::new(name).file_name() == Some(name);
    let members = said.chunks(4).map(|said| {
        let [part, name, held, replaced] = said else {
            return None;
        };
        let (own, other) = (Path::new(part), Path::new(name));
        let is_one = is_name(part) && is_name(name);
        (is_one && is_own_name(own, SUFFIX) && !is_own_name(other, "")).then_some(Member {
            part: folder.join(part),
            name: folder.join(name),
            held: held.to_str()?.to_owned(),
            replaced: replaced.to_str()?.to_owned(),
        })
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{add, names};
    use super::super::{Pending, sweep};
    use super::*;

    /// Files `a`, `b` and `c` of a run that was killed when it had named so many.
    fn killed_at(folder: &Path, named: usize, overwrite: bool) {
        let mut pending = Pending::new(overwrite).together();
        for name in ["a", "b", "c"] {
            add(&mut pending, folder.join(name), name);
        }
        let note = noted(&pending.files).unwrap();
        fs::copy(note.file.path(), folder.join(".mtkflash-killed.group")).unwrap();
        // Nothing of a killed run is held, and nothing is removed by it.
        for (number, (staged, place)) in pending.files.into_iter().enumerate() {
            let part = staged.file.into_temp_path().keep().unwrap();
            if number < named {
                fs::rename(part, place.target()).unwrap();
            }
        }
    }

    fn hold(folder: &Path, all: &[&str], content: &str) {
        for name in all {
            fs::write(folder.join(name), content).unwrap();
        }
    }

    fn held(folder: &Path) -> Vec<String> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        ["a", "b", "c"].map(read).to_vec()
    }

    #[test]
    fn files_that_a_killed_run_has_named_in_part_are_named_by_the_next() {
        for (named, overwrite) in [(0, false), (1, false), (2, false), (3, false), (1, true)] {
            let folder = tempfile::tempdir().unwrap();
            if overwrite {
                hold(folder.path(), &["a", "b", "c"], "old");
            }
            killed_at(folder.path(), named, overwrite);
            sweep(folder.path());
            assert_eq!(names(folder.path()), ["a", "b", "c"], "{named}");
            assert_eq!(held(folder.path()), ["a", "b", "c"], "{named}");
        }
    }

    #[test]
    fn a_folder_that_was_moved_since_is_the_same() {
        let above = tempfile::tempdir().unwrap();
        let [folder, moved] = ["folder", "moved"].map(|name| above.path().join(name));
        fs::create_dir(&folder).unwrap();
        killed_at(&folder, 1, false);
        fs::rename(&folder, &moved).unwrap();
        sweep(&moved);
        assert_eq!(held(&moved), ["a", "b", "c"]);
    }

    #[test]
    fn where_another_file_has_a_name_by_then_all_wait_until_it_is_gone() {
        for (overwrite, puts_back) in [(false, false), (true, false), (true, true)] {
            let folder = tempfile::tempdir().unwrap();
            if overwrite {
                hold(folder.path(), &["a", "b", "c"], "old");
            }
            killed_at(folder.path(), 1, overwrite);
            hold(folder.path(), &["c"], "of another program");
            sweep(folder.path());
            assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"a");
            let others = fs::read(folder.path().join("c")).unwrap();
            assert_eq!(others, b"of another program");
            let waiting = complete(folder.path());
            let told = waiting.iter().map(|one| (one.name.clone(), one.is_taken));
            let expected = [("b", false), ("c", true)];
            let expected = expected.map(|(name, is_taken)| (folder.path().join(name), is_taken));
            assert_eq!(told.collect::<Vec<_>>(), expected);
            if puts_back {
                hold(folder.path(), &["c"], "old");
            } else {
                fs::remove_file(folder.path().join("c")).unwrap();
            }
            sweep(folder.path());
            assert_eq!(names(folder.path()), ["a", "b", "c"]);
            assert_eq!(held(folder.path()), ["a", "b", "c"]);
        }
    }

    #[test]
    fn a_group_of_which_a_file_is_gone_comes_up_in_no_part() {
        let folder = tempfile::tempdir().unwrap();
        killed_at(folder.path(), 1, false);
        fs::remove_file(folder.path().join("a")).unwrap();
        sweep(folder.path());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_note_from_anywhere_names_nothing_outside_of_its_folder() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("downloaded");
        fs::create_dir(&folder).unwrap();
        hold(&folder, &[".mtkflash-x.part", ".mtkflash-y.part"], "evil");
        let outside = above.path().join("made");
        let content = Reading::new().held(&folder.join(".mtkflash-x.part"));
        let content = content.unwrap();
        let outside = outside.to_str().unwrap();
        for name in [outside, "../made", "..", ".", "", "x/made", ".mtkflash-z"] {
            let note = format!(".mtkflash-x.part\0{name}\0{content}\0-\0\0");
            fs::write(folder.join(".mtkflash-n.group"), note).unwrap();
            let part = format!("{outside}\0made\0{content}\0-\0\0");
            fs::write(folder.join(".mtkflash-p.group"), part).unwrap();
            complete(&folder);
            assert_eq!(names(above.path()), ["downloaded"], "{name}");
            let left = names(&folder);
            assert_eq!(left, [".mtkflash-x.part", ".mtkflash-y.part"], "{name}");
        }
    }

    #[test]
    fn a_note_that_was_cut_off_or_is_none_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        killed_at(folder.path(), 0, false);
        let note = folder.path().join(".mtkflash-killed.group");
        let text = fs::read(&note).unwrap();
        for length in 0..text.len() {
            fs::write(&note, &text[..length]).unwrap();
            assert!(complete(folder.path()).is_empty(), "{length}");
            assert!(!note.exists(), "{length}");
            assert_eq!(names(folder.path()).len(), 3, "{length}");
        }
    }
}
