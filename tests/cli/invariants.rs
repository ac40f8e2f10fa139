//! What is true of every message that a snapshot shows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::folder::agreement::{Line, advice};

fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(snapshots(&path)),
            false if path.extension().is_some_and(|ending| ending == "snap") => found.push(path),
            false => {}
        }
    }
    found
}

fn of_all() -> Vec<(PathBuf, Option<String>, Vec<Line>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for folder in ["src", "tests"] {
        for path in snapshots(&root.join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            let blocks = advice(&text).into_iter();
            all.extend(blocks.map(|(typed, lines)| (path.clone(), typed, lines)));
        }
    }
    assert!(all.len() > 200, "{} blocks of advice", all.len());
    all
}

#[test]
fn words_that_end_in_a_colon_are_followed_by_a_command() {
    for (path, _, lines) in of_all() {
        for (number, line) in lines.iter().enumerate() {
            let Line::Says(words) = line else { continue };
            if words.ends_with(':') {
                let next = lines.get(number + 1);
                assert!(
                    matches!(next, Some(Line::Types(_))),
                    "{}: {words} {next:?}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn what_was_typed_is_advised_again_only_after_a_deed() {
    for (path, typed, lines) in of_all() {
        let Some(typed) = typed else { continue };
        let typed: Vec<&str> = without_bench(&typed);
        for (number, line) in lines.iter().enumerate() {
            let Line::Types(command) = line else { continue };
            let command = command.strip_prefix("mtkflash ").unwrap_or(command);
            if without_bench(command) == typed {
                assert!(number > 0, "{}: {command}", path.display());
            }
        }
    }
}

/// The words, but for consent and for the bench that a test adds.
fn without_bench(line: &str) -> Vec<&str> {
    let bench = ["--sim", "bench.toml", "--yes"];
    let words = line.split_whitespace();
    words.filter(|word| !bench.contains(word)).collect()
}

#[test]
fn no_command_that_is_advised_holds_consent() {
    for (path, _, lines) in of_all() {
        for line in lines {
            let Line::Types(command) = line else { continue };
            let Some((_, words)) = command.split_once("mtkflash ") else {
                continue;
            };
            for word in words.split_whitespace() {
                assert!(!is_consent(word), "{}: {word} in {command}", path.display());
            }
        }
    }
}

/// `--yes`, `--force=…`, and a `y` among the letters behind `-` or `/`.
fn is_consent(word: &str) -> bool {
    let letters = word.strip_prefix('-').or_else(|| word.strip_prefix('/'));
    let is_glued = letters.is_some_and(|letters| {
        let is_switches = |letter: char| "mbyMBY".contains(letter);
        !letters.is_empty()
            && letters.chars().all(is_switches)
            && letters.to_ascii_lowercase().contains('y')
    });
    is_glued || word == "--yes" || word.starts_with("--force")
}

#[test]
fn consent_is_seen_in_every_spelling() {
    for consent in [
        "--yes",
        "-y",
        "/Y",
        "-by",
        "/mby",
        "-YB",
        "--force=model",
        "--force",
    ] {
        assert!(is_consent(consent), "{consent}");
    }
    for other in [
        "-b", "/m", "-mb", "--backup", "y.bin", "/my/file", "-", "--keep",
    ] {
        assert!(!is_consent(other), "{other}");
    }
}
