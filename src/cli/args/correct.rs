//! What a line that is not understood may have been meant as: the words as they
//! were typed, with the one mistake mended. Nothing is left out of it and nothing
//! is guessed that could name another drive.

use std::ffi::{OsStr, OsString};

use super::operands::drives_of_piece;
use super::switches::{self, SWITCHES};
use super::{Artifact, DriveName, Request, Topic, UsageError, Verb, parse_words, words};

/// The lines that may have been meant, nearest first; none where there is no
/// telling.
pub fn nearest(typed: &[OsString], error: &UsageError) -> Vec<Request> {
    let spelled = respelled_line(typed);
    match parse_words(&spelled) {
        Ok(whole) if spelled != typed => return vec![whole],
        _ => {}
    }
    if let UsageError::UnknownTopic { word } = error {
        return topics_like(word);
    }
    let verbs = other_verbs(&spelled);
    if !verbs.is_empty() {
        return verbs;
    }
    match error {
        UsageError::DoesNotGoWith { .. }
        | UsageError::TwoCommands { .. }
        | UsageError::GivenTwice { .. }
        | UsageError::Contradiction { .. }
        | UsageError::NeedlessValue { .. }
        | UsageError::UnexpectedFile { .. }
        | UsageError::UnexpectedDrive { .. } => {
            let mut found = less_a_word(&spelled);
            // Whoever names one drive is never led to all of them.
            found.retain(|request| !request.is_about_all());
            found
        }
        _ => Vec::new(),
    }
}

/// The line as it may have been meant to be spelled, word by word.
pub fn respelled_line(typed: &[OsString]) -> Vec<OsString> {
    if let [alone] = typed {
        let word = alone.to_str().unwrap_or_default();
        let words: Vec<OsString> = word.split_whitespace().map(OsString::from).collect();
        if words.len() > 1 {
            return respelled_line(&words);
        }
        let lower = word.to_ascii_lowercase();
        match lower.trim_start_matches(['/', '-']) {
            "?" => return vec!["/?".into()],
            "version" => return vec!["--version".into()],
            "man" => {
                let name = Artifact::Man.name();
                return vec!["--generate".into(), name.into()];
            }
            _ => {}
        }
    }
    let mut behind_verb = false;
    let mut line = Vec::new();
    for word in &with_whole_lists(typed) {
        let text = word.to_str().unwrap_or_default();
        let letter = text.parse().ok().and_then(switches::by_letter);
        let is_bare_letter = letter.is_some_and(|switch| !switch.is_consent);
        match behind_verb && is_bare_letter {
            true => line.push(format!("/{text}").into()),
            false => {
                behind_verb = Verb::named(text).is_some();
                line.extend(respelled(word));
            }
        }
    }
    line
}

/// The words with each list of drives in one of them: `1, 2` and `1 , 2`.
fn with_whole_lists(typed: &[OsString]) -> Vec<OsString> {
    let is_part = |word: &str| {
        let mut letters = word.bytes();
        !word.is_empty() && letters.all(|letter| letter.is_ascii_digit() || b",-".contains(&letter))
    };
    let mut words: Vec<OsString> = Vec::new();
    for word in typed {
        let text = word.to_str().unwrap_or_default();
        match words.last_mut() {
            Some(list)
                if is_part(text)
                    && list.to_str().is_some_and(|list| {
                        is_part(list) && (list.ends_with(',') || text.starts_with(','))
                    }) =>
            {
                list.push(text);
            }
            _ => words.push(word.clone()),
        }
    }
    words
}

/// Where a switch that is consent was misspelled, that switch: it is never proposed.
pub fn consent_meant(typed: &[OsString]) -> Option<&'static str> {
    typed.iter().find_map(|word| {
        let name = word.to_str()?.strip_prefix("--")?;
        let name = name.split('=').next()?;
        let meant = nearest_switch(name)?;
        (meant.is_consent && switches::by_long(name).is_none()).then(|| meant.name())
    })
}

/// The switch that a name is but for a letter or two.
pub fn nearest_switch(name: &str) -> Option<&'static switches::Switch> {
    near(name, SWITCHES.iter().map(|switch| switch.long)).and_then(switches::by_long)
}

/// The topics that a word may stand for.
fn topics_like(word: &OsStr) -> Vec<Request> {
    let word = word.to_str().unwrap_or_default();
    let names = Topic::NAMED.into_iter().filter_map(Topic::name);
    let topic = near(word, names).and_then(Topic::named);
    let commands = like(word).into_iter().map(Topic::Command);
    topic
        .into_iter()
        .chain(commands)
        .map(Request::help)
        .collect()
}

