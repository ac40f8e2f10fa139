use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;

use super::switches::SWITCHES;
use super::*;
use crate::cli::advice::{self, Advice};
use crate::cli::failure::Failure;
use crate::cli::prompt::Word;
use crate::cli::text::Text;
use crate::cli::words::usage;
use crate::job::{Asked, BackupProblem, Check, Doubt, JobError, Refusal};

/// Parses a line as typed, program name included.
fn typed(line: &str) -> Result<Request, UsageError> {
    parse(line.split_whitespace().map(OsString::from))
}

fn on(drive: u8, command: Command) -> Request {
    Request {
        drives: vec![DriveName::Index(drive)],
        ..Request::without_drive(command)
    }
}

fn read(file: &str) -> Command {
    Command::Read { file: file.into() }
}

fn write(file: &str) -> Command {
    Command::Write { file: file.into() }
}

fn verify(file: &str) -> Command {
    Command::Verify { file: file.into() }
}

fn inspect(file: &str) -> Command {
    Command::Inspect {
        files: vec![file.into()],
    }
}

fn merged(request: Request) -> Request {
    Request {
        merged: true,
        ..request
    }
}

fn binary(request: Request) -> Request {
    Request {
        binary: true,
        ..request
    }
}

fn path(request: Request, path: &str) -> Request {
    Request {
        drives: vec![DriveName::Path(path.into())],
        ..request
    }
}

#[test]
fn lines_mean_what_they_meant_under_dos_and_what_linux_users_expect() {
    let rows = [
        // A merged binary is read.
        (
            "mtkflash 3 r /m /b backup.bin",
            merged(binary(on(3, read("backup.bin")))),
        ),
        // The three forms in which guides write a binary.
        (
            "mtkflash 3 w /b /m bys1.bin",
            merged(binary(on(3, write("bys1.bin")))),
        ),
        ("mtkflash 3 w /m bys1.bin", merged(on(3, write("bys1.bin")))),
        ("MTKFLASH 3 W /B BYS1.BIN", binary(on(3, write("BYS1.BIN")))),
        // Without switches a read makes one HEX file per bank.
        ("mtkflash 1 r old.hex", on(1, read("old.hex"))),
        // Command and drive stand in any place, switches too.
        (
            "mtkflash r 3 /m /b f.bin",
            merged(binary(on(3, read("f.bin")))),
        ),
        (
            "mtkflash /b f.bin -m R 3",
            merged(binary(on(3, read("f.bin")))),
        ),
        // Switches take a slash, a dash or two, in any case, and again.
        (
            "mtkflash 3 v -M --BINARY f.bin",
            merged(binary(on(3, verify("f.bin")))),
        ),
        (
            "mtkflash 3 v -mb /m f.bin",
            merged(binary(on(3, verify("f.bin")))),
        ),
        // Commands are words as well.
        ("mtkflash 2 Read f.bin", on(2, read("f.bin"))),
        ("mtkflash 2 erase", on(2, Command::Erase)),
        ("mtkflash 4 c", on(4, Command::Check)),
        // Check and list look for drives by themselves.
        ("mtkflash c", Request::without_drive(Command::Check)),
        ("mtkflash l", Request::without_drive(Command::List)),
        (
            "mtkflash i bys1.bin",
            Request::without_drive(inspect("bys1.bin")),
        ),
        (
            "mtkflash i /m bys1.bin",
            merged(Request::without_drive(inspect("bys1.bin"))),
        ),
        // A slash with more than a switch is a path: to a drive under /dev,
        // else to a file.
        (
            "mtkflash /dev/sr0 e",
            path(on(1, Command::Erase), "/dev/sr0"),
        ),
        (
            "mtkflash /dev/disk/by-id/ata-SONY_DVD_RW /b r /m/firmware",
            binary(path(
                on(1, read("/m/firmware")),
                "/dev/disk/by-id/ata-SONY_DVD_RW",
            )),
        ),
        // Shared memory is under /dev, and holds files.
        (
            "mtkflash r /dev/shm/f.bin /dev/sg1",
            path(on(1, read("/dev/shm/f.bin")), "/dev/sg1"),
        ),
        // Files may be called like drives, commands and switches.
        ("mtkflash 3 w ./3", on(3, write("./3"))),
        ("mtkflash 3 w ./r", on(3, write("./r"))),
        ("mtkflash -- 3 w /m", on(3, write("/m"))),
        ("mtkflash 3 w -- -m", on(3, write("-m"))),
        ("mtkflash 3 w -- /?", on(3, write("/?"))),
        // Several drives, in the order given.
        (
            "mtkflash 4,1 c",
            Request {
                drives: vec![DriveName::Index(4), DriveName::Index(1)],
                ..on(1, Command::Check)
            },
        ),
        (
            "mtkflash 1,/dev/sr1 c",
            Request {
                drives: vec![DriveName::Index(1), DriveName::Path("/dev/sr1".into())],
                ..on(1, Command::Check)
            },
        ),
        // Help: without a word, and whatever else is wrong.
        ("mtkflash", Request::help(Topic::Overview)),
        ("mtkflash /?", Request::help(Topic::Overview)),
        ("mtkflash -H", Request::help(Topic::Overview)),
        ("mtkflash help", Request::help(Topic::Overview)),
        ("mtkflash HELP --json", Request::help(Topic::Overview)),
        (
            "mtkflash 7 x /sata --nonsense --help",
            Request::help(Topic::Overview),
        ),
        // On a command, where there is one beside it, and on what else has a name.
        (
            "mtkflash help w",
            Request::help(Topic::Command(Verb::Write)),
        ),
        (
            "mtkflash Help Write",
            Request::help(Topic::Command(Verb::Write)),
        ),
        ("mtkflash w /?", Request::help(Topic::Command(Verb::Write))),
        (
            "mtkflash 3 r /m --zzz force -h",
            Request::help(Topic::Command(Verb::Read)),
        ),
        ("mtkflash help force", Request::help(Topic::Force)),
        (
            "mtkflash --json help w",
            Request::help(Topic::Command(Verb::Write)),
        ),
        ("mtkflash --sim x help", Request::help(Topic::Overview)),
        (
            "mtkflash --plain --sim=x HELP force",
            Request::help(Topic::Force),
        ),
        ("mtkflash help CODES", Request::help(Topic::Codes)),
        ("mtkflash help exit-codes", Request::help(Topic::Codes)),
        ("mtkflash help json", Request::help(Topic::Switches)),
        ("mtkflash help drives", Request::help(Topic::Drives)),
        ("mtkflash /? switches", Request::help(Topic::Switches)),
        // What is written for other programs.
        ("mtkflash --generate man", Request::generate(Artifact::Man)),
        ("mtkflash --Generate=ZSH", Request::generate(Artifact::Zsh)),
        (
            "mtkflash --version",
            Request::without_drive(Command::Version),
        ),
        ("mtkflash -V", Request::without_drive(Command::Version)),
    ];
    for (line, request) in rows {
        assert_eq!(typed(line), Ok(request), "{line}");
    }
}

