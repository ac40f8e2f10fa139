//! Commands as this user can paste them.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use nix::unistd::geteuid;

use super::advice::{By, Command, Shell};
use super::args::Request;
use super::quoting::{in_quotes, quoted};

const NAME: &str = "mtkflash";

/// Who called the program, and by which name or path.
#[derive(Debug, Clone)]
pub struct Caller {
    program: OsString,
    /// Who is root needs no sudo, and may have none.
    is_root: bool,
}

impl Caller {
    /// Of this process.
    pub fn of_process() -> Caller {
        let program = std::env::args_os().next();
        Caller {
            program: program
                .filter(|word| !word.is_empty())
                .unwrap_or_else(|| NAME.into()),
            is_root: geteuid().is_root(),
        }
    }

    /// A user who has the program on the path.
    pub fn ordinary() -> Caller {
        Caller {
            program: NAME.into(),
            is_root: false,
        }
    }

    /// A command as a program and its arguments.
    pub fn argv(&self, command: &Command) -> Vec<OsString> {
        let program = self.program.clone();
        let (mut argv, asking) = match command {
            Command::Shell(_) => return vec!["sh".into(), "-c".into(), self.line(command).into()],
            Command::FlashAsRoot(asking) if !self.is_root => {
                // sudo looks for programs in folders of its own.
                let path = std::env::current_exe().ok().filter(|_| !self.has_path());
                let program = path.map_or(program, OsString::from);
                (vec!["sudo".into(), program], asking)
            }
            Command::Flash(asking) | Command::FlashAsRoot(asking) => (vec![program], asking),
        };
        argv.extend(asking.request().words());
        argv
    }

    fn has_path(&self) -> bool {
        self.program.as_encoded_bytes().contains(&b'/')
    }

    /// A command as a line for a shell.
    pub fn line(&self, command: &Command) -> String {
        match command {
            Command::Flash(asking) => spelled(quoted(&self.program), asking.request()),
            Command::FlashAsRoot(asking) => spelled(self.as_root(), asking.request()),
            Command::Shell(shell) => self.shell(shell),
        }
    }

    /// This program as root. sudo looks for programs in folders of its own, and
    /// the one that `cargo install` takes is not among them.
    fn as_root(&self) -> String {
        let program = quoted(&self.program);
        match (self.is_root, self.has_path()) {
            (true, _) => program,
            (false, true) => format!("sudo {program}"),
            (false, false) => format!("sudo \"$(command -v {program})\""),
        }
    }

    fn shell(&self, shell: &Shell) -> String {
        let sudo = if self.is_root { "" } else { "sudo " };
        match shell {
            Shell::Line(By::User, line) => (*line).to_owned(),
            Shell::Line(By::Root, line) => format!("{sudo}{line}"),
            Shell::On(by, line, file) => {
                let sudo = if *by == By::Root { sudo } else { "" };
                format!("{sudo}{line} {}", file_word(file))
            }
            Shell::JoinGroup(group) => format!("{sudo}usermod -aG {group} \"$USER\""),
            Shell::StartContainerWith(nodes) => {
                let given = nodes
                    .iter()
                    .map(|node| format!("--device={} ", quoted(node.as_os_str())));
                format!("docker run {}...", given.collect::<String>())
            }
            Shell::MakePortNode => {
                format!("{sudo}rm /dev/port; {sudo}mknod -m 640 /dev/port c 1 4")
            }
            Shell::Restore(undo) => {
                let (text, file) = (OsStr::new(&undo.text), undo.file.as_os_str());
                format!("echo {} | {sudo}tee {}", in_quotes(text), in_quotes(file))
            }
            Shell::LoadDriverOf(controller) => {
                format!("{sudo}modprobe \"$(cat /sys/bus/pci/devices/{controller}/modalias)\"")
            }
            Shell::Beginning(file, bytes) => format!(
                "head -c {bytes} {} > {}",
                file_word(file),
                file_word(&Shell::beginning(file))
            ),
            Shell::FromSRecords(file) => format!(
                "objcopy -I srec -O binary {} {}",
                file_word(file),
                file_word(&file.with_extension("bin"))
            ),
            Shell::JoinZip(file) => format!(
                "zip -s 0 {} --out {}",
                file_word(file),
                file_word(&Shell::joined(file))
            ),
            Shell::FromUtf16(file) => format!(
                "iconv -f utf-16 -t ascii {} > {}",
                file_word(file),
                file_word(&Shell::plain(file))
            ),
        }
    }
}

/// A file that no program takes for a switch.
fn file_word(file: &Path) -> String {
    match file.as_os_str().as_encoded_bytes().starts_with(b"-") {
        true => quoted(Path::new(".").join(file).as_os_str()),
        false => quoted(file.as_os_str()),
    }
}

/// A request as a line for a shell, behind this program.
pub fn spelled(program: String, request: &Request) -> String {
    let words = request.words();
    words
        .iter()
        .fold(program, |line, word| line + " " + &quoted(word))
}

#[cfg(test)]
mod tests;