/// The drives that are named among these words.
pub fn drives_in(typed: &[OsString]) -> Vec<DriveName> {
    let drives_of = |word: &OsString| {
        let pieces = word.to_str()?.split(',').map(drives_of_piece);
        Some(pieces.collect::<Option<Vec<_>>>()?.concat())
    };
    let first = typed.iter().find_map(|word| match word.to_str() {
        Some(word) if Verb::named(word).is_some() => Some(Vec::new()),
        _ => drives_of(word),
    });
    first.unwrap_or_default()
}

/// The line without `wrong`, for a drive that is still to be named.
pub fn another_drive(typed: &[OsString], wrong: Option<&OsStr>) -> Option<Request> {
    const ANY: &str = "1";
    let words = typed.iter().filter(|word| Some(word.as_os_str()) != wrong);
    let words: Vec<OsString> = std::iter::once(ANY.into()).chain(words.cloned()).collect();
    let request = parse_words(&words).ok()?;
    let verb = request.command.verb()?;
    verb.needs_drive().then(|| Request {
        drives: Vec::new(),
        ..request
    })
}

/// A word as it may have been meant to be spelled.
fn respelled(word: &OsStr) -> Vec<OsString> {
    let as_it_is = || vec![word.to_owned()];
    let Some(text) = word.to_str() else {
        return as_it_is();
    };
    if let Some(name) = words::behind_another_dash(text) {
        let dashes = match switches::by_long(name.split('=').next().unwrap_or(name)) {
            Some(_) => "--",
            None => "-",
        };
        return vec![format!("{dashes}{name}").into()];
    }
    if let Some(drives) = as_drives(text) {
        return vec![drives.into()];
    }
    let bare = text.trim_end_matches([',', ';']);
    let has_value = text.contains('=');
    if bare.len() < text.len() && !has_value && words::is_switch(OsStr::new(bare)) {
        return respelled(OsStr::new(bare));
    }
    if let Some(name) = text.strip_prefix('\\') {
        let slashed = format!("/{name}");
        if words::is_switch(OsStr::new(&slashed)) {
            return vec![slashed.into()];
        }
    }
    if let "-q" | "/q" = text {
        return vec!["--quiet".into()];
    }
    if let Some(name) = text.strip_prefix(['/', '-']) {
        let is_long = switches::by_long(name.split('=').next().unwrap_or(name)).is_some();
        if is_long && name.len() > 1 {
            return vec![format!("--{name}").into()];
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [verb, switches @ ..] = &words[..] {
        let mut switches = switches.iter();
        let is_a_piece = words.len() > 1 && switches.all(|word| words::is_switch(word.as_ref()));
        if is_a_piece && Verb::named(verb).is_some() {
            return words.into_iter().map(OsString::from).collect();
        }
    }
    if let Some(name) = text.strip_prefix("--") {
        let (name, value) = match name.split_once('=') {
            Some((name, _)) if takes_no_value(name) => (name, String::new()),
            Some((name, value)) => (name, format!("={value}")),
            None => (name, String::new()),
        };
        return match near(name, SWITCHES.iter().map(|switch| switch.long)) {
            Some(long) => vec![format!("--{long}{value}").into()],
            None => as_it_is(),
        };
    }
    if let Some(parts) = taken_apart(text) {
        return parts;
    }
    let bare = text.trim_start_matches(['/', '-']);
    let is_index = matches!(bare, "1" | "2" | "3" | "4");
    if bare.len() < text.len() && (is_index || Verb::named(bare).is_some()) {
        return vec![bare.into()];
    }
    as_it_is()
}

fn takes_no_value(switch: &str) -> bool {
    switches::by_long(switch).is_some_and(|switch| switch.value.is_none())
}

/// Drives by their numbers that are typed as a sentence has them: `3:`, `"3"`, `[3]`,
/// `1..3`, `4-1`, `1;2`, `1+2`; and each of them once.
fn as_drives(text: &str) -> Option<String> {
    const AROUND: [char; 17] = [
        '"', '\'', '`', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}',
        '\u{ab}', '\u{bb}', '[', ']', '(', ')', '<', '>',
    ];
    let inner = text.trim_matches(AROUND).trim_end_matches(':');
    let list = inner.replace("..", "-").replace('\u{2013}', "-");
    let list = list.replace([';', '+', '&'], ",");
    let list = list.replace(",,", ",");
    let upwards: Vec<String> = list.split(',').map(upwards).collect();
    let list = upwards.join(",");
    let mut drives: Vec<DriveName> = Vec::new();
    let mut count = 0;
    for piece in list.split(',') {
        for drive in drives_of_piece(piece)? {
            count += 1;
            match drive {
                drive if drives.contains(&drive) => {}
                DriveName::Index(_) => drives.push(drive),
                // Of a path nothing is respelled.
                drive if list == text => drives.push(drive),
                _ => return None,
            }
        }
    }
    let list = match count > drives.len() {
        true => drives
            .iter()
            .map(DriveName::to_string)
            .collect::<Vec<_>>()
            .join(","),
        false => list,
    };
    (list != text).then_some(list)
}

/// `4-1` as `1-4`.
fn upwards(piece: &str) -> String {
    match piece.split_once('-') {
        Some((first, last)) if first.len() == 1 && last.len() == 1 && first > last => {
            format!("{last}-{first}")
        }
        _ => piece.to_owned(),
    }
}

/// `r/m/b`, `3/w/m`, `/m/b`, `/mb`, `3r`: what stands for several words, without
/// a blank between them.
fn taken_apart(text: &str) -> Option<Vec<OsString>> {
    let mut parts: Vec<OsString> = Vec::new();
    let (head, switches) = match text.find('/') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (drive, verb) = match head.chars().next() {
        Some(digit @ '1'..='4') => (Some(digit), head.get(1..)?),
        _ => (None, head),
    };
    parts.extend(drive.map(|digit| OsString::from(digit.to_string())));
    if !verb.is_empty() {
        parts.push(Verb::named(verb)?.letter().into());
    }
    for letter in switches.chars().filter(|letter| *letter != '/') {
        parts.push(match switches::by_letter(letter) {
            Some(_) => format!("/{letter}").into(),
            None => Verb::named(letter.encode_utf8(&mut [0; 4]))?
                .letter()
                .into(),
        });
    }
    (parts.len() > 1).then_some(parts)
}

/// With another command in the place of a word that is none: `rw`, `raed`.
fn other_verbs(words: &[OsString]) -> Vec<Request> {
    let is_verb = |word: &OsString| word.to_str().and_then(Verb::named).is_some();
    if words.iter().any(is_verb) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        for verb in word.to_str().map(like).unwrap_or_default() {
            let mut line = words.to_vec();
            if let Some(word) = line.get_mut(at) {
                *word = verb.letter().into();
            }
            found.extend(parse_words(&line));
        }
    }
    found
}

