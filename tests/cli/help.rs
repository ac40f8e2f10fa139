//! What the program writes of its tables for other programs, as those take it, and
//! what its terminal shows beside words.

use std::process::{Command, Stdio};

use crate::folder::{Folder, left_out, new_image, old_image};
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

/// What zsh makes of each line where its completion is asked for behind it, shown by
/// a key of the test's own; `None` without zsh.
fn completed_by_zsh(folder: &Folder, lines: &[&str]) -> Option<Vec<String>> {
    folder.write("_mtkflash", folder.done("--generate zsh").stdout);
    if let Err(error) = Command::new("zsh").arg("--version").output() {
        left_out("zsh", &error.to_string());
        return None;
    }
    folder.write(
        "setup",
        "fpath=($PWD $fpath)
         autoload -Uz compinit && compinit -D -u
         show() { zle complete-word; print -r -- \"<$BUFFER>\"; BUFFER= }
         zle -N show && bindkey '^T' show
         print it is set up",
    );
    let mut zsh = Command::new("zsh");
    zsh.current_dir(folder.path("")).args(["-f", "-i"]);
    let mut terminal = Terminal::of({
        zsh.env("TERM", "xterm").env("PS1", "$ ");
        zsh
    });
    terminal.types("source ./setup");
    terminal.reads("it is set up");
    let completed = lines.iter().map(|line| {
        terminal.presses(&format!("{line}\u{14}"));
        terminal.reads("<");
        let line = terminal.reads(">");
        line.trim_end_matches('>').trim_end().to_owned()
    });
    let completed = completed.collect();
    terminal.types("exit");
    assert_eq!(terminal.ends().0, Some(0));
    Some(completed)
}

#[test]
fn zsh_completes_commands_switches_values_and_files() {
    let folder = Folder::new();
    folder.write("my firmware.bin", new_image());
    let table = [
        ("mtkflash wr", "mtkflash write"),
        ("MTKFLASH 3 wr", "MTKFLASH 3 write"),
        ("mtkflash 3 w --dr", "mtkflash 3 w --dry-run"),
        ("mtkflash 3 w --force=mod", "mtkflash 3 w --force=model"),
        ("mtkflash 3 c --via p", "mtkflash 3 c --via port"),
        ("mtkflash help co", "mtkflash help codes"),
        ("mtkflash 3 w my", "mtkflash 3 w my\\ firmware.bin"),
        (
            "mtkflash 3 w f --backup=m",
            "mtkflash 3 w f --backup=my\\ firmware.bin",
        ),
        ("mtkflash --generate z", "mtkflash --generate zsh"),
        ("mtkflash 3 w --nothing-such", "mtkflash 3 w --nothing-such"),
    ];
    let lines = table.map(|(line, _)| line);
    if let Some(completed) = completed_by_zsh(&folder, &lines) {
        assert_eq!(completed, table.map(|(_, expected)| expected));
    }
}

/// What fish offers where the cursor is behind this line; `None` without fish.
fn offered_by_fish(folder: &Folder, line: &str) -> Option<Vec<String>> {
    folder.write("completion.fish", folder.done("--generate fish").stdout);
    let script = format!("source completion.fish; complete -C '{line}'");
    let mut fish = Command::new("fish");
    fish.current_dir(folder.path(""))
        .env("HOME", folder.path(""));
    let output = match fish.args(["--no-config", "-c", &script]).output() {
        Ok(output) => output,
        Err(error) => {
            left_out("fish", &error.to_string());
            return None;
        }
    };
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    let text = String::from_utf8(output.stdout).unwrap();
    // Behind each word stands what it is for.
    let words = text.lines().filter_map(|line| line.split('\t').next());
    Some(words.map(str::to_owned).collect())
}

#[test]
fn fish_offers_commands_switches_values_and_files() {
    let folder = Folder::new();
    folder.write("my firmware.bin", new_image());
    for (line, expected) in [
        ("mtkflash wr", "write"),
        ("MTKFLASH wr", "write"),
        ("mtkflash 3 w --dr", "--dry-run"),
        ("mtkflash 3 w --force=mod", "--force=model"),
        ("mtkflash 3 c --via p", "port"),
        ("mtkflash help co", "codes"),
        ("mtkflash 3 w my", "my firmware.bin"),
        ("mtkflash 3 w f --backup m", "my firmware.bin"),
        ("mtkflash --generate z", "zsh"),
    ] {
        if let Some(offered) = offered_by_fish(&folder, line) {
            assert_eq!(offered, [expected], "{line}");
        }
    }
}

#[test]
fn typesetters_find_nothing_wrong_with_the_man_page() {
    let folder = Folder::new();
    folder.write("mtkflash.1", folder.done("--generate man").stdout);
    for line in [
        "mandoc -Tlint mtkflash.1",
        "man --warnings --local-file --encoding=UTF-8 ./mtkflash.1",
    ] {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let mut program = Command::new(name);
        program.current_dir(folder.path("")).args(words);
        match program.stdin(Stdio::null()).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{line}: {said}");
                let lint = String::from_utf8_lossy(&output.stdout);
                assert!(name == "man" || lint.is_empty(), "{line}: {lint}");
            }
            Err(error) => left_out(name, &error.to_string()),
        }
    }
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