#[test]
fn options_carry_their_values() {
    let range = |start, end| FlashRange::new(start, end);
    let rows: [(&str, Options); 20] = [
        ("3 w f", Options::default()),
        // None of the three consents implies another.
        (
            "3 w f --yes",
            Options {
                yes: true,
                ..Options::default()
            },
        ),
        (
            "3 w f /Y",
            Options {
                yes: true,
                ..Options::default()
            },
        ),
        (
            "3 w f --dry-run",
            Options {
                dry_run: true,
                ..Options::default()
            },
        ),
        (
            "3 w f --no-backup",
            Options {
                no_backup: true,
                ..Options::default()
            },
        ),
        // A value follows after a blank or an equals sign.
        (
            "3 w f --backup b",
            Options {
                backup: Some("b".into()),
                ..Options::default()
            },
        ),
        (
            "3 w f --BACKUP=/b",
            Options {
                backup: Some("/b".into()),
                ..Options::default()
            },
        ),
        // One check at a time, in a list or again and again.
        (
            "3 w f --force=Model,medium --force blank --force=model",
            Options {
                force: [Check::Model, Check::Medium, Check::Blank].into(),
                ..Options::default()
            },
        ),
        // Banks come sorted, each once.
        (
            "3 w f --banks 7,0-2,1",
            Options {
                banks: Some(vec![Bank(0), Bank(1), Bank(2), Bank(7)]),
                ..Options::default()
            },
        ),
        // The last byte of a range is kept too.
        (
            "3 w f --keep 0x4000-0x5fff",
            Options {
                keep: vec![range(0x4000, 0x6000)],
                ..Options::default()
            },
        ),
        (
            "3 w f --keep 4000h-5FFFH --keep 0-0X7",
            Options {
                keep: vec![range(0x4000, 0x6000), range(0, 8)],
                ..Options::default()
            },
        ),
        (
            "3 e --keep 0xffffff-0xffffff",
            Options {
                keep: vec![range(0xff_ffff, 0x100_0000)],
                ..Options::default()
            },
        ),
        (
            "3 w f --via ATA",
            Options {
                via: Some(Via::Ata),
                ..Options::default()
            },
        ),
        (
            "3 c --via port",
            Options {
                via: Some(Via::Port),
                ..Options::default()
            },
        ),
        (
            "3 c --protocol Vendor",
            Options {
                protocol: Some("vendor".into()),
                ..Options::default()
            },
        ),
        (
            "l --sim b.toml",
            Options {
                sim: Some("b.toml".into()),
                ..Options::default()
            },
        ),
        (
            "3 c --wait 0",
            Options {
                wait: Some(Duration::ZERO),
                ..Options::default()
            },
        ),
        (
            "3 c --wait=200",
            Options {
                wait: Some(Duration::from_secs(200)),
                ..Options::default()
            },
        ),
        (
            "3 r f --size 256k",
            Options {
                size: Some(0x4_0000),
                ..Options::default()
            },
        ),
        (
            "3 r f --size 0x100000",
            Options {
                size: Some(0x10_0000),
                ..Options::default()
            },
        ),
    ];
    for (line, options) in rows {
        let request = typed(&format!("mtkflash {line}")).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(request.options, options, "{line}");
    }
}