/// The commands that a word may stand for.
pub fn like(word: &str) -> Vec<Verb> {
    let word = word.to_ascii_lowercase();
    let by_letters: Option<Vec<Verb>> = word
        .chars()
        .map(|letter| Verb::named(letter.encode_utf8(&mut [0; 4])))
        .collect();
    match (near(&word, Verb::ALL.map(Verb::word)), by_letters) {
        (Some(name), _) => Verb::named(name).into_iter().collect(),
        (None, Some(verbs)) if word.len() == 2 => verbs,
        (None, _) => match word.as_str() {
            "flash" | "program" | "burn" | "update" | "restore" => vec![Verb::Write],
            "dump" | "backup" | "save" => vec![Verb::Read],
            "compare" => vec![Verb::Verify],
            "drives" | "ls" | "scan" => vec![Verb::List],
            "info" => vec![Verb::Inspect],
            _ => Vec::new(),
        },
    }
}

/// The name that a word is but for a letter or two.
fn near<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LETTERS: usize = 2;
    let word = word.to_ascii_lowercase();
    let distance = |name: &&str| strsim::damerau_levenshtein(&word, name);
    let nearest = names.into_iter().min_by_key(distance)?;
    (distance(&nearest) <= LETTERS.min(word.len() / 2)).then_some(nearest)
}

