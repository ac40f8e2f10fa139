//! Requests that follow from another one: what a user who typed it may want to
//! type next. None of them holds consent once it is [advice](crate::cli::advice).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::print::A_DRIVE;
use super::{Artifact, Command, DriveName, Options, Request, Topic, Verb, Via};
use crate::files;
use crate::flash::FlashRange;
use crate::image;
use crate::job::backup;
use crate::job::record::Record;
use crate::protocol::Protocol;

/// Time to switch a drive off and on.
const WAIT: Duration = Duration::from_secs(200);

/// What stands for a file that the user has to name.
pub const A_FILE: &str = "FILE";

/// The smallest flash that these drives have, as an example of a size.
const A_SIZE: u32 = 256 * 1024;

/// The same request with a change to it.
impl Request {
    /// The word of a form that was typed as it is, where there is no such file or drive.
    pub fn placeholder(&self) -> Option<&'static str> {
        let options = [&self.options.backup, &self.options.sim].map(Option::as_deref);
        let files = options.into_iter().chain([self.command.file()]);
        let is_file = |file: &Path| file == Path::new(A_FILE) && !file.exists();
        let is_drive = |drive: &DriveName| drive.to_string() == A_DRIVE;
        if files.flatten().any(is_file) {
            return Some(A_FILE);
        }
        self.drives.iter().any(is_drive).then_some(A_DRIVE)
    }

    fn changed(&self, change: impl FnOnce(&mut Request)) -> Request {
        let mut request = self.clone();
        change(&mut request);
        request
    }

    /// The same from whatever folder it is typed, without consent.
    pub fn from_anywhere(&self) -> Request {
        let absolute = |path: &mut PathBuf| {
            if let Ok(found) = std::path::absolute(&path) {
                *path = found;
            }
        };
        self.changed(|request| {
            request.options.yes = false;
            match &mut request.command {
                Command::Read { file } | Command::Write { file } | Command::Verify { file } => {
                    absolute(file)
                }
                _ => {}
            }
            request.options.sim.iter_mut().for_each(absolute);
            request.options.backup.iter_mut().for_each(absolute);
        })
    }

    pub fn with_dry_run(&self) -> Request {
        self.changed(|request| request.options.dry_run = true)
    }

    pub fn without_dry_run(&self) -> Request {
        self.changed(|request| request.options.dry_run = false)
    }

    /// Written whatever revision the drive says that it has.
    pub fn without_skip(&self) -> Request {
        self.changed(|request| request.options.skip_if_same = false)
    }

    /// About the drives of this bench.
    pub fn on_bench(&self, file: &Path) -> Request {
        self.changed(|request| request.options.sim = Some(file.to_owned()))
    }

    /// About one drive alone.
    pub fn of(&self, drive: DriveName) -> Request {
        self.of_these(vec![drive])
    }

    /// About some of its drives.
    pub fn of_these(&self, drives: Vec<DriveName>) -> Request {
        self.changed(|request| {
            request.drives = drives;
            request.options.all = false;
        })
    }

    pub fn by(&self, via: Via) -> Request {
        self.changed(|request| request.options.via = Some(via))
    }

    pub fn without_protocol(&self) -> Request {
        self.changed(|request| request.options.protocol = None)
    }

    /// By whatever way and protocol the drive's name calls for.
    pub fn by_its_name(&self) -> Request {
        self.changed(|request| {
            request.options.via = None;
            request.options.protocol = None;
            request.options.wait = None;
        })
    }

    /// With one image of the file, by its number.
    pub fn with_entry(&self, number: usize) -> Request {
        self.changed(|request| request.options.entry = Some(number.to_string()))
    }

    pub fn without_entry(&self) -> Request {
        self.changed(|request| request.options.entry = None)
    }

    /// Asking for so long a drive that refuses.
    pub fn with_wait(&self, time: Duration) -> Request {
        self.changed(|request| request.options.wait = Some(time))
    }

    /// Without time to switch the drive off and on.
    pub fn without_wait(&self) -> Request {
        self.changed(|request| request.options.wait = None)
    }

    /// With time to switch the drive off and on.
    pub fn waiting(&self) -> Request {
        self.changed(|request| request.options.wait = Some(WAIT))
    }

    /// With a size for a chip that is in no table.
    pub fn with_a_size(&self) -> Request {
        self.changed(|request| request.options.size = Some(A_SIZE))
    }

    /// With another file in the place of its own.
    pub fn with_file(&self, new: &Path) -> Request {
        self.changed(|request| match &mut request.command {
            Command::Read { file } | Command::Write { file } | Command::Verify { file } => {
                *file = new.to_owned();
                request.options.entry = None;
            }
            Command::Inspect { files } => {
                *files = vec![new.to_owned()];
                request.options.entry = None;
            }
            _ => {}
        })
    }

    pub fn without_backup(&self) -> Request {
        self.changed(|request| {
            request.options.backup = None;
            request.options.no_backup = true;
        })
    }

    /// With a backup under whatever name it gets by itself.
    pub fn with_any_backup(&self) -> Request {
        self.changed(|request| request.options.no_backup = false)
    }

    pub fn with_backup(&self, file: &Path) -> Request {
        self.changed(|request| {
            request.options.no_backup = false;
            request.options.backup = Some(file.to_owned());
        })
    }

    /// The dump that a file of this request is, or is the record of.
    pub fn dump_of(&self, file: &Path) -> PathBuf {
        let typed = [self.command.file(), self.options.backup.as_deref()];
        let mut typed = typed.into_iter().flatten();
        let dump = file.with_extension("");
        let is_fresh = || dump.extension().is_some_and(|extension| extension == "bin");
        let is_record = file.extension().is_some_and(|extension| extension == "txt");
        match typed.find(|dump| backup::record_path(dump) == file) {
            Some(dump) => dump.to_owned(),
            None if is_record && self.options.backup.is_none() && is_fresh() => dump,
            None => file.to_owned(),
        }
    }

    /// With another file for what is read from the drive: that of the command,
    /// that of the backup, or that of a conversion.
    pub fn with_output(&self, file: &Path) -> Request {
        match (&self.command, self.changes()) {
            (_, true) => self.with_backup(file),
            (Command::Inspect { .. }, _) => {
                self.changed(|request| request.options.out = Some(file.to_owned()))
            }
            (_, false) => self.with_file(file),
        }
    }

    /// Keeping nothing.
    pub fn without_keep(&self) -> Request {
        self.changed(|request| request.options.keep.clear())
    }

    /// For another part of the flash: these ranges, first and last byte; all for none.
    pub fn of_part(&self, ranges: &[FlashRange]) -> Request {
        self.changed(|request| request.options.select(ranges))
    }
}