#[test]
fn several_drives_are_named_in_a_list_by_a_range_by_serial_numbers_or_as_all() {
    use DriveName::{Index, Serial};
    let serial = |text: &str| Serial(text.to_owned());
    for (line, drives) in [
        ("1,2,4 c", vec![Index(1), Index(2), Index(4)]),
        ("1-4 r f", vec![Index(1), Index(2), Index(3), Index(4)]),
        ("4,1-2 e", vec![Index(4), Index(1), Index(2)]),
        (
            "/dev/sg1,/dev/sg2 w f",
            vec![
                DriveName::Path("/dev/sg1".into()),
                DriveName::Path("/dev/sg2".into()),
            ],
        ),
        ("SIM00000013 r f", vec![serial("SIM00000013")]),
        ("w K18B1234 f", vec![serial("K18B1234")]),
        ("c 004711", vec![serial("004711")]),
        ("AAA c", vec![serial("AAA")]),
        ("1,AAA r f", vec![Index(1), serial("AAA")]),
        ("3-3 c", vec![Index(3)]),
        ("0001 c", vec![serial("0001")]),
        ("c 01", vec![serial("01")]),
        ("4711 r f", vec![serial("4711")]),
        ("K.18:B#1 c", vec![serial("K.18:B#1")]),
        ("k18b w f", vec![serial("k18b")]),
        (
            "v 3,SIM00000011 -- f",
            vec![Index(3), serial("SIM00000011")],
        ),
        ("all r f", vec![]),
        ("v ALL f", vec![]),
        ("c all", vec![]),
    ] {
        let request = typed(&format!("mtkflash {line}")).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(request.drives, drives, "{line}");
    }
}

#[test]
fn a_serial_number_with_blanks_in_it_names_a_drive() {
    let words = ["mtkflash", "K 18 B", "r", "f"].map(OsString::from);
    let request = parse(words.into_iter()).unwrap();
    assert_eq!(request.drives, [DriveName::Serial("K 18 B".to_owned())]);
    for file in ["E:", "bys1.bin", "a/b c", " x", "C:\\x"] {
        let words = ["mtkflash", file, "r", "f"].map(OsString::from);
        assert!(parse(words.into_iter()).is_err(), "{file}");
    }
}

#[test]
fn what_begins_with_a_dash_is_no_serial_number() {
    let words = ["1", "--", "--keep", "e", "sr0"].map(OsString::from);
    let error = parse_words(&words).unwrap_err();
    let advised = usage::failure(&error, &words);
    assert!(!advised.text().to_string().contains("mtkflash --keep"));
}

#[test]
fn what_looks_like_a_serial_number_is_a_file_where_the_drive_is_named() {
    for (line, file) in [
        ("3 r BACKUP1", "BACKUP1"),
        ("r BACKUP1 3", "BACKUP1"),
        ("SIM00000013 r BACKUP1", "BACKUP1"),
        ("3 v 123456", "123456"),
        ("i BYS12345", "BYS12345"),
        ("3 r ./all", "./all"),
    ] {
        let request = typed(&format!("mtkflash {line}")).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(request.command.file(), Some(Path::new(file)), "{line}");
    }
}

