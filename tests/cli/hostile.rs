//! Names and records that want to be more than text: what a terminal obeys,
//! what begins a line of its own, what turns the reading round.

use std::fs;

use crate::folder::{Folder, Run, old_image, patched_image};

/// Clears the screen, begins a line that looks like one of the tool's, turns
/// the direction of reading and hides in no width at all.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\nFlash     all is well\r\u{202e}nib\u{200b}\u{7}";

/// The same as TOML spells it in a string.
const HOSTILE_TOML: &str = r"\u001b[2J\u009b31m\nFlash     all is well\r\u202enib\u200b\u0007";

fn run(folder: &Folder, words: &[&str]) -> Run {
    let mut command = folder.command("");
    command.args(words);
    Run::of(&words.join(" "), command.output().unwrap())
}

/// Nothing of the run is obeyed or hidden by a terminal, and no line is forged.
fn is_harmless(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        for letter in text.chars().filter(|letter| *letter != '\n') {
            let is_hidden = letter.is_control() || "\u{202e}\u{200b}".contains(letter);
            assert!(!is_hidden, "{letter:?} in {run}");
        }
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("Flash     all is well")),
            "{run}"
        );
    }
}

/// A folder with a hostile name of each kind in it, and a bench to match.
fn hostile() -> (Folder, String) {
    let folder = Folder::new();
    let bench = format!("b{HOSTILE}.toml");
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/benches/sst39sf020.toml"
    );
    let text = fs::read_to_string(fixture).unwrap();
    let more = format!(
        "\n[[drive]]\npath = \"/dev/sr9{HOSTILE_TOML}\"\nvendor = \"A{HOSTILE_TOML}\"\n\
         product = \"B{HOSTILE_TOML}\"\nrevision = \"C\"\nserial = \"D{HOSTILE_TOML}\"\n\
         chip = \"SST39SF020\"\n"
    );
    folder.write(&bench, text + &more);
    folder.write(&format!("new{HOSTILE}.bin"), patched_image());
    folder.write(&format!("other{HOSTILE}.bin"), [0x42; 1 << 18]);
    folder.write(&format!("text{HOSTILE}.bin"), HOSTILE);
    (folder, bench)
}

#[test]
fn nothing_from_outside_reaches_the_terminal_as_more_than_text() {
    let (folder, bench) = hostile();
    let sim = |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--sim", &bench]).collect();
        let run = run(&folder, &words);
        is_harmless(&run);
        run
    };
    let name = |stem: &str| format!("{stem}{HOSTILE}.bin");
    let (new, other, text, old) = (name("new"), name("other"), name("text"), name("old"));
    let drive = format!("/dev/sr9{HOSTILE}");
    assert_eq!(sim(&["l"]).code, Some(0));
    assert_eq!(sim(&["3", "c"]).code, Some(0));
    assert_eq!(sim(&[&drive, "c"]).code, Some(0));
    assert_eq!(sim(&["c", "--yes"]).code, Some(0));
    assert_eq!(sim(&["3", "r", "/m", "/b", &old]).code, Some(0));
    assert_eq!(sim(&["3", "r", "/m", "/b", &old]).code, Some(4));
    assert_eq!(sim(&["3", "v", "/m", &old]).code, Some(0));
    assert_eq!(sim(&["3", "v", "/m", &new]).code, Some(8));
    assert_eq!(sim(&["3", "w", "/m", &new]).code, Some(4));
    assert_eq!(sim(&["3", "w", "/m", &new, "--dry-run"]).code, Some(0));
    assert_eq!(sim(&["3", "w", "/m", &other, "--yes"]).code, Some(5));
    assert_eq!(sim(&["3", "w", "/m", &text, "--yes"]).code, Some(5));
    assert_eq!(sim(&["3", "w", "/m", &name("none"), "--yes"]).code, Some(5));
    let backup = name("before");
    assert_eq!(
        sim(&["3", "w", "/m", &new, "--backup", &backup, "--yes"]).code,
        Some(0)
    );
    assert_eq!(
        sim(&["3", "e", "--backup", &name("new-before"), "--yes"]).code,
        Some(0)
    );
    assert_eq!(sim(&["i", &new]).code, Some(0));
    assert_eq!(sim(&["i", &text]).code, Some(0));
    for words in [
        &["3", "w", "w", &new][..],
        &["3", "w", &new, &other],
        &["3", "x", &new],
        &["3", "c", &new],
        &[&drive, "3", "c"],
        &["3", "w", &new, &format!("--keep={HOSTILE}")],
        &["3", "w", &new, &format!("--{HOSTILE}")],
        &["3", "w", &new, &format!("-{HOSTILE}")],
        &["3", "w", &new, &format!("--force={HOSTILE}")],
        &["3", "w", &new, &format!("--yes={HOSTILE}")],
    ] {
        assert_eq!(sim(words).code, Some(2), "{words:?}");
    }
    assert_eq!(sim(&["3", "c", "--protocol", HOSTILE]).code, Some(2));
    assert_eq!(sim(&[&format!("/dev/{HOSTILE}"), "c"]).code, Some(3));
}

#[test]
fn a_broken_bench_of_a_hostile_name_is_told_as_text() {
    let (folder, bench) = hostile();
    folder.write(
        &bench,
        format!("[[drive]]\nposition = \"{HOSTILE_TOML}\"\n"),
    );
    let run = run(&folder, &["l", "--sim", &bench]);
    assert_eq!(run.code, Some(2), "{run}");
    is_harmless(&run);
}

/// What a record says is shown before the question, where a forged line would
/// do the most harm.
#[test]
fn a_record_says_nothing_in_the_place_of_the_tool() {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.done("3 r /m /b evil.bin");
    let record = folder.text("evil.bin.txt");
    let forged: String = record
        .lines()
        .map(|line| match line.split_once(" = \"") {
            Some((key @ ("vendor" | "product" | "revision" | "serial" | "tool"), _)) => {
                format!("{key} = \"X{HOSTILE_TOML}\"\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(forged.matches(HOSTILE_TOML).count() >= 4, "{forged}");
    folder.write("evil.bin.txt", forged);
    let mut image = old_image();
    image[0x1_2345] ^= 1;
    folder.write("evil.bin", image);
    for line in [
        "3 w evil.bin /m --dry-run",
        "3 w evil.bin /m --yes",
        "i evil.bin",
        "3 c",
    ] {
        is_harmless(&folder.run(line));
    }
}
