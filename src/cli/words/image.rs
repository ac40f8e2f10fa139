//! What is said about image files.

use std::path::Path;

use super::{ended, verdict};
use crate::cli::advice::{By, Shell};
use crate::cli::args::Request;
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, GET_IT_AGAIN};
use crate::cli::text::Text;
use crate::cli::words::InWords;
use crate::cli::words::terms;
use crate::flash::{Bank, Offset};
use crate::image::Foreign;
use crate::image::compare::{Differences, Stretch};
use crate::image::container::{Guess, Kind, Member, Problem, Step, Trouble};
use crate::image::entry::{Listed, NoEntry, is_named};
use crate::image::hex::{HoleKind, Layout, Start};
use crate::image::{Hole, Origin, ParseError, Report};

/// How an image is written down, and how large it is.
pub fn format(image: &Report) -> String {
    let size = terms::size(image.size);
    let Some(hex) = &image.hex else {
        return format!("{}, {size}", image.format);
    };
    let format = match hex.layout {
        Layout::Marked => image.format.to_string(),
        Layout::Addressed if hex.origin > 0 => {
            format!("Intel HEX with addresses from {:08X} on", hex.origin)
        }
        Layout::Addressed => "Intel HEX with addresses".to_owned(),
    };
    match hex.start {
        None => format!("{format}, {size}"),
        Some(start) => format!("{format}, {size} ({})", start_of_program(start)),
    }
}

fn start_of_program(start: Start) -> String {
    let named = match start {
        Start::Segment { segment, offset } => format!("{segment:04X}:{offset:04X}"),
        Start::Linear(address) => format!("{address:08X}"),
        Start::End(address) => format!("{address:04X}"),
    };
    format!("it names a start address, {named}, which means nothing here")
}

/// A line for each hole in a HEX file, those first where lines may be missing.
pub fn holes(holes: &[Hole]) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut sorted: Vec<&Hole> = holes.iter().collect();
    sorted.sort_by_key(|hole| !hole.is_suspect());
    let mut lines: Vec<String> = sorted.iter().take(SHOWN).copied().map(hole).collect();
    if sorted.len() > SHOWN {
        let rest = &sorted[SHOWN..];
        let bytes: u32 = rest.iter().map(|hole| hole.range.len()).sum();
        lines.push(format!("and {} more places, {bytes} bytes", rest.len()));
    }
    lines
}

fn hole(hole: &Hole) -> String {
    let meaning = match hole.kind {
        HoleKind::Blank => "left out as blank",
        HoleKind::InData => "data around it: lines of the file are missing",
        HoleKind::Bank => "a whole bank without a record",
    };
    format!("{} has no record, FF stands there ({meaning})", hole.range)
}

/// Where an image came from that was packed in something.
pub fn origin(origin: &Origin) -> Vec<String> {
    let mut lines = vec![match is_nameless(&origin.path) {
        true => terms::container(origin.kind).to_owned(),
        false => format!(
            "{} in this file, {}",
            path(&origin.path),
            terms::container(origin.kind)
        ),
    }];
    let (doubtful, others): (Vec<&Member>, Vec<&Member>) = origin
        .beside
        .iter()
        .partition(|member| member.may_be_image());
    match origin.others {
        0 if doubtful.is_empty() => {}
        0 => lines.push("chosen by you, the only image in it that can be read".to_owned()),
        others => lines.push(format!("chosen by you, of {} images in it", others + 1)),
    }
    lines.extend(in_short(&doubtful, |member| {
        format!("beside it: {}", of_member(member))
    }));
    if !others.is_empty() {
        let names = others.iter().filter(|member| !member.path.is_empty());
        let names: Vec<String> = names.map(|member| path(&member.path)).collect();
        lines.push(format!("beside it, and no firmware: {}", list(&names)));
    }
    if let Some(found) = &origin.guess {
        lines.push(guess(found));
    }
    lines
}

fn guess(guess: &Guess) -> String {
    format!(
        "unscrambled with the key {:02X}, which is nowhere told: {} places speak for it, {} for the \
         next candidate",
        guess.key, guess.votes, guess.next
    )
}

/// Things that most files have few of.
const SHOWN: usize = 6;

