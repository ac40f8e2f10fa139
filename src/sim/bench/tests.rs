//! Benches as files: what they hold, and each mistake in them by its line.

use crate::cli::words::InWords;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;

const DRIVE: &str = "[[drive]]\nposition = 3\nvendor = \"V\"\nproduct = \"P\"\n\
                     revision = \"R\"\nchip = \"SST39SF020\"\n";

fn message(text: &str) -> String {
    match Bench::from_text(text) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.in_words(),
    }
}

#[test]
fn every_bench_of_the_fixtures_can_be_built() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/benches");
    let mut built = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let bench = Bench::from_text(&fs::read_to_string(&path).unwrap());
            let bench = bench.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!bench.drives().is_empty(), "{}", path.display());
            built += 1;
        }
    }
    assert!(built >= 10, "{built}");
}

#[test]
fn drives_are_found_by_position_and_by_path_and_nowhere_else() {
    let usb = DRIVE.replace("position = 3", "path = \"/dev/sg4\"");
    let bench = Bench::from_text(&format!("{DRIVE}{usb}")).unwrap();
    assert_eq!(bench.drive(3).unwrap().name(), "position-3");
    assert!(bench.drive(1).is_none());
    let drive = bench.drive_at(Path::new("/dev/sg4")).unwrap();
    assert_eq!(
        (drive.position(), drive.name()),
        (None, "dev-sg4".to_owned())
    );
    assert!(drive.registers().is_none());
    assert!(bench.drive_at(Path::new("/dev/sg5")).is_none());
}

#[test]
fn each_mistake_is_named_with_its_file_and_line() {
    for (text, expected) in [
        (
            format!("{DRIVE}colour = \"beige\"\n"),
            "bench:7: unknown field `colour`",
        ),
        ("[[drive]\n".to_owned(), "bench:1: "),
        (
            DRIVE.replace("position = 3", "position = 5"),
            "bench:2: position 5",
        ),
        (
            DRIVE.replace("position = 3\n", ""),
            "bench:1: a drive needs a position",
        ),
        (
            DRIVE.replace("vendor = \"V\"\n", ""),
            "bench:1: missing field `vendor`",
        ),
        (
            DRIVE.replace("SST39SF020", "SST39"),
            "bench:6: no chip is called \"SST39\"",
        ),
        (
            format!("{DRIVE}mode_status = 0x71\n"),
            "bench:7: mode status 0x71",
        ),
        (
            format!("{DRIVE}mode_status = 0x73\n"),
            "bench:6: a parallel chip does not go with mode status 0x73",
        ),
        (format!("{DRIVE}{DRIVE}"), "bench:7: position-3 is taken"),
        (
            format!("{DRIVE}[[drive.fault]]\nkind = \"rust\"\n"),
            "unknown variant `rust`",
        ),
        (
            DRIVE.replace(
                "chip = \"SST39SF020\"",
                "unknown_chip = { manufacturer = 1, device = 2, size = 0 }",
            ),
            "bench:6: a flash of 0 bytes",
        ),
    ] {
        let message = message(&text);
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        assert!(message.starts_with("bench:"), "{message:?}");
    }
}

#[test]
fn a_missing_bench_and_an_unusable_state_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let error = Bench::open(&file).err().unwrap();
    assert!(matches!(error, BenchError::Unreadable { .. }), "{error}");
    fs::write(&file, DRIVE).unwrap();
    fs::write(folder.path().join("x.state"), "in the way").unwrap();
    let error = Bench::open(&file).err().unwrap();
    assert!(
        matches!(error, BenchError::State { line: 1, .. }),
        "{error}"
    );
    assert!(error.in_words().contains("x.toml:1: "), "{error}");
}

#[test]
fn the_state_is_where_the_bench_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    fs::write(&file, format!("state = \"elsewhere\"\n{DRIVE}")).unwrap();
    Bench::open(&file).unwrap();
    let flash = folder.path().join("elsewhere/position-3.flash");
    assert_eq!(fs::metadata(flash).unwrap().len(), 0x4_0000);
}

#[test]
fn what_is_no_file_of_text_is_no_bench_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::File::create(path("film"))
        .and_then(|file| file.set_len(3 << 30))
        .unwrap();
    fs::write(path("binary"), [0xFF; 9]).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("zero")).unwrap();
    for name in ["pipe", "film", "binary", "zero", "", "nowhere"] {
        assert!(
            matches!(Bench::open(&path(name)), Err(BenchError::Unreadable { .. })),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*", cut in 0..200_usize, junk in "[\\[\\]=\"a-z0-9\n .-]{0,20}") {
        let _ = Bench::from_text(&text);
        let at = cut.min(DRIVE.len());
        let mangled = format!("{}{junk}{}", &DRIVE[..at], &DRIVE[at..]);
        let _ = Bench::from_text(&mangled);
    }
}
