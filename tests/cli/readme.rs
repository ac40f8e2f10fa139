//! What the README promises.

use std::ffi::OsString;
use std::fs;

use mtkflash::cli::args::{self, Command};
use mtkflash::cli::exit::Exit;
use mtkflash::job::Check;
use mtkflash::protocol::Protocol;

use crate::folder::{Folder, new_image};

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// Everything in back quotes or in a code block that begins with this.
fn lines_that_begin_with(start: &str) -> Vec<String> {
    let readme = readme();
    let quoted = readme.split('`').skip(1).step_by(2);
    let blocks = readme.lines().map(str::trim);
    quoted
        .chain(blocks)
        .filter(|text| text.starts_with(start) && !text.contains('\n'))
        .map(str::to_owned)
        .collect()
}

/// The commands of the readme, those for root as well.
fn commands() -> Vec<String> {
    let as_root = "sudo \"$(command -v mtkflash)\" ";
    let of_root = lines_that_begin_with(as_root);
    assert!(!of_root.is_empty());
    let mut lines = lines_that_begin_with("mtkflash ");
    lines.extend(
        of_root
            .iter()
            .map(|line| line.replace(as_root, "mtkflash ")),
    );
    lines.sort();
    lines.dedup();
    assert!(lines.len() > 10, "{lines:?}");
    lines
}

#[test]
fn every_command_in_the_readme_does_what_it_is_there_for() {
    for line in commands() {
        let line = line.trim_start_matches("mtkflash ");
        let folder = Folder::with_bench("sst39sf020.toml");
        let before = folder.flash();
        folder.write("old.bin", &before);
        folder.write("new.bin", new_image());
        if line.contains("bys1.hex") {
            folder.done("3 r /m bys1.hex");
        }
        // Only what makes a file finds none of its name.
        if !line.ends_with("--out bys1.bin") {
            folder.write("bys1.bin", new_image());
        }
        if line.split(' ').nth(1) != Some("r") {
            folder.write("backup.bin", &before);
        }
        let words = std::iter::once("mtkflash").chain(line.split_whitespace());
        let request = args::parse(words.map(OsString::from)).expect(line);
        let is_change = request.changes() && !request.options.dry_run;
        let run = match (&request.command, is_change) {
            // This one needs somebody to answer it, and says so.
            (Command::Revive, _) => folder.fails(line, 2),
            (_, true) if !request.options.yes => folder.done(&format!("{line} --yes")),
            _ => folder.done(line),
        };
        match &request.command {
            Command::Read { .. } => assert!(folder.files().len() > 1, "{run}"),
            Command::Write { .. } if is_change => assert!(folder.flash() == new_image()),
            Command::Erase => assert!(folder.flash().iter().all(|byte| *byte == 0xFF)),
            _ => {}
        }
        assert_eq!(folder.flash() != before, is_change, "{run}");
    }
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_tool() {
    let readme = readme();
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.text());
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn every_protocol_is_in_the_readme_by_its_name() {
    let readme = readme();
    for protocol in Protocol::ALL {
        assert!(readme.contains(&format!("`{}`", protocol.name())));
    }
}

#[test]
fn every_check_that_the_readme_names_exists() {
    for line in lines_that_begin_with("--force=") {
        let name = line.trim_start_matches("--force=");
        assert!(
            Check::ALL.iter().any(|check| check.name() == name),
            "{line}"
        );
    }
}

#[test]
fn the_first_command_of_the_readme_reads_a_simulated_drive() {
    let line = lines_that_begin_with("cargo run --release -- ")
        .into_iter()
        .next()
        .unwrap();
    let line = line
        .trim_start_matches("cargo run --release -- ")
        .replace("fixtures/benches/dw-d22a.toml", "bench.toml");
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.done(&line);
    assert!(folder.read("backup.bin") == folder.flash());
}

#[test]
fn every_file_that_the_readme_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in lines_that_begin_with("fixtures/")
        .into_iter()
        .chain(lines_that_begin_with("src/"))
        .chain(lines_that_begin_with("udev/"))
        .chain(lines_that_begin_with("dist/"))
    {
        assert!(root.join(&file).exists(), "{file}");
    }
}

#[test]
fn the_udev_rule_is_installed_as_it_says_itself() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let rule = fs::read_to_string(root.join("udev/70-mtkflash.rules")).unwrap();
    let readme = readme();
    for line in lines_that_begin_with("sudo udevadm ") {
        assert!(rule.contains(&line), "{line}");
    }
    assert!(readme.contains("sudo cp udev/70-mtkflash.rules /etc/udev/rules.d/\n"));
}