/// A line for each member, of many the first ones.
fn in_short(members: &[&Member], line: impl Fn(&Member) -> String) -> Vec<String> {
    let shown = members.iter().take(SHOWN);
    let mut lines: Vec<String> = shown.map(|member| line(member)).collect();
    if let more @ 1.. = members.len().saturating_sub(SHOWN) {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// `a, b, c and 4 more`.
fn list(names: &[String]) -> String {
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `firmware.zip / BYS1.BIN`, from the outside in.
fn path(path: &[Step]) -> String {
    let names: Vec<&str> = path
        .iter()
        .map(|step| match step.name.as_str() {
            "" => "its content",
            name => name,
        })
        .collect();
    names.join(" / ")
}

/// Whether it is a file itself, or all that was packed in one.
fn is_nameless(path: &[Step]) -> bool {
    path.iter().all(|step| step.name.is_empty())
}

/// Where two images differ, by bank and range; `longer` is the file that may
/// have more.
pub fn differences(differences: &Differences, longer: &Path) -> Text {
    const SHOWN: usize = 6;
    let mut table = Text::default();
    if differences.is_empty() {
        return table
            .row("Differ", "nowhere: both hold the same image")
            .finish();
    }
    if !differences.stretches.is_empty() {
        let banks: Vec<Bank> = differences.by_bank().map(|(bank, _)| bank).collect();
        let bytes = terms::counted(differences.count().into(), "byte");
        table.row("Differ", &format!("{bytes}, in {}", terms::banks(&banks)));
    }
    for (bank, stretches) in differences.by_bank() {
        let mut label = format!("Bank {bank}");
        for one in stretches.iter().take(SHOWN) {
            table.row(&label, &stretch(one));
            label.clear();
        }
        if let more @ 1.. = stretches.len().saturating_sub(SHOWN) {
            table.row("", &format!("and {more} more places"));
        }
    }
    if let Some(rest) = differences.rest {
        let text = format!("{rest} is only in {}", longer.display());
        table.row("Rest", &text);
    }
    table.finish()
}

fn stretch(stretch: &Stretch) -> String {
    let (one, other) = stretch.first;
    match stretch.count {
        1 => format!(
            "{}: {one:02X} in the first, {other:02X} in the second",
            Offset(stretch.range.start())
        ),
        count => format!("{}: {count} bytes", stretch.range),
    }
}

/// A container out of which no image was taken, and what to type for one.
pub fn no_entry(file: &Path, reason: &NoEntry, request: &Request) -> Failure {
    let name = file.display();
    let NoEntry {
        kind,
        images,
        others,
        unknown,
    } = reason;
    let kind = *kind;
    let wanted = unknown.as_ref();
    let said = wanted.and_then(|wanted| others.iter().find(|other| is_named(&other.path, wanted)));
    let what = match (unknown, images.len()) {
        (_, 0) => return no_image(file, kind, others),
        (None, 1) => format!(
            "{name} is {} with one firmware image in it that can be read, and it may hold \
             another: name the one if it is for this drive.",
            terms::container(kind)
        ),
        (None, count) => format!(
            "{name} is {} with {count} firmware images in it: name the one that is for this drive.",
            terms::container(kind),
        ),
        (Some(wanted), _) => match said {
            Some(member) => format!("{name}: {}", of_member(member)),
            None => format!(
                "{name} is {}, and none of the images in it is called \"{wanted}\" or has that \
                 number.",
                terms::container(kind)
            ),
        },
    };
    let beside = others.iter().filter(|other| Some(*other) != said);
    choice(what, images, beside, request)
}

/// A file that is no image by its content.
pub fn no_content(file: &Path, error: &ParseError) -> Failure {
    let name = file.display();
    let is = |what: &str| Exit::BadImage.because(format!("{name} is {what}"));
    match error {
        ParseError::Foreign(Foreign::SRecords) => {
            is("a file of Motorola S-records, which this tool does not read.")
                .next("Make it a raw binary by another program, and look at that:")
                .next(Shell::FromSRecords(file.to_owned()))
                .next(Request::inspect_file(&file.with_extension("bin")))
        }
        ParseError::Foreign(Foreign::PartOfZip) => {
            is("the last part of a ZIP archive that is in several files.")
                .next("Put all of its parts beside it, make them one, and look at that:")
                .next(Shell::JoinZip(file.to_owned()))
                .next(Request::inspect_file(&Shell::joined(file)))
        }
        ParseError::Foreign(kind @ (Foreign::WebPage | Foreign::Answer)) => {
            elsewhere(is(&format!(
                "{}: the server gave that in the place of the file.",
                verdict::foreign(*kind)
            )))
        }
        ParseError::Foreign(kind) => elsewhere(is(&format!(
            "{}, and no firmware.",
            verdict::foreign(*kind)
        ))),
        ParseError::Utf16 { is_hex: true } => is(
            "a HEX file in UTF-16, two bytes for each character, as some editors and PowerShell \
             save it.",
        )
        .next("Make it plain text by another program, and look at that:")
        .next(Shell::FromUtf16(file.to_owned()))
        .next(Request::inspect_file(&Shell::plain(file))),
        ParseError::Text { beginning } if beginning.is_empty() => {
            elsewhere(Exit::BadImage.because(format!("{name} holds blanks and nothing else.")))
        }
        ParseError::Text { .. } | ParseError::Utf16 { is_hex: false } => {
            elsewhere(Exit::BadImage.because(format!("{name}: {}.", error.in_words())))
        }
        ParseError::Empty | ParseError::Hex(_) | ParseError::BankCount { .. } => Exit::BadImage
            .because(format!("{name}: {}.", error.in_words()))
            .next(GET_IT_AGAIN),
    }
}

fn elsewhere(failure: Failure) -> Failure {
    failure
        .next("Look for a download that has the image in it, for this very drive, and look at it:")
        .next(Request::inspect_any())
}

/// The images of a container to choose from, beside what may hold another.
fn choice<'a>(
    mut what: String,
    images: &[Listed],
    beside: impl Iterator<Item = &'a Member>,
    request: &Request,
) -> Failure {
    let doubtful: Vec<&Member> = beside.filter(|member| member.may_be_image()).collect();
    for line in in_short(&doubtful, of_member) {
        what.push_str(&format!(" {}", ended(line)));
    }
    images
        .iter()
        .fold(Exit::BadImage.because(what), |failure, image| {
            failure
                .next(format!("{}:", listed(image)))
                .next(request.with_entry(image.number))
        })
}

/// `2  BYS1.BIN: 1024 KiB, 16 banks, SONY DVD RW DW-D22A BYS1, sum 1234`.
fn listed(image: &Listed) -> String {
    let named: Vec<String> = image
        .identities
        .iter()
        .map(|found| terms::identity(found.identity()))
        .collect();
    let named = match named.is_empty() {
        true => "no drive is named in it".to_owned(),
        false => named.join(" and "),
    };
    let problem = image.problem.as_ref();
    let problem = problem.map_or_else(String::new, |problem| {
        format!("; it cannot be used: {}", problem.in_words())
    });
    format!(
        "{}  {}, {}, {named}, sum {}{problem}",
        image.number,
        path(&image.path),
        terms::size(image.size),
        image.sum
    )
}

fn no_image(file: &Path, kind: Kind, members: &[Member]) -> Failure {
    let found = match members {
        [member] if member.path.is_empty() && matches!(member.trouble, Trouble::Foreign(_)) => {
            "which this tool does not open."
        }
        _ => "and no firmware image was found in it.",
    };
    let mut what = format!("{} is {}, {found}", file.display(), terms::container(kind));
    let telling = members
        .iter()
        .filter(|member| !member.path.is_empty() || !is_said(&member.trouble));
    for member in telling.clone().take(SHOWN) {
        what.push_str(&format!(" {}", of_member(member)));
    }
    if let more @ 1.. = telling.count().saturating_sub(SHOWN) {
        what.push_str(&format!(" And {more} more."));
    }
    let failure = Exit::BadImage.because(what);
    let unpacked_by = members.iter().find_map(|member| match member.trouble {
        // What is inside something that is opened here comes out by that first.
        Trouble::Foreign(_) | Trouble::UpxMethod(_) if !member.path.is_empty() => opener(kind),
        Trouble::Foreign(kind) => opener(kind),
        Trouble::Archive(Problem::Method | Problem::Encrypted | Problem::SameNames) => opener(kind),
        Trouble::UpxMethod(_) => opener(Kind::Upx),
        _ => None,
    });
    let is_damaged = members.iter().any(|member| {
        matches!(
            member.trouble,
            Trouble::Archive(Problem::Damaged)
                | Trouble::UpxDamaged
                | Trouble::CutShort
                | Trouble::NotFirmware(_)
                | Trouble::NoSize { .. }
                | Trouble::Image(ParseError::Hex(_) | ParseError::BankCount { .. })
        )
    });
    match unpacked_by {
        Some(by) => failure
            .next("Take it apart with the program for that, and name the image that comes out:")
            .next(Shell::On(By::User, by, file.to_owned()))
            .next(Request::inspect_any()),
        _ if is_damaged => failure.next(GET_IT_AGAIN),
        _ => elsewhere(failure),
    }
}

/// What the kind of the file says already.
fn is_said(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::NoImage | Trouble::Foreign(_))
}

/// The program that takes a container apart.
fn opener(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Zip => Some("unzip"),
        Kind::SevenZip | Kind::Program => Some("7z x"),
        Kind::Rar | Kind::Lha | Kind::Ace => Some("unar"),
        Kind::Gzip => Some("gunzip"),
        Kind::Cabinet => Some("cabextract"),
        Kind::Bzip2 => Some("bunzip2"),
        Kind::Xz => Some("unxz"),
        Kind::Zstd => Some("unzstd"),
        Kind::Tar => Some("tar xf"),
        Kind::Upx => Some("upx -d"),
        Kind::SwappedZip | Kind::XFlash | Kind::Signed => None,
    }
}

