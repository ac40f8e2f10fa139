//! What the source says of itself: every snapshot has its test, and the modules
//! use no others than the first page of the documentation shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path, ending)),
            false if path.extension().is_some_and(|found| found == ending) => found.push(path),
            false => {}
        }
    }
    found
}

/// Where the test of a snapshot may be: the name has its module, as in
/// `mtkflash__cli__text__tests__NAME` or `cli__texts__NAME`.
fn sources(modules: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (first, inner) = modules.split_first().unwrap();
    let root = match *first {
        "mtkflash" => root.join("src"),
        tests => root.join("tests").join(tests),
    };
    let inner: Vec<&str> = inner
        .iter()
        .copied()
        .filter(|name| *name != "tests")
        .collect();
    let module = root.join(inner.join("/"));
    ["tests.rs", "mod.rs"]
        .map(|file| module.join(file))
        .into_iter()
        .chain([module.with_extension("rs")])
        .collect()
}

#[test]
fn every_snapshot_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut snapshots = files(&root.join("src"), "snap");
    snapshots.extend(files(&root.join("tests"), "snap"));
    assert!(snapshots.len() > 200, "{}", snapshots.len());
    let orphans: Vec<_> = snapshots
        .iter()
        .filter(|snapshot| {
            let stem = snapshot.file_stem().unwrap().to_str().unwrap();
            let parts: Vec<&str> = stem.split("__").collect();
            let (name, modules) = parts.split_last().unwrap();
            // The second one of a test has a number behind its name.
            let name = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
            let name = name.trim_end_matches('-');
            !sources(modules)
                .iter()
                .filter_map(|source| fs::read_to_string(source).ok())
                .any(|source| source.contains(name))
        })
        .collect();
    assert!(orphans.is_empty(), "{orphans:#?}");
}

/// The rows of the table in `src/lib.rs`: a module, and those that it uses.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let front = include_str!("../../src/lib.rs");
    let rows = front.lines().filter_map(|line| {
        let (modules, used) = line.strip_prefix("//! | [`")?.split_once(" | ")?;
        let names = |text: &str| -> BTreeSet<String> {
            text.split(|letter: char| !letter.is_ascii_lowercase())
                .filter(|name| !name.is_empty() && *name != "none")
                .map(str::to_owned)
                .collect()
        };
        Some((names(modules), names(used)))
    });
    rows.flat_map(|(modules, used)| modules.into_iter().map(move |name| (name, used.clone())))
        .collect()
}

/// The modules of this crate that a source names outside of its tests.
fn named(source: &Path) -> BTreeSet<String> {
    let source = fs::read_to_string(source).unwrap();
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code = source.lines().filter(|line| !line.trim().starts_with("//"));
    let parts = code.flat_map(|line| line.split("crate::").skip(1));
    parts
        .map(|part| {
            part.split(|letter: char| !letter.is_ascii_lowercase())
                .next()
                .unwrap()
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_modules_use_what_the_front_page_says_and_all_of_it() {
    let said = arrows();
    assert!(said.len() > 10, "{said:?}");
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (module, said) in said {
        let mut sources = files(&src, "rs");
        sources.retain(|path| {
            // Of tests alone.
            let is_of_tests = path.ends_with("tests.rs") || path.ends_with("fake.rs");
            let inside = path.strip_prefix(&src).unwrap().with_extension("");
            inside.starts_with(&module) && !is_of_tests
        });
        let mut used: BTreeSet<String> = sources.iter().flat_map(|path| named(path)).collect();
        used.remove(&module);
        assert_eq!(used, said, "of {module}");
    }
}

/// What stands below the command line and looks like a sentence: names, sources and
/// what goes into files. All that a user reads is worded in `cli`.
const NO_SENTENCES: [&str; 31] = [
    "# A change of a drive's flash that mtkflash has begun. While this file is here, what was # in the flash before is in the backup that it names. Do not edit it. {text}",
    "# What mtkflash read, and from which drive. Keep it beside the dump.",
    ", of an earlier command",
    "DVD-ROM SH-116AB",
    "DVD-ROM SH-118CB",
    "HEX, one file per bank",
    "Intel PIIX or ICH, parallel",
    "a command block of {} bytes is not one of 1 to {MAX_CDB}",
    "a transfer of {length} bytes is more than {MAX_TRANSFER}",
    "address out of range",
    "btcflash: DRW1004, DRW1008, DRW1108",
    "device of type {other:02X}h",
    "device of unknown type",
    "echo held && exec cat",
    "invalid field in command",
    "invalid field in parameters",
    "long write in progress",
    "medium may have changed",
    "no medium, tray closed",
    "no medium, tray open",
    "no such logical unit",
    "not self-configured yet",
    "operating conditions have changed",
    "parameter list length error",
    "power on or reset",
    "raw binary, one file per bank",
    "redumper's help names the model; how INQUIRY spells it is inferred",
    "the archive behind it",
    "vendor mode, {bus} flash (mode status {:02X})",
    "{controller} port {port} target {target}",
    "{} KiB, behind the drive's own commands",
];

/// The string literals of a source, its comments and tests aside.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    let mut letters = source.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('/', Some('/')) => {
                letters.by_ref().find(|letter| *letter == '\n');
            }
            // A character, not a lifetime: a quote may be one.
            ('\'', Some('"')) => {
                letters.next();
            }
            ('"', _) => {
                let mut text = String::new();
                while let Some(letter) = letters.next().filter(|letter| *letter != '"') {
                    match (letter, letters.peek()) {
                        ('\\', Some('n' | '\n')) => {
                            letters.next();
                            text.push(' ');
                        }
                        ('\\', _) => text.extend(letters.next()),
                        (letter, _) => text.push(letter),
                    }
                }
                found.push(text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            _ => {}
        }
    }
    found
}

/// Four words and more, as people write them.
fn is_sentence(text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_ascii_alphabetic());
    text.contains(' ') && words.filter(|word| word.len() > 1).count() >= 4
}

#[test]
fn no_sentence_is_made_below_the_command_line() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = files(&src, "rs");
    sources.retain(|path| {
        // The bench speaks to whoever writes one.
        let is_elsewhere = ["cli", "sim"]
            .iter()
            .any(|room| path.starts_with(src.join(room)));
        !is_elsewhere && !path.ends_with("tests.rs") && !path.ends_with("fake.rs")
    });
    assert!(sources.len() > 100, "{}", sources.len());
    let found: BTreeSet<String> = sources
        .iter()
        .flat_map(|path| literals(&fs::read_to_string(path).unwrap()))
        .filter(|text| is_sentence(text))
        .collect();
    let allowed = NO_SENTENCES.map(str::to_owned).into();
    assert_eq!(found, allowed);
}

#[test]
fn a_sentence_is_found_where_it_is() {
    let source = "// \"no word of it counts\"\nfn a() -> char { '\"' }\nlet b = \"the drive is \\\n        gone\";";
    assert_eq!(literals(source), ["the drive is gone"]);
    assert!(is_sentence("the drive is gone"));
    assert!(!is_sentence("DVD-ROM SH"));
}
