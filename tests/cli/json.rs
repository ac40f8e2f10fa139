//! `--json`: one object that says what the text says, for every command and
//! every way to end.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::Value;

use crate::folder::{Folder, Run, image_of, masked, new_image, old_image, patched_image};

/// A line, the bench that it is typed at, and the code it ends with.
const LINES: &[(&str, &str, i32)] = &[
    ("sst39sf020.toml", "/?", 0),
    ("sst39sf020.toml", "--version", 0),
    ("sst39sf020.toml", "l", 0),
    ("four-drives.toml", "l", 0),
    ("four-drives.toml", "c --yes", 0),
    ("sst39sf020.toml", "3 c", 0),
    ("dead.toml", "3 c --via port", 0),
    ("refused.toml", "3 c", 6),
    ("unknown-chip.toml", "3 c", 0),
    ("mt1959.toml", "3 c", 0),
    ("sst39sf020.toml", "4 c", 3),
    ("sst39sf020.toml", "i old.bin", 0),
    ("sst39sf020.toml", "i text.bin", 5),
    ("sst39sf020.toml", "i missing.bin", 5),
    ("sst39sf020.toml", "3 r /m /b dump.bin", 0),
    ("sst39sf020.toml", "3 r /m /b old.bin", 4),
    ("sst39sf020.toml", "3 r dump.hex --banks 0,3", 0),
    ("mt1939-gaps.toml", "3 r /m /b dump.bin", 0),
    ("sst39sf020.toml", "3 v /m old.bin", 0),
    ("sst39sf020.toml", "3 v /m new.bin", 8),
    ("sst39sf020.toml", "3 w /m old.bin --yes", 0),
    ("sst39sf020.toml", "3 w /m new.bin --yes", 0),
    ("sst39sf020.toml", "3 w /m new.bin", 4),
    ("sst39sf020.toml", "3 w /m patched.bin --dry-run", 0),
    ("sst39sf020.toml", "3 w /m patched.bin --yes --no-backup", 0),
    ("sst39sf020.toml", "3 w /m other.bin --yes", 4),
    ("sst39sf020.toml", "3 w /m other.bin --yes --force=model", 0),
    ("sst39sf020.toml", "3 w /m small.bin --yes", 5),
    ("sst39sf020.toml", "3 e --yes", 0),
    ("sst39sf020.toml", "3 e --yes --banks 2", 0),
    ("tsst.toml", "3 r /m /b dump.bin", 4),
    ("tsst.toml", "3 w /m new.bin --yes", 4),
    ("sst39sf020.toml", "3 w", 2),
    ("sst39sf020.toml", "3 r /m /b dump.bin --nonsense", 2),
    ("sst39sf020.toml", "l --sim nowhere.toml", 2),
];

fn folder(bench: &str) -> Folder {
    let folder = Folder::with_bench(bench);
    folder.write("new.bin", new_image());
    folder.write("patched.bin", patched_image());
    folder.write("old.bin", old_image());
    folder.write("other.bin", image_of("LITE-ON", "DVD-ROM SIM-999P", "SIM9"));
    folder.write("small.bin", &old_image()[..0x2_0000]);
    folder.write("text.bin", "no firmware\n".repeat(20_000));
    folder
}

/// A line, what people read of it, and the object.
struct Told {
    line: &'static str,
    code: i32,
    text: String,
    object: Value,
}

/// Every line of the table, run both ways.
fn told() -> &'static [Told] {
    static TOLD: OnceLock<Vec<Told>> = OnceLock::new();
    TOLD.get_or_init(|| {
        let told = |(bench, line, code): &(&str, &'static str, i32)| {
            let text = folder(bench).fails(line, *code);
            let run = folder(bench).fails(&format!("{line} --json"), *code);
            Told {
                line,
                code: *code,
                text: masked(&format!("{}\n{}", text.stdout, text.stderr)),
                object: object(&run),
            }
        };
        LINES.iter().map(told).collect()
    })
}

/// What `--json` gives for a line, as the one object that standard output is.
fn object(run: &Run) -> Value {
    let object: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| {
        panic!("standard output is no JSON object ({error}): {run}");
    });
    assert!(object.is_object(), "{run}");
    object
}

#[test]
fn a_line_that_is_not_understood_tells_its_command_where_it_names_one() {
    let folder = folder("sst39sf020.toml");
    for (line, command) in [
        ("9 c", Some("check")),
        ("3 w", Some("write")),
        ("3 verify --nonsense old.bin", Some("verify")),
        ("3 r w dump.bin", None),
        ("3 old.bin", None),
    ] {
        let object = object(&folder.fails(&format!("{line} --json"), 2));
        let told = object.get("command").and_then(Value::as_str);
        assert_eq!(told, command, "{line}: {object:#}");
    }
}

