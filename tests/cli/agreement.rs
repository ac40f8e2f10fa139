//! Text and JSON never disagree: every run of these tests that is told in words
//! leaves the object of the same outcome beside them, and both have to say the same.

use std::collections::BTreeSet;

use serde_json::Value;

/// What both ways of telling an outcome have to agree in.
#[derive(Debug, Default)]
struct Said {
    crc32: BTreeSet<String>,
    /// Sums of banks.
    sums: BTreeSet<(u64, String)>,
    /// And those that they had before a change.
    before: BTreeSet<(u64, String)>,
    keys: BTreeSet<String>,
    /// Drives that were open.
    drives: BTreeSet<String>,
    /// Where they are.
    places: BTreeSet<String>,
    /// Advice: words and commands.
    advice: BTreeSet<String>,
    /// What became of a flash after a failure.
    flash: BTreeSet<String>,
    kept: BTreeSet<String>,
    warnings: BTreeSet<String>,
    /// Marks of damage in an image.
    findings: BTreeSet<String>,
    /// Reads differed, or what was read is a mixture.
    is_warned_by_number: bool,
}

/// # Panics
/// Where a text and the object of the same run disagree.
pub fn agree(run: &str, code: Option<i32>, text: &str, object: &Value) {
    assert_eq!(
        object["exit_code"].as_i64(),
        code.map(i64::from),
        "{run}\n{object:#}"
    );
    let (in_text, in_object) = (of_text(text), of_object(object));
    let documentation = include_str!("../../doc/json.md");
    let is_named = |key: &&String| documentation.contains(&format!("`{key}`"));
    let unnamed: Vec<_> = in_object.keys.iter().filter(|key| !is_named(key)).collect();
    assert!(
        unnamed.is_empty(),
        "not in doc/json.md: {unnamed:?}\n{run}\n{object:#}"
    );
    let pairs = [
        ("advice", &in_text.advice, &in_object.advice),
        ("places", &in_text.places, &in_object.places),
        ("flash", &in_text.flash, &in_object.flash),
        ("kept", &in_text.kept, &in_object.kept),
    ];
    for (what, in_text, in_object) in pairs {
        assert_eq!(
            in_text, in_object,
            "{what}: text and object\n{run}\n{object:#}"
        );
    }
    // A drive that was read in another way before is in the text both ways.
    assert!(
        in_object.drives.is_subset(&in_text.drives),
        "drives: {:?} and {:?}\n{run}\n{object:#}",
        in_text.drives,
        in_object.drives
    );
    // Sums of an image that is compared, or one of several, are in the object only.
    let mut beside_image = object.clone();
    for key in ["image", "images"] {
        beside_image[key].take();
    }
    let told = of_object(&beside_image);
    assert!(
        in_text.crc32.is_subset(&in_object.crc32) && told.crc32.is_subset(&in_text.crc32),
        "CRC-32: {:?} and {:?}\n{run}\n{object:#}",
        in_text.crc32,
        in_object.crc32
    );
    assert!(
        in_text.sums.is_subset(&in_object.sums) && told.sums.is_subset(&in_text.sums),
        "sums: {:?} and {:?}\n{run}\n{object:#}",
        in_text.sums,
        in_object.sums
    );
    // After a failure, and of a flash that is not read back, the object has no banks.
    assert!(
        code != Some(0)
            || in_object.before.is_empty()
            || in_text.before.is_subset(&in_object.before),
        "sums before: {:?} and {:?}\n{run}\n{object:#}",
        in_text.before,
        in_object.before
    );
    let unsaid = in_object.warnings.difference(&in_text.warnings);
    assert_eq!(
        unsaid.count(),
        0,
        "warnings: {in_text:?}\n{run}\n{object:#}"
    );
    // Words for what the object says in numbers, or among the marks of damage.
    let by_number = in_text.warnings.difference(&in_object.warnings);
    let by_number: Vec<&String> = by_number
        .filter(|words| !in_object.findings.iter().any(|found| words.contains(found)))
        .collect();
    assert_eq!(
        by_number.is_empty(),
        !in_object.is_warned_by_number,
        "warnings: {by_number:?}\n{run}\n{object:#}"
    );
}

