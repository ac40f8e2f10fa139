//! What the program writes of its tables for other programs, as those take it, and
//! what its terminal shows beside words.

use std::process::{Command, Stdio};

use crate::folder::{Folder, new_image, old_image};
use crate::revive::Terminal;

/// What bash offers where the cursor is behind these words.
fn offered(folder: &Folder, line: &str) -> Vec<String> {
    folder.write("completion", folder.done("--generate bash").stdout);
    let script = format!(
        "source ./completion; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         _mtkflash; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let mut bash = Command::new("bash");
    bash.current_dir(folder.path("")).args(["-uc", &script]);
    let output = bash.stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn bash_offers_commands_then_the_switches_and_values_that_go_with_them() {
    let folder = Folder::new();
    folder.write("my firmware.bin", new_image());
    assert_eq!(offered(&folder, "mtkflash wr"), ["write"]);
    assert_eq!(offered(&folder, "mtkflash 3 re"), ["read", "revive"]);
    assert_eq!(offered(&folder, "mtkflash 3 w --dr"), ["--dry-run"]);
    assert_eq!(offered(&folder, "mtkflash 3 e --siz"), [""]);
    assert_eq!(offered(&folder, "mtkflash 3 read --siz"), ["--size"]);
    assert_eq!(
        offered(&folder, "mtkflash 3 c --via ''"),
        ["sg", "ata", "port"]
    );
    assert_eq!(offered(&folder, "mtkflash 3 w --force = mod"), ["model"]);
    assert_eq!(offered(&folder, "mtkflash help co"), ["codes"]);
    assert_eq!(offered(&folder, "mtkflash 3 w my"), ["my firmware.bin"]);
    assert_eq!(
        offered(&folder, "mtkflash 3 w f --backup m"),
        ["my firmware.bin"]
    );
    assert_eq!(offered(&folder, "mtkflash --generate z"), ["zsh"]);
}

#[test]
fn what_is_generated_comes_on_standard_output_alone() {
    let folder = Folder::new();
    for (name, start) in [
        ("man", ".TH MTKFLASH 1"),
        ("bash", "# Completions of mtkflash for bash"),
        ("zsh", "#compdef mtkflash MTKFLASH"),
        ("fish", "# Completions of mtkflash for fish"),
    ] {
        let run = folder.done(&format!("--generate {name}"));
        assert!(run.stdout.starts_with(start), "{run}");
        assert_eq!(run.stderr, "");
        assert_eq!(
            folder.done(&format!("--GENERATE={name}")).stdout,
            run.stdout
        );
    }
    assert!(folder.fails("--generate csh", 2).stderr.contains("csh"));
}

/// What is on a terminal that knows colours after this line, with these switches
/// and variables beside it.
fn on_screen(folder: &Folder, line: &str, variables: &[(&str, &str)]) -> String {
    let mut command = folder.command(line);
    command.env_remove("NO_COLOR").env("TERM", "xterm");
    command.envs(variables.iter().copied());
    Terminal::of(command).ends().1
}

#[test]
fn success_is_green_and_failure_red_on_a_terminal_that_wants_it() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("old.bin", old_image());
    folder.write("new.bin", new_image());
    let equal = on_screen(&folder, "3 v /m old.bin", &[]);
    assert!(equal.contains("\x1b[32mEqual: the flash"), "{equal}");
    let differs = on_screen(&folder, "3 v /m new.bin", &[]);
    assert!(
        differs.contains("\x1b[31mmtkflash: The flash differs"),
        "{differs}"
    );
    for (more, variables) in [
        (" --plain", &[][..]),
        ("", &[("NO_COLOR", "1")]),
        ("", &[("TERM", "dumb")]),
    ] {
        let screen = on_screen(&folder, &format!("3 v /m old.bin{more}"), variables);
        assert!(screen.contains("Equal: the flash"), "{screen}");
        assert!(
            !screen.contains("\x1b[32m"),
            "{more} {variables:?}: {screen}"
        );
    }
    let piped = folder
        .command("3 v /m old.bin")
        .env_remove("NO_COLOR")
        .output();
    assert!(!piped.unwrap().stdout.contains(&0x1b));
}
