//! Commands as this user can paste them. Messages have them as `mtkflash …` and
//! `sudo …`; who called the program by a path gets them with that path, and root
//! without sudo.

use std::ffi::OsStr;

use nix::unistd::geteuid;

use super::caller::quoted;

const NAME: &str = "mtkflash";
/// sudo looks for programs in folders of its own, and the one that `cargo
/// install` takes is not among them.
const AS_ROOT: &str = r#"sudo "$(command -v mtkflash)""#;

/// What may stand before a command.
const LABELS: [&str; 2] = ["Next ", "Type: "];

/// The name or path of this program as a shell takes it.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    has_path: bool,
    /// Who is root needs no sudo, and may have none.
    is_root: bool,
}

impl Program {
    /// From the first word of the command line. Without a path in it the name
    /// was found by PATH, that of a link perhaps.
    pub fn called(word: Option<&OsStr>) -> Program {
        let word = word.filter(|word| !word.is_empty());
        let word = word.unwrap_or(OsStr::new(NAME));
        Program {
            name: quoted(word),
            has_path: word.as_encoded_bytes().contains(&b'/'),
            is_root: geteuid().is_root(),
        }
    }

    /// A text whose commands this user can paste. A command stands at the
    /// beginning of a line, perhaps behind a label.
    pub fn paste_into(&self, text: &str) -> String {
        text.split_inclusive('\n')
            .map(|line| {
                let unlabelled = LABELS
                    .iter()
                    .find_map(|label| line.strip_prefix(label))
                    .unwrap_or(line);
                let command = unlabelled.trim_start();
                let (before, _) = line.split_at(line.len() - command.len());
                format!("{before}{}", self.command(command))
            })
            .collect()
    }

    fn command(&self, line: &str) -> String {
        let name = &self.name;
        if let Some(rest) = line.strip_prefix("mtkflash ") {
            return format!("{name} {rest}");
        }
        match (line.strip_prefix(AS_ROOT), self.is_root) {
            (Some(rest), true) => format!("{name}{rest}"),
            (Some(rest), false) if self.has_path => format!("sudo {name}{rest}"),
            (Some(rest), false) => {
                format!("{}{rest}", AS_ROOT.replacen(NAME, name, 1))
            }
            (None, true) => {
                let line = line.strip_prefix("sudo ").unwrap_or(line);
                line.replace("| sudo tee ", "| tee ")
            }
            _ => line.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasted(called: &str, text: &str) -> String {
        let program = Program::called(Some(OsStr::new(called)));
        Program {
            is_root: false,
            ..program
        }
        .paste_into(text)
    }

    const TEXT: &str = "\
mtkflash: no file. mtkflash never guesses.
Type: mtkflash 3 r /m /b backup.bin
Next      mtkflash l
          sudo \"$(command -v mtkflash)\" 3 c --via port
Look at mtkflash l for more.
";

    #[test]
    fn commands_are_shown_as_the_program_was_called() {
        assert_eq!(
            pasted("target/release/mtkflash", TEXT),
            "\
mtkflash: no file. mtkflash never guesses.
Type: target/release/mtkflash 3 r /m /b backup.bin
Next      target/release/mtkflash l
          sudo target/release/mtkflash 3 c --via port
Look at mtkflash l for more.
"
        );
        assert_eq!(
            pasted("/my tools/flash", "mtkflash l"),
            "'/my tools/flash' l"
        );
    }

    #[test]
    fn a_program_found_by_path_keeps_its_name() {
        assert_eq!(pasted("mtkflash", TEXT), TEXT);
        assert_eq!(
            pasted(
                "flash",
                "Next      sudo \"$(command -v mtkflash)\" 3 c\n          mtkflash l"
            ),
            "Next      sudo \"$(command -v flash)\" 3 c\n          flash l"
        );
    }

    #[test]
    fn root_is_not_told_to_become_root() {
        let root = Program {
            name: NAME.to_owned(),
            has_path: false,
            is_root: true,
        };
        assert_eq!(
            root.paste_into(
                "\
Next      sudo modprobe sg
          echo '- - -' | sudo tee '/sys/x'
          sudo \"$(command -v mtkflash)\" 3 c
Without sudo nothing works.
"
            ),
            "\
Next      modprobe sg
          echo '- - -' | tee '/sys/x'
          mtkflash 3 c
Without sudo nothing works.
"
        );
    }
}
