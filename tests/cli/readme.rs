//! What the README promises.

use std::ffi::OsString;
use std::fs;

use mtkflash::cli::args;
use mtkflash::cli::exit::Exit;
use mtkflash::job::Check;
use mtkflash::protocol::Protocol;

use crate::folder::Folder;

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

#[test]
fn every_command_in_the_readme_is_understood() {
    let mut lines = lines_that_begin_with("mtkflash ");
    let as_root = "sudo \"$(command -v mtkflash)\" ";
    let of_root = lines_that_begin_with(as_root);
    assert!(!of_root.is_empty());
    lines.extend(
        of_root
            .iter()
            .map(|line| line.replace(as_root, "mtkflash ")),
    );
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        let words = line.split_whitespace().map(OsString::from);
        assert!(args::parse(words).is_ok(), "{line}");
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