#[test]
fn every_command_ends_in_one_object_with_its_exit_code() {
    for Told {
        line, code, object, ..
    } in told()
    {
        assert_eq!(object["schema"], 1, "{line}");
        assert_eq!(object["exit_code"], *code, "{line}");
        let drives = object["drives"].as_array().unwrap();
        let codes = drives
            .iter()
            .map(|drive| drive["exit_code"].as_i64().unwrap());
        let has_failed = object.get("error").is_some();
        assert!(
            has_failed || codes.max().unwrap_or(0) == i64::from(*code),
            "{line}: {object:#}"
        );
    }
}

/// Keys whose values the text does not say, or not in these words.
const UNSAID: &[&str] = &[
    "log",
    "schema",
    "tool",
    "arguments",
    "command",
    "exit",
    "exit_code",
    "result",
    "phases",
    "record",
    "readable",
    "writable",
    "simulated",
    "medium",
    "encoding_by_date",
    "whole_chip",
    "read_back",
    "resumed",
    "status",
    "kind",
    "state",
    "finished",
    "again",
    "position_is_a_guess",
    "disagreements",
    "bytes",
    "bytes_to_erase",
    "bytes_to_program",
    "sectors_to_erase",
    "sectors_erased",
    "position",
];

#[test]
fn the_text_says_whatever_the_object_says() {
    for Told {
        line, text, object, ..
    } in told()
    {
        let mut text = text.clone();
        if let Some(file) = line.strip_prefix("3 v /m ") {
            // What an image holds is shown by `i`, and not once more here.
            text += &folder("sst39sf020.toml").done(&format!("i {file}")).stdout;
        }
        let mut missing = Vec::new();
        compare("", object, &text, &mut missing);
        assert!(
            missing.is_empty(),
            "{line}: {missing:#?}\nare not in\n{text}"
        );
    }
}

/// Looks for all that a value says in a text.
fn compare(key: &str, value: &Value, text: &str, missing: &mut Vec<String>) {
    let mut look = |said: String| {
        let said = masked(&said);
        if !said.lines().all(|line| text.contains(line.trim())) {
            missing.push(format!("{key}: {said}"));
        }
    };
    match (key, value) {
        (key, _) if UNSAID.contains(&key) => {}
        ("banks", Value::Array(banks)) if banks.iter().all(|bank| bank["sum"].is_string()) => {
            for bank in banks {
                let sum = bank["sum"].as_str().unwrap();
                look(format!("{:>2}: {sum}", bank["bank"].as_u64().unwrap()));
            }
        }
        ("findings", Value::Array(found)) => {
            // A place stands in the text by its bank here and by its bytes there.
            for finding in found.iter().take(8) {
                look(finding["text"].as_str().unwrap().to_owned());
            }
        }
        ("type", Value::Array(argv)) => {
            let argv: Vec<&str> = argv.iter().map(|word| word.as_str().unwrap()).collect();
            match argv.as_slice() {
                ["sh", "-c", line] => look((*line).to_owned()),
                ["sudo", _, words @ ..] => look(words.join(" ")),
                words => look(words.join(" ").replace(" --json", "")),
            }
        }
        (_, Value::Object(fields))
            if fields.contains_key("first") && fields.contains_key("last") =>
        {
            let [first, last] = ["first", "last"].map(|key| fields[key].as_u64().unwrap());
            look(format!("{first:#07x}-{last:#07x}"));
        }
        (_, Value::Object(fields)) => {
            for (key, value) in fields {
                compare(key, value, text, missing);
            }
        }
        (_, Value::Array(values)) => {
            for value in values {
                compare(key, value, text, missing);
            }
        }
        (_, Value::String(said)) => look(said.clone()),
        ("size", Value::Number(size)) if size.as_u64() != Some(0) => {
            let size = size.as_u64().unwrap();
            let in_kib = format!("{} KiB", size / 1024);
            if !text.contains(&format!("{size} bytes")) {
                look(in_kib);
            }
        }
        ("at" | "first", Value::Number(at)) => look(format!("{:#07x}", at.as_u64().unwrap())),
        ("expected" | "found", Value::Number(byte)) => {
            look(format!("{:02x}", byte.as_u64().unwrap()));
        }
        _ => {}
    }
}

/// What every `key` in an object says, as it stands in a text.
fn all<'a>(object: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match object {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|inner| all(inner, key, found));
        }
        Value::Array(values) => values.iter().for_each(|inner| all(inner, key, found)),
        _ => {}
    }
}

fn every<'a>(object: &'a Value, key: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    all(object, key, &mut found);
    found
}