/// Without one of its words, or a switch and its value.
fn less_a_word(words: &[OsString]) -> Vec<Request> {
    let mut found: Vec<Request> = Vec::new();
    for length in [1, 2] {
        for at in 0..words.len().saturating_sub(length - 1) {
            let is_switch = words.get(at).is_some_and(|word| words::is_switch(word));
            if length == 2 && !is_switch {
                continue;
            }
            let mut line = words.to_vec();
            line.drain(at..at + length);
            match parse_words(&line) {
                Ok(request) if request.command.verb().is_some() && !found.contains(&request) => {
                    found.push(request);
                }
                _ => {}
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn meant(line: &str) -> Vec<String> {
        let typed: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let argv = std::iter::once("mtkflash".into()).chain(typed.clone());
        let error = parse(argv).expect_err(line);
        nearest(&typed, &error)
            .iter()
            .map(|request| {
                let words = request.words();
                let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
                words.join(" ")
            })
            .collect()
    }

    #[test]
    fn a_line_with_one_mistake_is_answered_with_all_its_words() {
        for (line, nearest) in [
            ("3 r/m/b f", &["3 r /m /b f"][..]),
            ("3r /m f", &["3 r /m f"]),
            ("3/w/m f", &["3 w /m f"]),
            ("3 r /mb f", &["3 r /m /b f"]),
            ("3 r /m/b f", &["3 r /m /b f"]),
            ("3 /r f", &["3 r f"]),
            ("3 -w f", &["3 w f"]),
            ("3 rw f", &["3 r f", "3 w f"]),
            ("3 raed f", &["3 r f"]),
            ("3 wriet /m f --dry-run", &["3 w /m f --dry-run"]),
            ("3 flash f", &["3 w f"]),
            ("3 w f --dryrun", &["3 w f --dry-run"]),
            ("3 w f --bakcup=b", &["3 w f --backup b"]),
            ("3 w f \u{2013}dry-run", &["3 w f --dry-run"]),
            ("3 r \u{2013}m \u{2014}b f", &["3 r /m /b f"]),
            (
                "3 w f \u{2013}\u{2013}keep=0x0-0x1",
                &["3 w f --keep 0x0-0x1"],
            ),
            ("version", &["--version"]),
            ("/version", &["--version"]),
            ("?", &["help"]),
            ("man", &["--generate man"]),
            ("1..3 c", &["1,2,3 c"]),
            ("1;2 c", &["1,2 c"]),
            ("1, 2 c", &["1,2 c"]),
            ("1 , 2 c", &["1,2 c"]),
            ("1,,2 c", &["1,2 c"]),
            ("4-1 c", &["1,2,3,4 c"]),
            ("/dev/sg4,/dev/sg4 c", &["/dev/sg4 c"]),
            ("/3 c", &["3 c"]),
            ("3 c --json=1", &["3 c --json"]),
            ("3 restore f", &["3 w f"]),
            ("3 c -q", &["3 c --quiet"]),
            ("3 c -json", &["3 c --json"]),
            ("1+2 c", &["1,2 c"]),
            ("1,1 c", &["1 c"]),
            ("1,1-2 r f", &["1,2 r f"]),
            ("3: r /m /b f", &["3 r /m /b f"]),
            ("\"3\" r /m /b f", &["3 r /m /b f"]),
            ("\u{201c}3\u{201d} r /m f", &["3 r /m f"]),
            ("[3] r /m f", &["3 r /m f"]),
            ("3 r \\m \\b f", &["3 r /m /b f"]),
            ("3 r /m, /b f", &["3 r /m /b f"]),
            ("3 r m b f", &["3 r /m /b f"]),
            ("3 Read /Merge /Binary f", &["3 r /m /b f"]),
            ("3 w f --bankss=1", &["3 w f --banks 1"]),
            ("drives", &["l"]),
            ("3 r w f", &["3 w f", "3 r f"]),
            ("3 e /m", &["3 e"]),
            ("3 r f --dry-run", &["3 r f"]),
            ("3 r f --backup b", &["3 r f"]),
            ("l 3", &["l"]),
            ("3 c f", &["3 c"]),
            (
                "3 w f --banks 1 --range 0x0-0x1",
                &["3 w f --range 0x0-0x1", "3 w f --banks 1"],
            ),
        ] {
            assert_eq!(meant(line), nearest, "{line}");
        }
    }

    #[test]
    fn a_whole_line_in_quotes_is_taken_apart() {
        let typed = [OsString::from("3 r /m /b f")];
        let argv = ["mtkflash".into(), typed[0].clone()];
        let error = parse(argv.into_iter()).unwrap_err();
        let meant = nearest(&typed, &error);
        assert_eq!(meant[0].words(), ["3", "r", "/m", "/b", "f"]);
    }

    #[test]
    fn a_command_in_one_word_with_its_switches_is_taken_apart() {
        let typed = ["3", "w /m", "f"].map(OsString::from);
        let error = parse_words(&typed).unwrap_err();
        let meant = nearest(&typed, &error);
        assert_eq!(meant[0].words(), ["3", "w", "/m", "f"]);
    }

    #[test]
    fn no_proposal_is_about_more_drives_than_were_typed() {
        for line in ["1- c", "x.y c", "c foo.bin", "3,x.y c", "x.y revive"] {
            assert_eq!(meant(line), [""; 0], "{line}");
        }
    }

    #[test]
    fn where_there_is_no_telling_nothing_is_put_into_the_user_s_mouth() {
        for line in [
            "5 r f",
            "3 4 w f",
            "3 w a b",
            "w f",
            "3 bys1.bin",
            "3 w f --zzz",
            "e",
        ] {
            assert_eq!(meant(line), [""; 0], "{line}");
        }
    }
}