/// Another command for the same drive.
impl Request {
    fn command(&self, command: Command) -> Request {
        let options = &self.options;
        let reads = matches!(command.verb(), Some(Verb::Read | Verb::Verify));
        let is_same_file = command.file() == self.command.file();
        Request {
            drives: self.drives.clone(),
            merged: command.file().is_some(),
            binary: false,
            command,
            options: Options {
                sim: options.sim.clone(),
                via: options.via,
                protocol: options.protocol.clone(),
                plain: options.plain,
                size: options.size.filter(|_| reads),
                entry: options.entry.clone().filter(|_| is_same_file),
                ..Options::default()
            },
        }
    }

    /// Lists the drives there are, on the bench or in the machine.
    pub fn list(&self) -> Request {
        Request {
            options: Options {
                sim: self.options.sim.clone(),
                plain: self.options.plain,
                ..Options::default()
            },
            ..Request::without_drive(Command::List)
        }
    }

    /// Looks at the file of this command without any drive.
    pub fn inspect(&self) -> Request {
        let mut request = Request::inspect_file(self.command.file().unwrap_or(Path::new(A_FILE)));
        request.options.entry.clone_from(&self.options.entry);
        request
    }

    /// A command as it is typed, with what the user has named already. What is
    /// missing stays a placeholder: no drive is ever proposed for a change.
    pub fn form(verb: Verb, drives: &[DriveName], file: Option<&OsStr>) -> Request {
        let file = PathBuf::from(file.unwrap_or(OsStr::new(A_FILE)));
        Request {
            drives: drives.to_vec(),
            merged: matches!(verb, Verb::Read | Verb::Write | Verb::Verify),
            binary: verb == Verb::Read,
            ..Request::without_drive(Command::of(verb, file))
        }
    }

    pub fn help(topic: Topic) -> Request {
        Request::without_drive(Command::Help(topic))
    }

    pub fn generate(artifact: Artifact) -> Request {
        Request::without_drive(Command::Generate(artifact))
    }

    /// Looks at some file.
    pub fn inspect_any() -> Request {
        Request::inspect_file(Path::new(A_FILE))
    }

    /// The same, where the first of several files per bank was named: of all of them.
    pub fn with_whole_files(&self) -> Request {
        self.changed(|request| {
            let whole = |file: &mut PathBuf| {
                if let Some(base) = image::base_of_banks(file) {
                    *file = base;
                }
            };
            match &mut request.command {
                _ if request.merged => {}
                Command::Write { file } | Command::Verify { file } => whole(file),
                Command::Inspect { files } => files.iter_mut().for_each(whole),
                _ => {}
            }
        })
    }

    /// Into one raw binary file.
    pub fn raw(&self) -> Request {
        self.changed(|request| {
            request.merged = true;
            request.binary = true;
        })
    }