fn is_hex(word: &str, digits: usize) -> bool {
    word.len() == digits && word.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[test]
fn the_object_says_whatever_the_text_says_of_sums_flash_and_advice() {
    let mut compared = [0; 4];
    for Told {
        line, text, object, ..
    } in told()
    {
        for after in text.split("CRC-32 ").skip(1) {
            let crc32 = after.get(..8).filter(|crc32| is_hex(crc32, 8));
            let crc32 = crc32.unwrap_or_else(|| panic!("{line}: {after}"));
            assert!(holds(object, "crc32", crc32), "{line}: {crc32}\n{object:#}");
            compared[0] += 1;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let bank = pair[0].strip_suffix(':').and_then(|bank| bank.parse().ok());
            if let (Some(bank), true) = (bank.map(|bank: u64| bank), is_hex(pair[1], 4)) {
                let banks = every(object, "banks")
                    .into_iter()
                    .filter_map(Value::as_array);
                let said = banks.flatten();
                let mut said = said.filter(|said| said["bank"] == bank && said["sum"] == pair[1]);
                assert!(said.next().is_some(), "{line}: {pair:?}\n{object:#}");
                compared[1] += 1;
            }
        }
        // What became of the flash stands behind what has failed.
        let failed = text.split("mtkflash: ").nth(1).unwrap_or_default();
        if let Some(flash) = failed.split("\nFlash     ").nth(1) {
            let flash = flash.lines().next().unwrap();
            let said = every(object, "flash").into_iter();
            let mut said = said.filter_map(|said| said["text"].as_str());
            assert!(
                said.any(|said| said.starts_with(flash)),
                "{line}: {flash}\n{object:#}"
            );
            compared[2] += 1;
        }
        let typed: Vec<String> = commands(text);
        let said = every(object, "next")
            .into_iter()
            .filter_map(Value::as_array);
        let said = said.flatten().filter_map(|line| line["type"].as_array());
        let said: Vec<String> = said.map(|argv| masked(&as_typed(argv))).collect();
        assert_eq!(typed, said, "{line}: {text}");
        compared[3] += typed.len();
    }
    assert!(compared.iter().all(|count| *count > 5), "{compared:?}");
}

/// The commands of all advice in a text.
fn commands(text: &str) -> Vec<String> {
    let blocks = crate::folder::agreement::advice(text).into_iter();
    let lines = blocks.flat_map(|(_, lines)| lines);
    lines
        .filter_map(|line| match line {
            crate::folder::agreement::Line::Types(command) => Some(command),
            crate::folder::agreement::Line::Says(_) => None,
        })
        .collect()
}

/// An argv as a text shows it.
fn as_typed(argv: &[Value]) -> String {
    let argv: Vec<&str> = argv.iter().map(|word| word.as_str().unwrap()).collect();
    match argv.as_slice() {
        ["sh", "-c", line] => (*line).to_owned(),
        words => words.join(" ").replace(" --json", ""),
    }
}

/// What the text says of an end, and where the object says it.
const STATES: &[(&str, &str, &str)] = &[
    ("every byte twice", "result", "read"),
    ("Equal: the flash holds this image.", "result", "equal"),
    ("Nothing to do: the flash", "result", "nothing-to-do"),
    ("Dry run: nothing was changed.", "result", "dry-run"),
    ("read back and compared: no difference", "state", "as-asked"),
    ("the flash differs from the file", "result", "different"),
    ("Nothing was changed.", "state", "unchanged"),
    ("none, as you asked: there is no way back", "status", "none"),
    ("read twice and on the disk", "status", "made"),
    ("would go to", "status", "planned"),
    ("Overridden by --force=model.", "overridden", "model"),
];

#[test]
fn the_object_says_how_it_ended_where_the_text_does() {
    let mut seen = BTreeSet::new();
    for Told {
        line, text, object, ..
    } in told()
    {
        for (words, key, value) in STATES {
            let is_in_text = text.to_lowercase().contains(&words.to_lowercase());
            if is_in_text {
                assert!(
                    holds(object, key, value),
                    "{line}: {key} {value}\n{object:#}"
                );
                seen.insert(words);
            }
        }
    }
    let unseen: Vec<_> = STATES
        .iter()
        .filter(|(words, ..)| !seen.contains(words))
        .collect();
    assert!(
        unseen.is_empty(),
        "no line of the table ends so: {unseen:?}"
    );
}

fn holds(object: &Value, key: &str, value: &str) -> bool {
    match object {
        Value::Object(fields) => {
            fields.get(key).is_some_and(|found| found == value)
                || fields.values().any(|inner| holds(inner, key, value))
        }
        Value::Array(values) => values.iter().any(|inner| holds(inner, key, value)),
        _ => false,
    }
}

/// What stands in quotes in a source and looks like a key or a fixed value.
fn words_of(source: &str) -> BTreeSet<&str> {
    let is_word = |text: &&str| {
        let mut letters = text.chars();
        let begins = letters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase());
        begins && letters.all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
    };
    source
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(is_word)
        .collect()
}