/// One sentence about a part of a container that gives no image.
pub fn of_member(member: &Member) -> String {
    let name = match is_nameless(&member.path) {
        true => "It".to_owned(),
        false => path(&member.path),
    };
    let what = match &member.trouble {
        Trouble::NoImage => "is no image".to_owned(),
        Trouble::Image(ParseError::Empty) => "is empty".to_owned(),
        Trouble::Image(ParseError::Text { .. }) => "is a text".to_owned(),
        Trouble::Image(ParseError::Utf16 { is_hex: false }) => "is a text in UTF-16".to_owned(),
        Trouble::Image(ParseError::Utf16 { is_hex: true }) => {
            "is a HEX file in UTF-16, which another program makes plain text".to_owned()
        }
        Trouble::Image(ParseError::Foreign(kind)) => format!("is {}", verdict::foreign(*kind)),
        Trouble::Image(error) => format!("cannot be used: {}", error.in_words()),
        Trouble::Foreign(kind) => format!(
            "is {}, which this tool does not open",
            terms::container(*kind)
        ),
        Trouble::Archive(Problem::Damaged) => "is damaged".to_owned(),
        Trouble::Archive(Problem::SameNames) => {
            "is there twice, and which of the two is meant cannot be told".to_owned()
        }
        Trouble::Archive(Problem::Encrypted) => "wants a password".to_owned(),
        Trouble::Archive(Problem::Method) => {
            "is packed by a method that this tool does not know".to_owned()
        }
        Trouble::Archive(Problem::TooLarge) | Trouble::Limit => {
            "is larger, deeper or more than firmware ever was, and was not looked at".to_owned()
        }
        Trouble::UpxMethod(method) => {
            format!("is packed by UPX in a way (method {method}) that only UPX itself undoes")
        }
        Trouble::UpxDamaged => "is packed by UPX, and damaged".to_owned(),
        Trouble::UnknownFlasher => "are scrambled in a way that nobody has described".to_owned(),
        Trouble::CutShort => "ends too early: the flasher is cut short".to_owned(),
        Trouble::NotFirmware(unlike) => format!(
            "does not look like firmware when it is unscrambled, and is not used: {} of its {} \
             banks start with another byte than 02, the first with {:02X} at {}",
            unlike.banks, unlike.of, unlike.found, unlike.at
        ),
        Trouble::NoSize { size } => {
            format!("is damaged: by the table of the flasher it has {size} bytes, and no flash has")
        }
        Trouble::Undecided(found) => format!(
            "is scrambled with a key that cannot be told with certainty ({} places speak for {:02X}, \
             {} for the next candidate, {} bytes do not fit), and is not used",
            found.votes, found.key, found.next, found.misfits
        ),
    };
    format!("{name} {what}.")
}