/// One line and the whole message for each way to be wrong.
#[test]
fn wrong_lines_are_answered_with_the_word_and_the_right_form() {
    let lines = [
        // Drives.
        "0 c",
        "5 r f",
        "7,1 c",
        "1, c",
        "1,1 c",
        "all,ALL c",
        "3 4 r f",
        "3 /dev/sr0 c",
        "i /dev/sr0",
        "r f",
        "e",
        "v /dev/shm/f.bin",
        "sr0 c",
        "4-1 c",
        "1-5 c",
        "1,1-2 c",
        "all w f",
        "ALL e",
        // Commands.
        "3",
        "bys1.bin",
        "3 bys1.bin",
        "3 r w",
        "3 w e f",
        "l 3",
        "i 3",
        // Files.
        "3 r",
        "/dev/sr0 w /m",
        "3 w a b",
        "3 r /mb f",
        "3 e f",
        "c f",
        "l f",
        "i",
        "3 r -",
        // Switches.
        "3 r /q f",
        "3 /r f",
        "3 r -x f",
        "3 r --dryrun f",
        "3 r --zzz f",
        "3 w --yes=1 f",
        "3 e /m",
        "3 r f --dry-run",
        "3 r f --no-backup",
        "3 r f --keep 0x0-0x1",
        "3 w f --size 1M",
        "l --yes",
        "i f --force=model",
        "3 w f --no-backup --backup b",
        // What only the DOS tool took.
        "3 w /O 04000 1FFF f",
        "3 w /O 1000 1FFF f",
        "3 w f /o",
        "3 c /SATA",
        "3 c -sata",
        // What the tool does not do.
        "3 c --xml",
        "3 c --trace f",
        "3 w f --log a --no-log",
        "3 w f --log f",
        "3 c --record f",
        "3 c --force=all",
        "3 c --force=everything",
        // What comes of haste, of DOS and of pages.
        "3 r/m/b f",
        "X R /M /B a.bin",
        "3 rw f",
        "E: w f",
        "e: c",
        "3 e D:\\",
        "version",
        "3 w f \u{2013}dry-run",
        "3 wirte -by f",
        "help wriet",
        "help forse",
        "help me",
        "1..3 c --sim b.toml",
        "1- c --sim b.toml",
        "1,x.y c",
        "3: r /m /b f",
        "x.y r /m /b f",
        "r/m backup.bin",
        "3 r/m sata backup.bin",
        "?",
        "man",
        "update",
        "3 w f --forse=model",
        "3 w f --yess",
        "l --bankss",
        "--generate",
        "--generate perl",
        // Values.
        "3 w f --backup",
        "3 w f --backup -lead/",
        "3 w --backup /m f",
        "3 w f --backup --yes",
        "3 w f --backup=",
        "3 w f --backup a --backup b",
        "3 w f --force",
        "3 w f --force=model,",
        "3 w f --banks 3-1",
        "3 w f --banks 0x1",
        "3 w f --banks 256",
        "3 w f --banks 1,,2",
        "3 w f --keep 04000-05fff",
        "3 w f --keep 4000h-1FFFh",
        "3 w f --keep 1fffh",
        "3 w f --keep 5fff-0x6000",
        "3 w f --keep 16384-0x5fff",
        "3 w f --keep 0x0-0x1000000",
        "3 w f --keep +1h-2h",
        "3 w f --keep 0x-h",
        "3 c --via usb",
        "3 c --wait 3m",
        "3 c --wait -1",
        "3 r f --size 0",
        "3 r f --size 100",
        "3 r f --size 5G",
        "3 r f --size 65536M",
    ];
    let mut answers = String::new();
    for line in lines {
        let error = typed(&format!("mtkflash {line}")).expect_err(line);
        let answer = usage::failure(&error, &words_of(line)).text();
        assert!(answer.to_string().contains("\nNext  "), "{line}: {error}");
        answers += &format!("> mtkflash {line}\n{answer}\n");
    }
    insta::assert_snapshot!(answers);
}

#[test]
fn the_value_of_a_switch_is_nothing_to_have_help_on() {
    let request = typed("mtkflash help --sim b.toml").unwrap();
    assert_eq!(request.command, Command::Help(Topic::Overview));
}

