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