#[test]
fn every_key_and_every_fixed_value_that_can_come_is_documented_and_no_other() {
    let documentation = include_str!("../../doc/json.md");
    let documented: BTreeSet<&str> = documentation.split('`').skip(1).step_by(2).collect();
    let written = words_of(concat!(
        include_str!("../../src/cli/json.rs"),
        include_str!("../../src/cli/json/drive.rs"),
        include_str!("../../src/cli/json/event.rs"),
        include_str!("../../src/cli/json/failure.rs"),
        include_str!("../../src/cli/json/flash.rs"),
        include_str!("../../src/cli/json/image.rs")
    ));
    let exits = words_of(include_str!("../../src/cli/exit.rs"));
    let verbs = words_of(include_str!("../../src/cli/args/verb.rs"));
    assert!(written.len() > 150 && exits.len() > 10 && verbs.len() > 6);
    let undocumented: Vec<_> = written
        .union(&exits)
        .filter(|word| **word != "mtkflash" && !documented.contains(*word))
        .collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    // Its labels are the keys of `blu_ray`.
    let labels = include_str!("../../src/cli/words/blu_ray.rs").to_ascii_lowercase();
    let known = |word: &str| {
        [&written, &exits, &verbs]
            .iter()
            .any(|all| all.contains(word))
            || labels.contains(&format!("push((\"{}\"", word.replace('_', " ")))
    };
    let is_switch = |word: &str| word.starts_with("--") || word.contains(' ');
    let left: Vec<_> = documented
        .iter()
        .filter(|word| !known(word) && !is_switch(word) && **word != "true")
        .collect();
    assert!(left.is_empty(), "documented and nowhere written: {left:?}");
}

#[test]
fn a_dump_is_said_to_be_hex_whatever_its_name_says() {
    let folder = Folder::with_bench("sst39sf020.toml");
    let run = folder.done("3 r /m dump.bin");
    let said = "Format    bank-marked HEX; with /b it is raw binary\n";
    assert!(run.stdout.contains(said), "{run}");
    let run = folder.done("3 r /m other.bin --json");
    assert_eq!(
        object(&run)["drives"][0]["dump"]["format"],
        "bank-marked HEX"
    );
    assert!(folder.read("other.bin").starts_with(b":"));
}

#[test]
fn advice_is_a_list_of_words_that_can_be_run_as_it_is() {
    let folder = folder("sst39sf020.toml");
    let differs = object(&folder.fails("3 v /m patched.bin --json", 8));
    let lines = differs["drives"][0]["next"].as_array().unwrap();
    let typed: Vec<Vec<&str>> = lines
        .iter()
        .filter_map(|line| line["type"].as_array())
        .map(|words| words.iter().map(|word| word.as_str().unwrap()).collect())
        .collect();
    let write = typed.iter().find(|words| words.contains(&"w"));
    let Some(["mtkflash", words @ ..]) = write.map(Vec::as_slice) else {
        panic!("{differs:#}");
    };
    assert!(
        !words.contains(&"--yes"),
        "consent is not given away: {words:?}"
    );
    folder.done(&format!("{} --yes", words.join(" ")));
    assert!(folder.flash() == folder.read("patched.bin"));
}

#[test]
fn a_write_as_an_object() {
    let folder = folder("sst39sf020.toml");
    let run = folder.done("3 w /m patched.bin --yes --backup before.bin --json");
    insta::assert_snapshot!(format!("{:#}", object(&run)));
}

#[test]
fn a_write_that_was_cut_says_what_is_in_the_flash_and_where_its_content_was_kept() {
    let folder = folder("sst39sf020.toml");
    folder.done("3 w /m new.bin --dry-run");
    let operation = folder.counters().operations + 500;
    let bench = folder.text("bench.toml");
    let fault = format!("\n[[drive.fault]]\nkind = \"power-cut\"\noperation = {operation}\n");
    folder.write("bench.toml", format!("{bench}{fault}"));
    let run = folder.fails("3 w /m new.bin --yes --backup before.bin --json", 7);
    let object = object(&run);
    let flash = &object["drives"][0]["flash"];
    assert_eq!(flash["state"], "partly-written", "{object:#}");
    assert_eq!(flash["old_content"], "before.bin");
    assert!(flash["perhaps_half_written"].is_array());
}