fn words_of(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

/// A request as a line, its placeholders filled in as a user would.
fn filled(form: &Request) -> String {
    let words = form.words();
    let words: Vec<&str> = words
        .iter()
        .map(|word| match word.to_str() {
            Some("DRIVE") => "3",
            Some("FILE") => "f.bin",
            word => word.unwrap_or("?"),
        })
        .collect();
    format!("mtkflash {}", words.join(" "))
}

fn form(verb: Verb) -> Request {
    Request::form(verb, &[], None)
}

#[test]
fn a_form_to_type_is_itself_a_line_that_is_understood() {
    for verb in Verb::ALL {
        for switch in SWITCHES
            .iter()
            .filter(|switch| switch.verbs.contains(&verb))
        {
            let line = format!("{} {}", filled(&form(verb)), switch.example);
            assert!(typed(&line).is_ok(), "{line}");
        }
    }
}

#[test]
fn no_drive_is_ever_proposed_for_a_change() {
    for line in ["w f", "e", "w", "w e"] {
        let error = typed(&format!("mtkflash {line}")).expect_err(line);
        let answer = usage::failure(&error, &words_of(line)).text().to_string();
        let commands = answer.lines().filter(|line| line.contains("mtkflash "));
        for command in commands.filter(|line| !line.starts_with("mtkflash: ")) {
            let command = command.trim_start_matches("Next").trim();
            assert!(
                command.starts_with("mtkflash DRIVE ") || command == "mtkflash l",
                "{answer}"
            );
        }
    }
}

#[test]
fn an_option_goes_with_its_commands_and_no_other() {
    for switch in SWITCHES {
        for verb in Verb::ALL {
            let form = filled(&form(verb)).replace(" /m", "").replace(" /b", "");
            let line = format!("{form} {}", switch.example);
            assert_eq!(typed(&line).is_ok(), switch.verbs.contains(&verb), "{line}");
        }
    }
}

#[test]
fn a_file_name_need_not_be_text() {
    let name = || OsString::from_vec(b"f\xff.bin".to_vec());
    let backup = || OsString::from_vec(b"--backup=b\xfe.bin".to_vec());
    let words = ["mtkflash", "3", "w"].map(OsString::from);
    let request = parse(words.into_iter().chain([name(), backup()])).expect("understood");
    assert_eq!(
        request.command,
        Command::Write {
            file: name().into()
        }
    );
    let expected = OsString::from_vec(b"b\xfe.bin".to_vec());
    assert_eq!(request.options.backup, Some(expected.into()));
}

fn answer(argv: &[OsString]) -> String {
    let error = parse(argv.iter().cloned()).expect_err("a mistake");
    usage::failure(&error, &argv[1..]).text().to_string()
}

#[test]
fn a_message_shows_no_control_characters_and_quotes_what_a_shell_would_split() {
    let words = ["mtkflash", "3", "e", "\u{1b}[2J"].map(OsString::from);
    let message = answer(&words);
    assert!(message.contains(r"$'\033[2J'"), "{message}");
    let words = ["mtkflash", "w", "/m", "my file's.bin"].map(OsString::from);
    let message = answer(&words);
    assert!(
        message.contains(r"mtkflash DRIVE w /m 'my file'\''s.bin'"),
        "{message}"
    );
}

/// Whether a word survives being joined and split at blanks.
fn is_plain(word: &OsString) -> bool {
    let text = word.to_str().unwrap_or(" ");
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// Words near the grammar, and any bytes.
fn word() -> impl Strategy<Value = OsString> {
    let known = prop::sample::select(vec![
        "1", "3", "1,2", "/dev/sr0", "sr0", "r", "W", "e", "c", "l", "i", "/m", "/b", "-mb", "/?",
        "/o", "/sata", "--", "-", "", "f.bin", "--yes", "--keep", "--keep=", "0x0-0x1", "--banks",
        "0-3", "--force", "--size", "1M", "--backup", "--sim", "--wait", "-", "=", "--=", "-é",
    ]);
    prop_oneof![
        4 => known.prop_map(OsString::from),
        1 => "(--(keep|banks|size|wait|force|via)=)?[0-9a-fxhKM,/-]{0,12}".prop_map(OsString::from),
        1 => prop::collection::vec(any::<u8>(), 0..12).prop_map(OsString::from_vec),
    ]
}

proptest! {
    #[test]
    fn no_line_panics_and_every_refusal_says_what_to_type(
        words in prop::collection::vec(word(), 0..8)
    ) {
        if let Err(error) = parse(words.iter().cloned()) {
            let typed = words.get(1..).unwrap_or_default();
            let text = usage::failure(&error, typed).text();
            prop_assert!(text.to_string().contains("\nNext  "), "{}", text);
            for command in text.commands() {
                let crate::cli::advice::Command::Flash(asking) = command else {
                    panic!("{command:?}");
                };
                prop_assert!(!asking.request().options.yes, "{}", text);
                let line = filled(asking.request());
                let line = line.split_whitespace().map(OsString::from);
                if asking.request().words().iter().all(is_plain) {
                    prop_assert!(parse(line).is_ok(), "{}", text);
                }
            }
        }
    }

    #[test]
    fn whoever_only_wants_to_look_is_led_to_no_line_that_changes_a_flash(
        mut words in prop::collection::vec(word(), 1..7),
        at in 1_usize..8,
    ) {
        words.insert(at.min(words.len()), "--dry-run".into());
        let typed = words.get(1..).unwrap_or_default();
        let is_switch = typed.iter().take_while(|word| *word != "--").any(|word| word == "--dry-run");
        let error = parse(words.iter().cloned()).err();
        if let (true, Some(error)) = (is_switch, error) {
            let text = usage::failure(&error, typed).text();
            for command in text.commands() {
                let crate::cli::advice::Command::Flash(asking) = command else {
                    panic!("{command:?}");
                };
                let request = asking.request();
                prop_assert!(!request.changes() || request.options.dry_run, "{:?}: {}", words, text);
            }
        }
    }

    #[test]
    fn the_order_of_words_does_not_matter(
        words in Just(vec!["3", "w", "f.bin", "/m", "-B", "--yes", "--banks=1"]).prop_shuffle()
    ) {
        let line = typed(&format!("mtkflash {}", words.join(" ")));
        prop_assert_eq!(line, typed("mtkflash 3 w f.bin /m /b --yes --banks 1"));
    }
}

/// Names of files: an ordinary one, and such as are called like something else.
const ODD_NAMES: [&str; 22] = [
    "f.bin",
    "r",
    "W",
    "erase",
    "3",
    "1,2",
    "sr0",
    "/m",
    "-m",
    "--yes",
    "--",
    "-",
    "/?",
    "/mb",
    "help",
    "/dev/shm/f.bin",
    "/dev/sr0",
    "my file's.bin",
    "~",
    "=f",
    "two\nlines",
    "\u{2013}b",
];

/// Those names, and any bytes.
fn file() -> impl Strategy<Value = PathBuf> {
    let odd = prop::sample::select(&ODD_NAMES[..]);
    prop_oneof![
        2 => odd.prop_map(PathBuf::from),
        1 => prop::collection::vec(1_u8.., 1..12)
            .prop_map(|bytes| PathBuf::from(OsString::from_vec(bytes))),
    ]
}

fn drive() -> impl Strategy<Value = DriveName> {
    prop_oneof![
        (1_u8..=4).prop_map(DriveName::Index),
        "/dev/(sr|sg)[0-9]{1,2}".prop_map(|path| DriveName::Path(path.into())),
        "/dev/disk/by-id/[a-zA-Z0-9_ '-]{1,12}".prop_map(|path| DriveName::Path(path.into())),
        "[A-Z]{2}[0-9]{3,9}".prop_map(DriveName::Serial),
        "[0-9]{4,12}".prop_map(DriveName::Serial),
        "0[0-9]{1,3}".prop_map(DriveName::Serial),
        "[A-Z]{2}[ .:#]{1,2}[0-9]{1,9}".prop_map(DriveName::Serial),
    ]
}

fn range() -> impl Strategy<Value = FlashRange> {
    (0_u32..1 << 24).prop_flat_map(|start| {
        (Just(start), start + 1..=1 << 24).prop_map(|(start, end)| FlashRange::new(start, end))
    })
}

/// Options of every kind; which of them go with a command is its own affair.
fn options() -> impl Strategy<Value = Options> {
    let switches = any::<[bool; 8]>();
    let log = prop_oneof![
        Just((None, false)),
        Just((None, true)),
        file().prop_map(|file| (Some(file), false))
    ];
    let files = (prop::option::of(file()), prop::option::of(file()), log);
    let parts = (
        prop::option::of(prop::collection::btree_set(0_u32..256, 1..6)),
        prop::option::of(range()),
        prop::collection::vec(range(), 0..3),
        prop::option::of("[0-9]{1,2}|[a-zA-Z0-9_./ '-]{1,12}"),
    );
    let images = (
        prop::option::of(any::<u16>().prop_map(Checksum)),
        prop::option::of(any::<u32>().prop_map(Crc32)),
        prop::option::of((prop::sample::select(Form::ALL.to_vec()), file())),
    );
    let ways = (
        prop::option::of(prop::sample::select(Via::ALL.to_vec())),
        prop::option::of("[a-z0-9-]{1,8}"),
        prop::option::of((0_u32..).prop_map(|wait| Duration::from_secs(wait.into()))),
        prop::option::of((1_u32..=256).prop_map(|banks| banks << 16)),
        any::<bool>(),
        prop::sample::subsequence(Check::ALL.to_vec(), 0..4),
    );
    let all = (switches, files, parts, images, ways);
    all.prop_map(|(switches, files, parts, images, ways)| Options {
        all: false,
        sum: images.0,
        crc32: images.1,
        to: images.2.as_ref().map(|(form, _)| *form),
        out: images.2.map(|(_, out)| out),
        yes: switches[0],
        dry_run: switches[1],
        no_backup: switches[2],
        skip_if_same: switches[7],
        json: switches[4],
        events: switches[5],
        quiet: switches[6],
        backup: files.0.filter(|_| switches[3]),
        sim: files.1,
        no_log: files.2.1,
        log: files.2.0,
        banks: parts.0.map(|banks| banks.into_iter().map(Bank).collect()),
        range: parts.1,
        keep: parts.2,
        entry: parts.3,
        via: ways.0,
        protocol: ways.1,
        wait: ways.2,
        size: ways.3,
        plain: ways.4,
        force: ways.5.into_iter().collect(),
    })
}

/// Takes away what does not go with the command.
fn without_strangers(request: &mut Request, verb: Verb) {
    let none = Options::default();
    let options = &mut request.options;
    for switch in SWITCHES {
        if switch.verbs.contains(&verb) {
            continue;
        }
        match switch.long {
            "merge" => request.merged = false,
            "binary" => request.binary = false,
            "yes" => options.yes = false,
            "json" => options.json = false,
            "events" => options.events = false,
            "dry-run" => options.dry_run = false,
            "backup" => options.backup = None,
            "no-backup" => options.no_backup = false,
            "skip-if-same" => options.skip_if_same = false,
            "banks" => options.banks = None,
            "entry" => options.entry = None,
            "sum" => options.sum = None,
            "crc32" => options.crc32 = None,
            "to" => options.to = None,
            "out" => options.out = None,
            "range" => options.range = None,
            "keep" => options.keep = none.keep.clone(),
            "size" => options.size = None,
            "wait" => options.wait = None,
            "via" => options.via = None,
            "protocol" => options.protocol = None,
            "force" => options.force = none.force.clone(),
            other => panic!("{other} is not known here"),
        }
    }
}

/// Any request that a line can ask for.
fn request() -> impl Strategy<Value = Request> {
    let verb = prop::sample::select(Verb::ALL.to_vec());
    let drives = prop::collection::vec(drive(), 0..4);
    let switches = (any::<bool>(), any::<bool>());
    let others = prop::collection::vec(file(), 0..3);
    let all = (verb, (file(), others), drives, switches, options());
    all.prop_map(|(verb, (file, others), drives, both, options)| {
        let mut request = Request {
            merged: both.0,
            binary: both.1,
            drives: Vec::new(),
            options: options.clone(),
            ..Request::without_drive(match verb {
                Verb::Read => Command::Read { file },
                Verb::Write => Command::Write { file },
                Verb::Verify => Command::Verify { file },
                Verb::Erase => Command::Erase,
                Verb::Check => Command::Check,
                Verb::List => Command::List,
                Verb::Inspect => Command::Inspect {
                    files: match options.to.is_some()
                        || options.sum.is_some()
                        || options.crc32.is_some()
                        || options.entry.is_some()
                    {
                        true => vec![file],
                        false => std::iter::once(file).chain(others).collect(),
                    },
                },
                Verb::Revive => Command::Revive,
            })
        };
        if !matches!(verb, Verb::List | Verb::Inspect) {
            for drive in drives {
                if !request.drives.contains(&drive) {
                    request.drives.push(drive);
                }
            }
        }
        match verb {
            Verb::Write | Verb::Erase if request.drives.is_empty() => {
                request.drives.push(DriveName::Index(3));
            }
            Verb::Read | Verb::Verify => request.options.all = request.drives.is_empty(),
            _ => {}
        }
        let options = &mut request.options;
        if options.backup.is_some() {
            options.no_backup = false;
        }
        if options.banks.is_some() {
            options.range = None;
        }
        without_strangers(&mut request, verb);
        if request.options.backup.as_deref() == request.command.file() {
            request.options.backup = None;
        }
        let log = request.options.log.as_deref();
        if [request.command.file(), request.options.backup.as_deref()].contains(&log) {
            request.options.log = None;
        }
        request
    })
}

proptest! {
    #[test]
    fn a_request_that_is_printed_is_understood_as_the_same(request in request()) {
        let words = std::iter::once("mtkflash".into()).chain(request.words());
        let parsed = parse(words).map(with_bare_names);
        let words = request.words();
        prop_assert_eq!(parsed, Ok(with_bare_names(request)), "{:?}", words);
    }
}

/// With the names of its files without the `./` that makes them one to any reader.
fn with_bare_names(mut request: Request) -> Request {
    let bare = |file: &mut PathBuf| {
        if let Ok(name) = file.strip_prefix(".") {
            *file = name.to_owned();
        }
    };
    match &mut request.command {
        Command::Read { file } | Command::Write { file } | Command::Verify { file } => bare(file),
        Command::Inspect { files } => files.iter_mut().for_each(bare),
        _ => {}
    }
    request
}

#[test]
fn a_printed_line_takes_a_switch_behind_it_whatever_its_file_is_called() {
    for name in ODD_NAMES {
        let request = on(3, write(name));
        let more = ["--yes", "--backup", "old.bin"].map(OsString::from);
        let words = request.words().into_iter().chain(more);
        let parsed = parse(std::iter::once("mtkflash".into()).chain(words));
        let mut expected = with_bare_names(request);
        expected.options.yes = true;
        expected.options.backup = Some("old.bin".into());
        assert_eq!(parsed.map(with_bare_names), Ok(expected), "{name}");
    }
}

/// Consent as it can be spelled, alone or with something else in the same word.
const SPELLED: [&[&str]; 19] = [
    &["/y"],
    &["-y"],
    &["/Y"],
    &["-Y"],
    &["--yes"],
    &["--YES"],
    &["--Yes"],
    &["-by"],
    &["-yb"],
    &["-mby"],
    &["-ymb"],
    &["--force", "model"],
    &["--force=model"],
    &["--FORCE=Family"],
    &["--force=model,unstable"],
    &["--force", "Structure,banner"],
    &["--force=interrupted", "--yes"],
    &["-y", "--force=overwrite"],
    &["--force=family", "--force", "blank", "-by"],
];
/// As other programs would take it. Several letters behind a slash are a path.
const MISSPELLED: [&[&str]; 6] = [
    &["/by"],
    &["/YB"],
    &["/myb"],
    &["--ye"],
    &["--forc=model"],
    &["--force-model"],
];

#[test]
fn every_spelling_of_consent_is_one_and_no_misspelled_one_is() {
    let parsed = |words: &[&str]| typed(&format!("mtkflash 3 w f.bin {}", words.join(" ")));
    for words in SPELLED {
        assert!(
            parsed(words).is_ok_and(|request| consented(&request)),
            "{words:?}"
        );
    }
    for words in MISSPELLED {
        assert!(parsed(words).is_err(), "{words:?}");
    }
}

fn consented(request: &Request) -> bool {
    request.options.yes || !request.options.force.is_empty()
}

/// A line that changes a flash with consent, its words in any order.
fn consenting() -> impl Strategy<Value = Vec<OsString>> {
    let others: [&[&str]; 10] = [
        &["--plain"],
        &["/quiet"],
        &["--quiet"],
        &["--no-backup"],
        &["--banks=0-1"],
        &["--banks", "1"],
        &["--keep", "0x0-0xff"],
        &["--wait=30"],
        &["--sim", "b.toml"],
        &["--backup=old/"],
    ];
    let others = others.map(<[&str]>::to_vec).to_vec();
    let others = prop::sample::subsequence(others, 0..4);
    let deeds = prop::sample::select(vec![vec!["w", "f.bin"], vec!["e"]]);
    let consents = SPELLED
        .iter()
        .chain(&MISSPELLED)
        .map(|words| words.to_vec());
    let consents = prop::sample::select(consents.collect::<Vec<_>>());
    let all = (consents, others, deeds);
    let groups = all.prop_map(|(consents, others, deed)| {
        let words = deed.into_iter().map(|word| vec![word]);
        // A value stays behind its option.
        let groups = words.chain([vec!["3"], consents]).chain(others);
        groups.collect::<Vec<Vec<&str>>>()
    });
    groups.prop_shuffle().prop_map(|groups| {
        let words = groups.into_iter().flatten().map(OsString::from);
        std::iter::once("mtkflash".into()).chain(words).collect()
    })
}

/// What is advised to whoever has typed this and met one thing or another.
fn advised(request: &Request) -> Vec<Text> {
    let unfinished = |doubt, half_written| Refusal::Unfinished {
        backup: "backup.bin".into(),
        date: "2004-05-21 10:00:00 UTC".parse().unwrap(),
        asked: Asked {
            words: Request {
                command: Command::Erase,
                ..request.clone()
            }
            .words(),
            image: None,
        },
        doubt,
        half_written,
    };
    let doubts = [Doubt::Lost, Doubt::Drive, Doubt::Several, Doubt::Blank];
    let refusals = doubts
        .iter()
        .flat_map(|doubt| [false, true].map(|half| unfinished(*doubt, half)))
        .chain(
            [Some("backup.bin".into()), None].map(|path| Refusal::BackupGone {
                path,
                crc32: None,
                date: "2004-05-21 10:00:00 UTC".parse().unwrap(),
                problem: BackupProblem::Unreadable,
            }),
        );
    let failures = refusals
        .map(|refusal| Failure::job(&refusal.into(), request))
        .chain([
            Failure::job(&JobError::Stopped, request),
            Failure::denied(&Word::Yes, request),
            Failure::unreported("", request),
        ]);
    let followed = [
        request.with_dry_run(),
        request.by(Via::Port),
        request.with_wait(Duration::from_secs(1)),
        request.without_backup(),
        request.with_any_backup(),
        request.list(),
        request.check(),
        request.read(),
        request.verify(),
        request.write(Path::new("g.bin")),
        request.restore(Path::new("g.bin")),
        request.of(DriveName::Index(1)),
    ];
    let followed = followed.into_iter().map(|request| {
        let advice = Advice::of("So:").then(request.clone());
        let advice = advice.then("As root:").then(request.as_root());
        advice.then("After a deed:").then(request.same()).text()
    });
    failures
        .map(|failure| failure.text())
        .chain(followed)
        .collect()
}

proptest! {
    #[test]
    fn no_advice_holds_consent_however_it_was_spelled(words in consenting()) {
        // What is not understood is not consent.
        if let Ok(request) = parse(words.iter().cloned()) {
            prop_assert!(consented(&request), "{:?}", words);
            for text in advised(&request) {
                for command in text.commands() {
                    let (advice::Command::Flash(asking) | advice::Command::FlashAsRoot(asking)) =
                        command
                    else {
                        continue;
                    };
                    prop_assert!(!consented(asking.request()), "{:?}: {}", words, text);
                    let printed = asking.request().words();
                    let again = std::iter::once("mtkflash".into()).chain(printed);
                    let again = parse(again).expect("advice is understood");
                    prop_assert!(!consented(&again), "{:?}: {}", words, text);
                }
            }
        }
    }
}