fn of_text(text: &str) -> Said {
    let mut said = Said::default();
    for after in text.split("CRC-32 ").skip(1) {
        said.crc32.extend(crc32_of(after));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    for pair in words.windows(2) {
        let bank = pair[0].strip_suffix(':').and_then(|bank| bank.parse().ok());
        if let (Some(bank), true) = (bank, is_hex(pair[1], 4)) {
            said.sums.insert((bank, pair[1].to_owned()));
        }
    }
    for (_, lines) in advice(text) {
        said.advice.extend(lines.iter().map(|line| match line {
            Line::Says(words) => plain(words),
            Line::Types(command) => plain(command.trim_start_matches("sudo ")),
        }));
    }
    let mut has_failed = false;
    let mut label = String::new();
    for line in text.lines() {
        let bank = line
            .strip_prefix("Bank ")
            .and_then(|bank| bank.split_once(':'));
        let before = line
            .strip_suffix(" before)")
            .and_then(|line| line.rsplit_once('('));
        if let (Some((bank, _)), Some((_, sum))) = (bank, before) {
            said.before
                .insert((bank.trim().parse().unwrap(), sum.to_owned()));
        }
        has_failed |= line.starts_with("mtkflash: ");
        let (lead, words) = line.split_at_checked(10).unwrap_or((line, ""));
        if !lead.trim().is_empty() {
            label = lead.trim_end().to_owned();
        }
        if words.is_empty() {
            label.clear();
        }
        match label.as_str() {
            "Flash" if has_failed => said.flash.insert(plain(words)),
            "Kept" if has_failed => said.kept.insert(plain(words)),
            "Warning" => said.warnings.insert(plain(words)),
            "at" => {
                let place = words.split(", by ").next().unwrap_or_default();
                said.places.insert(plain(place));
                said.drives.insert(plain(words))
            }
            _ => true,
        };
    }
    said
}

fn of_object(object: &Value) -> Said {
    let mut said = Said::default();
    collect(object, &mut said);
    said
}

fn collect(value: &Value, said: &mut Said) {
    if let Value::String(words) = value {
        // In a sentence.
        let behind = words.split("CRC-32 ").skip(1);
        said.crc32.extend(behind.filter_map(crc32_of));
    }
    if let Value::Array(values) = value {
        values.iter().for_each(|value| collect(value, said));
    }
    let Value::Object(fields) = value else { return };
    if let (Some(Value::String(at)), Some(Value::String(way))) =
        (fields.get("at"), fields.get("way"))
    {
        said.places.insert(plain(at));
        said.drives.insert(plain(&format!("{at}, by {way}")));
    }
    for (key, value) in fields {
        said.keys.insert(key.clone());
        match (key.as_str(), value) {
            ("crc32", Value::String(crc32)) => {
                said.crc32.insert(crc32.clone());
            }
            ("banks", Value::Array(banks)) => {
                let sums = banks
                    .iter()
                    .filter_map(|bank| Some((bank["bank"].as_u64()?, bank["sum"].as_str()?)));
                let sums = sums.map(|(bank, sum)| (bank, sum.to_owned()));
                said.sums.extend(sums);
                let before = banks
                    .iter()
                    .filter_map(|bank| Some((bank["bank"].as_u64()?, bank["before"].as_str()?)));
                let before = before.map(|(bank, sum)| (bank, sum.to_owned()));
                said.before.extend(before);
            }
            ("next", Value::Array(lines)) => said.advice.extend(lines.iter().map(line)),
            ("flash", flash) => {
                let text = flash["text"].as_str().unwrap_or_default();
                said.flash.extend(text.lines().map(plain));
            }
            ("backup_kept", Value::String(kept)) => {
                said.kept.insert(plain(kept));
            }
            ("findings", Value::Array(findings)) => {
                let words = findings.iter().filter_map(|found| found["text"].as_str());
                said.findings.extend(words.map(plain));
            }
            ("half_written", _) => said.is_warned_by_number = true,
            ("disagreements", count) => said.is_warned_by_number |= count != 0,
            ("warnings" | "unfinished", Value::Array(warnings)) => {
                let words = warnings.iter().filter_map(Value::as_str);
                said.warnings.extend(words.map(plain));
            }
            _ => {}
        }
        collect(value, said);
    }
}

fn line(line: &Value) -> String {
    if let Some(words) = line["say"].as_str() {
        return plain(words);
    }
    let argv = line["type"].as_array().unwrap().iter();
    let argv: Vec<&str> = argv.map(|word| word.as_str().unwrap()).collect();
    plain(&match argv.as_slice() {
        ["sh", "-c", line] => (*line).to_owned(),
        ["sudo", words @ ..] => words.join(" "),
        words => words.join(" "),
    })
}

/// Letters and digits: without what quotes a word for a shell, and without what makes
/// hidden characters visible in a text.
fn plain(words: &str) -> String {
    let mut plain = String::new();
    let mut letters = words.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.as_str().starts_with("u{") => {
                letters.by_ref().find(|letter| *letter == '}');
            }
            '\\' if letters.as_str().starts_with(['n', 'r', 't']) => {
                letters.next();
            }
            '\\' if letters
                .as_str()
                .starts_with(|next: char| next.is_ascii_digit()) =>
            {
                letters.nth(2);
            }
            letter => plain.extend(Some(letter).filter(|letter| letter.is_alphanumeric())),
        }
    }
    plain
}

/// What stands behind the words for it.
fn crc32_of(after: &str) -> Option<String> {
    let crc32 = after.get(..8).filter(|crc32| is_hex(crc32, 8));
    crc32.map(str::to_owned)
}

fn is_hex(word: &str, digits: usize) -> bool {
    word.len() == digits && word.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A line of advice: of the block that begins with `Next`.
#[derive(Debug, PartialEq)]
pub enum Line {
    Says(String),
    /// The words of a command.
    Types(String),
}

const INDENT: &str = "          ";

/// Every block of advice in a snapshot, with the last line that was typed before it.
pub fn advice(text: &str) -> Vec<(Option<String>, Vec<Line>)> {
    let mut blocks: Vec<(Option<String>, Vec<Line>)> = Vec::new();
    let (mut typed, mut is_open) = (None, false);
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("$ mtkflash ") {
            typed = Some(line.to_owned());
        }
        let content = match (line.strip_prefix("Next      "), line.strip_prefix(INDENT)) {
            (Some(first), _) => {
                blocks.push((typed.clone(), Vec::new()));
                is_open = true;
                first
            }
            (None, Some(next)) if is_open => next,
            _ => {
                is_open = false;
                continue;
            }
        };
        let lines = &mut blocks.last_mut().unwrap().1;
        lines.push(match is_command(content) {
            true => Line::Types(content.trim().to_owned()),
            false => Line::Says(content.trim().to_owned()),
        });
    }
    blocks
}

fn is_command(line: &str) -> bool {
    const PROGRAMS: [&str; 12] = [
        "mtkflash",
        "sudo",
        "echo",
        "eject",
        "docker",
        "head",
        "mkdir",
        "systemctl",
        "unar",
        "objcopy",
        "zip",
        "iconv",
    ];
    let first = line.split_whitespace().next().unwrap_or_default();
    PROGRAMS.contains(&first)
}