    /// From one file for all banks.
    pub fn merged(&self) -> Request {
        self.changed(|request| request.merged = true)
    }

    /// Looks at this file.
    pub fn inspect_file(file: &Path) -> Request {
        let files = vec![file.to_owned()];
        Request::without_drive(Command::Inspect { files })
    }

    pub fn check(&self) -> Request {
        self.command(Command::Check)
    }

    /// Checks this drive by the ports of its channel.
    pub fn check_by_ports(&self) -> Request {
        let mut request = self.check().by(Via::Port);
        request.options.protocol = None;
        request
    }

    /// Checks a drive that is at a position of the legacy ports.
    pub fn check_at_ports(&self, position: u8) -> Request {
        self.of(DriveName::Index(position)).check_by_ports()
    }

    /// Reads all of this drive into a file, in vendor mode.
    pub fn read_in_vendor_mode(&self) -> Request {
        let mut request = self.read();
        request.options.protocol = Some(Protocol::VendorMode.name().to_owned());
        request
    }

    /// Compares the same in vendor mode.
    pub fn verify_in_vendor_mode(&self) -> Request {
        let vendor_mode = Protocol::VendorMode.name().to_owned();
        self.changed(|request| request.options.protocol = Some(vendor_mode))
    }

    /// Of a drive without firmware: it does not know a way that its firmware has.
    pub fn of_blank(&self) -> Request {
        match self.reads_as_liteon() {
            true => self.without_protocol(),
            false => self.clone(),
        }
    }

    /// Whether it goes by the way of reading Lite-On drives that was never confirmed.
    pub fn reads_as_liteon(&self) -> bool {
        let named = self.options.protocol.as_deref();
        named.is_some_and(|name| name.parse() == Ok(Protocol::LiteonRead))
    }

    /// Reads all of this drive into a file.
    pub fn read(&self) -> Request {
        let file = "backup.bin".into();
        Request {
            binary: true,
            ..self.command(Command::Read { file })
        }
    }

    /// Reads the same part of this drive into a file.
    pub fn read_part(&self) -> Request {
        self.read().changed(|request| {
            request.options.banks = self.options.banks.clone();
            request.options.range = self.options.range;
        })
    }

    /// Compares the flash with the file of this command.
    pub fn verify(&self) -> Request {
        let file = self.command.file().unwrap_or(Path::new(A_FILE)).to_owned();
        self.command(Command::Verify { file })
    }

    /// Compares the same part of this drive with the files.
    pub fn verify_part(&self) -> Request {
        self.verify().changed(|request| {
            request.merged = self.merged;
            request.options.keep.clone_from(&self.options.keep);
            request.options.banks = self.options.banks.clone();
            request.options.range = self.options.range;
        })
    }

    /// Writes a file into this drive, the same part of it, and keeps the same.
    pub fn write(&self, file: &Path) -> Request {
        let file = file.to_owned();
        self.command(Command::Write { file }).changed(|request| {
            request.options.keep.clone_from(&self.options.keep);
            request.options.banks = self.options.banks.clone();
            request.options.range = self.options.range;
        })
    }

    /// Writes some firmware into this drive.
    pub fn write_any(&self) -> Request {
        let file = A_FILE.into();
        self.command(Command::Write { file })
    }

    /// Writes some firmware into this drive, of which there can be no backup.
    pub fn write_unread(&self) -> Request {
        self.write_any().without_backup()
    }

    /// Writes a backup back, all of what it holds and nothing else.
    pub fn restore(&self, backup: &Path) -> Request {
        let file = backup.to_owned();
        let mut request = Request {
            binary: true,
            ..self.command(Command::Write { file })
        };
        if let Some(record) = Record::beside(backup) {
            request.options.select(&record.ranges);
        }
        request
    }
}

impl Request {
    /// Whether it may change a flash.
    pub fn changes(&self) -> bool {
        matches!(self.command, Command::Write { .. } | Command::Erase)
    }

    /// Whether this is the file, or may be the one, that a backup goes to.
    pub fn is_backup(&self, path: &Path) -> bool {
        let backup = self.options.backup.as_deref();
        let may_be = |backup: &Path| {
            backup == path
                || backup::record_path(backup) == path
                || files::is_folder(backup) && path.parent() == Some(backup)
        };
        self.changes() && backup.is_none_or(may_be)
    }
}

impl Options {
    /// Selects these ranges: whole banks where they are that, else all from the first
    /// to the last; all for no ranges.
    fn select(&mut self, ranges: &[FlashRange]) {
        self.banks = None;
        self.range = None;
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return;
        };
        if ranges.iter().all(|range| range.is_whole_banks()) {
            self.banks = Some(ranges.iter().flat_map(|range| range.banks()).collect());
        } else {
            self.range = Some(FlashRange::new(first.start(), last.end()));
        }
    }
}
