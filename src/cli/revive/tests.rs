use std::ffi::OsString;
use std::path::Path;

use super::answer::Complaint;
use super::guide::{End, Guide, Met, Question, Rung, Seen, Sight, Step, Task, Tried};
use super::words;
use crate::cli::args::{self, DriveName, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::{Begun, Failure, Flash};
use crate::job::FlashState;
use crate::scsi::Identity;

/// What comes of the task that the guide has at hand.
#[derive(Debug, Clone)]
enum Then {
    Sees(Sight),
    Types(&'static str),
    /// Ctrl-C, or the terminal is gone.
    Leaves,
    Works,
    Meets(Met),
    /// And would fail again.
    Fails(Exit),
    /// And its message offers the same again, after a deed.
    FailsForNow(Exit),
}
use Then::{Fails, FailsForNow, Leaves, Meets, Sees, Types, Works};

const NOTHING: Met = Met {
    is_write_only: false,
    may_be_read: false,
    is_beyond_help: false,
    is_read_only: false,
    is_of_unknown_size: false,
    has_backup: false,
};

const WRITE_ONLY: Met = Met {
    is_write_only: true,
    ..NOTHING
};

const READ_ONLY: Met = Met {
    is_read_only: true,
    ..NOTHING
};

const BACKED_UP: Met = Met {
    has_backup: true,
    ..NOTHING
};

/// As a chip that is in no table.
const UNKNOWN: Met = Met {
    is_read_only: true,
    is_of_unknown_size: true,
    ..NOTHING
};

fn typed(line: &str) -> Request {
    args::parse(line.split_whitespace().map(OsString::from)).expect(line)
}

fn line_of(request: &Request) -> String {
    let words = request.words();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// The commands that were carried out on the way, and how it ended.
struct Walked {
    commands: Vec<String>,
    asked: Vec<Question>,
    complaints: Vec<Complaint>,
    next: Task,
}

impl Walked {
    /// Which write the question at hand is about, and what it says of it: whether it
    /// was tried, and that the flash is half-written.
    fn offered(&self) -> (String, Tried, bool) {
        match &self.next {
            Task::Ask(Question::Write {
                write,
                tried,
                half_written,
            }) => (line_of(write), *tried, *half_written),
            other => panic!("no write is offered: {other:?}"),
        }
    }

    fn end(&self) -> &End {
        match &self.next {
            Task::End(end) => end,
            other => panic!("it goes on: {other:?}"),
        }
    }
}

/// Goes the way as far as it is told.
fn walk(line: &str, way: &[Then]) -> Walked {
    walk_beside(line, |_| false, way)
}

fn walk_beside(line: &str, is_taken: fn(&Path) -> bool, way: &[Then]) -> Walked {
    let mut guide = Guide::of(&typed(line), is_taken);
    let mut commands = Vec::new();
    let mut asked = Vec::new();
    let mut complaints = Vec::new();
    for then in way {
        match (guide.task(), then) {
            (Task::Look(_, request), Sees(sight)) => {
                commands.push(line_of(&request));
                guide.saw(sight.clone());
            }
            (Task::Run(_, request), Works | Meets(_) | Fails(_) | FailsForNow(_)) => {
                commands.push(line_of(&request));
                let failure = |exit: &Exit| exit.because("It failed.");
                let result = match then {
                    Fails(exit) => Err(failure(exit)),
                    FailsForNow(exit) => {
                        Err(failure(exit).next("After this:").next(request.same()))
                    }
                    Meets(met) => Ok(*met),
                    _ => Ok(Met::default()),
                };
                guide.ended(result.as_ref().copied());
            }
            (Task::Ask(question), Types(_) | Leaves) => {
                asked.push(question);
                guide.heard(match then {
                    Types(words) => Some(*words),
                    _ => None,
                });
                complaints.extend(guide.complaint());
            }
            (task, then) => panic!("{then:?} does not fit {task:?}"),
        }
    }
    Walked {
        commands,
        asked,
        complaints,
        next: guide.task(),
    }
}

fn sony() -> Identity {
    Identity {
        vendor: "SONY".to_owned(),
        product: "DVD RW DW-D22A".to_owned(),
        revision: "BYS1".to_owned(),
        serial: None,
    }
}

fn nothing(has_ports: bool) -> Sight {
    Sight {
        drives: Vec::new(),
        has_ports,
    }
}

/// A drive at this position of an IDE controller, silent or not.
fn at(position: u8, identity: Option<Identity>) -> Sight {
    Sight {
        drives: vec![Seen {
            names: vec![
                DriveName::Path("/dev/sr0".into()),
                DriveName::Index(position),
            ],
            at_ports: Some(DriveName::Index(position)),
            identity,
        }],
        has_ports: true,
    }
}

fn behind_usb() -> Sight {
    Sight {
        drives: vec![Seen {
            names: vec![DriveName::Path("/dev/sr0".into())],
            at_ports: None,
            identity: Some(sony()),
        }],
        has_ports: false,
    }
}

#[test]
fn a_silent_drive_is_named_reached_by_its_port_kept_written_and_seen_again() {
    let walked = walk(
        "mtkflash revive",
        &[
            Sees(nothing(true)),
            Types("3"),
            Types("yes"),
            Fails(Exit::FailedUnchanged),
            Types(""),
            Works,
            Types(""),
            Works,
            Types("bys1.bin"),
            Works,
            Types(""),
            Works,
            Types(""),
            Sees(at(3, Some(sony()))),
        ],
    );
    assert_eq!(
        walked.commands,
        [
            "l",
            "3 c --wait 0 --via port",
            "3 c --wait 200 --via port",
            "3 r /m /b dead-3.bin --via port",
            "i bys1.bin",
            "3 w /m bys1.bin --via port",
            "l",
        ]
    );
    let back = End::Back {
        identity: sony(),
        has_backup: true,
    };
    assert_eq!(walked.end(), &back);
    assert_eq!(walked.end().exit(), Exit::Done);
}

#[test]
fn a_drive_that_only_a_dead_port_would_reach_ends_before_anything_is_sent() {
    for way in [
        vec![Sees(nothing(false)), Types("3")],
        vec![Sees(nothing(true)), Types("3"), Types("no")],
    ] {
        let walked = walk("mtkflash revive", &way);
        assert_eq!(walked.commands, ["l"]);
        assert_eq!(walked.end().exit(), Exit::NoDrive);
    }
}

#[test]
fn a_drive_behind_usb_goes_by_the_kernel_and_one_at_an_ide_port_by_that() {
    let usb = walk(
        "mtkflash revive",
        &[Sees(behind_usb()), Types("/dev/sr0"), Works],
    );
    assert_eq!(usb.commands[1], "/dev/sr0 c --wait 0");
    let ide = walk(
        "mtkflash /dev/sr0 revive",
        &[Sees(at(4, Some(sony()))), Works],
    );
    assert_eq!(ide.commands[1], "4 c --wait 0 --via port");
}

#[test]
fn a_drive_with_a_packet_protocol_goes_by_packets_wherever_it_is() {
    let btc = Identity {
        vendor: "BTC".to_owned(),
        product: "DVDRW DRW1008".to_owned(),
        revision: "0059".to_owned(),
        serial: None,
    };
    assert!(crate::protocol::packet::Family::by_identity(&btc).is_some());
    let walked = walk("mtkflash 3 revive", &[Sees(at(3, Some(btc))), Works]);
    assert_eq!(walked.commands[1], "3 c --wait 0");
}

#[test]
fn the_way_that_was_typed_is_the_way_that_is_gone() {
    let walked = walk(
        "mtkflash 3 revive --via ata --wait 7",
        &[Sees(at(3, None)), Works],
    );
    assert_eq!(walked.commands[1], "3 c --wait 7 --via ata");
}

#[test]
fn a_drive_that_goes_on_refusing_is_prepared_in_four_ways_and_then_given_up() {
    let refused = Fails(Exit::FailedUnchanged);
    let mut way = vec![Sees(at(3, None)), refused.clone()];
    for _ in Rung::all() {
        way.extend([Types(""), refused.clone()]);
    }
    let walked = walk("mtkflash 3 revive", &way);
    let prepared = Rung::all().map(Question::Prepare).collect::<Vec<_>>();
    assert_eq!(walked.asked, prepared);
    assert_eq!(walked.commands.len(), 2 + Rung::all().count());
    assert_eq!(walked.end(), &End::NotEntered);

    // Without trying them, nothing is sent at all.
    let way = [Sees(at(3, None)), refused].into_iter().chain([
        Types("n"),
        Types("n"),
        Types("n"),
        Types("n"),
    ]);
    let walked = walk("mtkflash 3 revive", &way.collect::<Vec<_>>());
    assert_eq!(walked.commands.len(), 2);
    assert_eq!(walked.end().exit(), Exit::FailedUnchanged);
}

#[test]
fn an_entry_that_fails_for_want_of_rights_ends_it_with_that() {
    let walked = walk(
        "mtkflash 3 revive",
        &[Sees(at(3, None)), Fails(Exit::NoDrive)],
    );
    assert!(matches!(walked.end(), End::Failed(_)));
    assert_eq!(walked.end().exit(), Exit::NoDrive);
}

/// The way up to the question for a file.
fn entered() -> Vec<Then> {
    vec![Sees(at(3, None)), Works, Types("n")]
}

fn walk_on(way: &[Then]) -> Walked {
    walk("mtkflash 3 revive", &[entered(), way.to_vec()].concat())
}

#[test]
fn what_is_kept_never_goes_over_a_file_that_is_there() {
    let is_taken = |file: &Path| file == Path::new("dead-3.bin");
    let walked = walk_beside(
        "mtkflash 3 revive",
        is_taken,
        &[
            Sees(at(3, None)),
            Works,
            Types(""),
            Fails(Exit::Refused),
            Types("n"),
        ],
    );
    assert_eq!(walked.commands[2], "3 r /m /b dead-3-2.bin --via port");
    assert_eq!(walked.next, Task::Ask(Question::WhichFile));
}

#[test]
fn nothing_is_read_of_a_drive_that_cannot_be_and_its_write_is_without_a_backup() {
    let walked = walk(
        "mtkflash 3 revive",
        &[
            Sees(at(3, None)),
            Meets(WRITE_ONLY),
            Types(""),
            Types("n"),
            Types("bys1.bin"),
            Works,
            Types(""),
            Works,
        ],
    );
    assert_eq!(walked.complaints, [Complaint::NotN]);
    assert_eq!(
        walked.commands[2..],
        ["i bys1.bin", "3 w /m bys1.bin --no-backup --via port"]
    );
}

#[test]
fn a_write_that_was_begun_is_offered_and_what_was_to_stay_stays() {
    let begun = |words: &str| Box::new(typed(words));
    let walk_with = |words: &str, is_taken: fn(&Path) -> bool, answers: &[&str]| {
        let mut guide = Guide::of(&typed("mtkflash 3 revive"), is_taken);
        guide.saw(at(3, Some(sony())));
        guide.has_begun(begun(words));
        guide.ended(Ok(NOTHING));
        for answer in answers {
            guide.heard(Some(answer));
            if let Task::Run(Step::Inspect, _) = guide.task() {
                guide.ended(Ok(NOTHING));
            }
        }
        guide.task()
    };
    let line = "mtkflash 3 w /m new.bin --keep 0x4100-0x41ff";
    let Task::Ask(Question::Write {
        write,
        half_written,
        ..
    }) = walk_with(line, |file| file == Path::new("new.bin"), &["n"])
    else {
        panic!("the write that was begun is not offered");
    };
    assert!(half_written);
    assert!(
        line_of(&write).contains("w /m new.bin"),
        "{}",
        line_of(&write)
    );
    assert!(line_of(&write).contains("--keep 0x4100-0x41ff"));
    // Of an image that is gone another is asked for, and the same stays.
    let gone = walk_with(line, |_| false, &["n"]);
    assert_eq!(gone, Task::Ask(Question::WhichFile));
    let other = walk_with(line, |_| false, &["n", "other.bin"]);
    let Task::Ask(Question::Write { write, .. }) = other else {
        panic!("no write of the other image");
    };
    assert!(line_of(&write).contains("other.bin"), "{}", line_of(&write));
    assert!(line_of(&write).contains("--keep 0x4100-0x41ff"));
}

#[test]
fn a_file_that_is_no_firmware_is_asked_for_again() {
    let walked = walk_on(&[
        Types(""),
        Types("'my holiday.jpg'"),
        Fails(Exit::BadImage),
        Types("bys1.bin"),
        Works,
        Types("bys2.bin"),
        Works,
    ]);
    assert_eq!(walked.complaints, [Complaint::NoFile]);
    assert_eq!(
        walked.commands[2..],
        ["i my holiday.jpg", "i bys1.bin", "i bys2.bin"]
    );
    let write = "3 w /m bys2.bin --via port";
    assert_eq!(walked.offered(), (write.to_owned(), Tried::Not, false));
}

#[test]
fn a_refused_write_takes_the_switch_that_the_refusal_names_and_no_other_command() {
    let walked = walk_on(&[
        Types("bys1.bin"),
        Works,
        Types(""),
        Fails(Exit::Refused),
        Types("--nonsense"),
        Types("--force=model 4"),
        Types("--force=model --no-backup"),
    ]);
    assert!(matches!(walked.complaints[0], Complaint::Words(_)));
    assert!(matches!(walked.complaints[1], Complaint::Words(_)));
    let Task::Run(_, request) = walked.next else {
        panic!("{:?}", walked.next);
    };
    assert_eq!(
        line_of(&request),
        "3 w /m bys1.bin --no-backup --via port --force=model"
    );
}

#[test]
fn no_write_says_yes_by_itself() {
    let walked = walk_on(&[Types("bys1.bin"), Works, Types("")]);
    let Task::Run(_, request) = walked.next else {
        panic!("{:?}", walked.next);
    };
    assert!(!request.options.yes && !request.options.no_backup);
    assert!(request.options.force.is_empty());
}

#[test]
fn a_write_that_fails_halfway_goes_on_with_the_same_and_tells_when_it_is_left() {
    let half = [
        Types("bys1.bin"),
        Works,
        Types(""),
        FailsForNow(Exit::FailedPartly),
    ];
    let again = walk_on(&[&half[..], &[Types(""), Works]].concat());
    assert_eq!(again.commands[3], again.commands[4]);
    assert_eq!(again.next, Task::Ask(Question::OffAndOn));

    for leaving in [Types("q"), Leaves] {
        let left = walk_on(&[&half[..], &[leaving]].concat());
        assert_eq!(left.end().exit(), Exit::FailedPartly);
    }
}

/// The way up to a flash that is half-written by this run, where the same once more
/// would end the same.
fn half_written() -> Vec<Then> {
    let write = [
        Types("bys1.bin"),
        Works,
        Types(""),
        Fails(Exit::FailedPartly),
    ];
    [entered(), write.to_vec()].concat()
}

#[test]
fn a_half_written_flash_is_told_at_every_question_and_at_the_end() {
    let ways: [&[Then]; 9] = [
        &[],
        // What was in it before is looked at.
        &[Types("dead-3.bin"), Works],
        &[Types("nosuch"), Fails(Exit::BadImage)],
        // A write that ends before its first change leaves it as it is.
        &[Types("--force=model"), FailsForNow(Exit::Stopped)],
        &[Types("--force=model"), Fails(Exit::Refused)],
        &[Types("--force=model"), Fails(Exit::NoDrive)],
        &[Types("--force=model"), Fails(Exit::FailedUnchanged)],
        &[Types("--force=model"), Fails(Exit::BadImage)],
        &[Types("--dry-run"), Works],
    ];
    for way in ways {
        for leaving in [Types("q"), Types("quit"), Leaves] {
            let way = [half_written(), way.to_vec()].concat();
            let asked = walk("mtkflash 3 revive", &way);
            assert!(asked.offered().2, "{way:?}");
            let left = walk("mtkflash 3 revive", &[way, vec![leaving]].concat());
            let is_told = matches!(
                left.end(),
                End::Stopped {
                    half_written: Some(_)
                }
            );
            assert!(is_told, "{:?}", left.end());
            assert_eq!(left.end().exit(), Exit::FailedPartly);
        }
    }
}

#[test]
fn what_the_flash_is_left_as_is_told_of_the_last_write_that_changed_it() {
    for (first, second) in [
        (Exit::FailedPartly, Exit::Different),
        (Exit::Different, Exit::Internal),
        (Exit::Internal, Exit::FailedPartly),
    ] {
        let left = walk_on(&[
            Types("bys1.bin"),
            Works,
            Types(""),
            FailsForNow(first),
            Types(""),
            FailsForNow(second),
            Types(""),
            FailsForNow(Exit::Stopped),
            Types("q"),
        ]);
        assert_eq!(left.end().exit(), second);
    }
}

#[test]
fn a_whole_write_ends_that_the_flash_is_half_written() {
    for whole in [Works, Fails(Exit::Unreported)] {
        let back = [Types("dead-3.bin"), Works, Types(""), whole];
        let way = [&half_written()[..], &back].concat();
        let written = walk("mtkflash 3 revive", &way);
        assert_eq!(written.next, Task::Ask(Question::OffAndOn));
        let left = walk("mtkflash 3 revive", &[way, vec![Types("q")]].concat());
        assert_eq!(left.end().exit(), Exit::Done);
    }
}

/// The way up to a write that was refused, where the same once more would end the same.
fn refused() -> Vec<Then> {
    vec![Types("bys1.bin"), Works, Types(""), Fails(Exit::Refused)]
}

#[test]
fn enter_is_taken_only_where_the_same_may_end_otherwise() {
    let in_vain = walk_on(&[refused(), vec![Types(""), Types("yes")]].concat());
    assert_eq!(in_vain.complaints, vec![Complaint::InVain; 2]);
    let write = "3 w /m bys1.bin --via port".to_owned();
    assert_eq!(in_vain.offered(), (write, Tried::InVain, false));

    for exit in [Exit::NoDrive, Exit::FailedUnchanged] {
        let again = walk_on(&[Types("bys1.bin"), Works, Types(""), Fails(exit), Types("")]);
        assert!(matches!(again.next, Task::Run(Step::Write, _)), "{exit:?}");
    }
    for (exit, is_half_written) in [(Exit::Stopped, false), (Exit::FailedPartly, true)] {
        let failed = [Types("bys1.bin"), Works, Types(""), FailsForNow(exit)];
        let asked = walk_on(&failed);
        assert_eq!(asked.offered().1, Tried::MayHelp);
        assert_eq!(asked.offered().2, is_half_written);
        let again = walk_on(&[&failed[..], &[Types("Y")]].concat());
        assert!(matches!(again.next, Task::Run(Step::Write, _)));
    }
    let worn = [half_written(), vec![Types("")]].concat();
    let worn = walk("mtkflash 3 revive", &worn);
    assert_eq!(worn.complaints, [Complaint::InVain]);
}

#[test]
fn the_name_of_a_check_is_its_switch_unless_a_file_is_called_so() {
    for meant in [
        "model",
        "MODEL",
        "force=model",
        "force model",
        "--force model",
    ] {
        let walked = walk_on(&[refused(), vec![Types(meant)]].concat());
        let Task::Run(Step::Write, request) = walked.next else {
            panic!("{meant}: {:?}", walked.next);
        };
        let line = "3 w /m bys1.bin --via port --force=model";
        assert_eq!(line_of(&request), line, "{meant}");
    }
    let is_taken = |file: &Path| file == Path::new("model");
    let way = [entered(), refused(), vec![Types("model")]].concat();
    let walked = walk_beside("mtkflash 3 revive", is_taken, &way);
    assert!(matches!(walked.next, Task::Run(Step::Inspect, _)));
}

#[test]
fn what_is_no_file_leaves_the_question_and_the_switches_as_they_were() {
    let switched = [Types("--force=model"), Fails(Exit::Refused)];
    let slips = [
        Types("modell"),
        Fails(Exit::BadImage),
        Types("holiday.jpg"),
        Fails(Exit::BadImage),
        Types("no"),
        Types("--yes"),
        Types("--force=model --yes"),
    ];
    let walked = walk_on(&[&refused()[..], &switched, &slips].concat());
    let write = "3 w /m bys1.bin --via port --force=model".to_owned();
    assert_eq!(walked.offered(), (write, Tried::InVain, false));
    assert_eq!(
        walked.complaints,
        [Complaint::No, Complaint::Consent, Complaint::Consent]
    );

    // Once a file is looked at that is one, the question is about that, and what was
    // passed for the other is not passed for it.
    let other = [Types("bys2.bin"), Works];
    let walked = walk_on(&[&refused()[..], &switched, &other].concat());
    let write = "3 w /m bys2.bin --via port".to_owned();
    assert_eq!(walked.offered(), (write, Tried::Not, false));
}

#[test]
fn switches_add_up_and_take_the_place_of_those_that_they_contradict() {
    let walked = walk_on(
        &[
            &refused()[..],
            &[Types("--backup old.bin"), Fails(Exit::Refused)],
            &[Types("--force=model"), Fails(Exit::Refused)],
        ]
        .concat(),
    );
    let both = "3 w /m bys1.bin --backup old.bin --via port --force=model";
    assert_eq!(walked.offered().0, both);
    let without = [
        Types("--backup old.bin"),
        Fails(Exit::Refused),
        Types("--no-backup"),
        Fails(Exit::Refused),
    ];
    let walked = walk_on(&[&refused()[..], &without].concat());
    let line = "3 w /m bys1.bin --no-backup --via port";
    assert_eq!(walked.offered().0, line);
}

#[test]
fn a_dry_run_writes_nothing_and_goes_back_to_the_question() {
    let dry = [Types("bys1.bin"), Works, Types("--dry-run"), Works];
    let walked = walk_on(&dry);
    assert_eq!(walked.commands[3], "3 w /m bys1.bin --dry-run --via port");
    let write = "3 w /m bys1.bin --via port".to_owned();
    assert_eq!(walked.offered(), (write, Tried::Not, false));
}

#[test]
fn a_backup_is_spoken_of_only_where_there_is_one() {
    let written = |keeping: &[Then], write: Then| {
        let way = [
            &[Sees(at(3, None)), Works][..],
            keeping,
            &[Types("bys1.bin"), Works, Types(""), write],
            &[Types(""), Sees(at(3, Some(sony())))],
        ];
        match walk("mtkflash 3 revive", &way.concat()).end() {
            End::Back { has_backup, .. } => *has_backup,
            other => panic!("{other:?}"),
        }
    };
    assert!(written(&[Types(""), Works], Works));
    assert!(written(&[Types("n")], Meets(BACKED_UP)));
    assert!(!written(&[Types("n")], Works));
}

#[test]
fn a_flash_of_unknown_size_is_not_read_before_its_size_is_typed() {
    let walked = walk(
        "mtkflash /dev/sr5 revive",
        &[
            Sees(behind_usb()),
            Meets(UNKNOWN),
            Types(""),
            Types("kept.bin"),
            Types("--size 256K"),
            Works,
        ],
    );
    assert_eq!(walked.complaints, [Complaint::NoSize, Complaint::NoSize]);
    let reads = walked.commands.iter().filter(|line| line.contains(" r "));
    assert_eq!(reads.count(), 1, "{:?}", walked.commands);
    assert!(matches!(walked.end(), End::ReadOnly { .. }));
}

#[test]
fn a_size_that_is_typed_is_for_that_read_and_the_next() {
    let sized = [
        Sees(at(3, None)),
        Works,
        Types("yes"),
        Fails(Exit::Refused),
        Types(""),
        Types("--size 256K --yes"),
        Types("--size 256K"),
        Fails(Exit::Refused),
        Types(""),
        Types("kept.bin"),
        FailsForNow(Exit::FailedUnchanged),
        Types(""),
        Works,
    ];
    let walked = walk("mtkflash 3 revive", &sized);
    assert_eq!(
        walked.complaints,
        [Complaint::InVain, Complaint::Consent, Complaint::InVain]
    );
    assert_eq!(
        walked.commands[2..],
        [
            "3 r /m /b dead-3.bin --via port",
            "3 r /m /b dead-3.bin --size 256K --via port",
            "3 r /m /b kept.bin --size 256K --via port",
            "3 r /m /b kept.bin --size 256K --via port",
        ]
    );
    assert_eq!(walked.next, Task::Ask(Question::WhichFile));
}

#[test]
fn the_way_that_is_typed_for_the_read_is_that_of_the_write() {
    let walked = walk(
        "mtkflash 3 revive",
        &[
            Sees(at(3, None)),
            Works,
            Types("--protocol vendor --force=unstable"),
            Works,
            Types("bys1.bin"),
            Works,
        ],
    );
    let write = "3 w /m bys1.bin --via port --protocol vendor";
    assert_eq!(walked.offered().0, write);
}

#[test]
fn a_chip_that_cannot_be_written_is_kept_and_no_firmware_is_asked_for() {
    for (keeping, file) in [
        (vec![Types(""), Meets(READ_ONLY)], Some("dead-3.bin".into())),
        (vec![Types("n")], None),
    ] {
        let entered = [Sees(at(3, None)), Meets(READ_ONLY)];
        let walked = walk("mtkflash 3 revive", &[&entered[..], &keeping].concat());
        let End::ReadOnly { kept, read } = walked.end() else {
            panic!("{:?}", walked.next);
        };
        assert_eq!(kept, &file);
        assert_eq!(line_of(read), "3 r /m /b dead-3.bin --via port");
        assert_eq!(walked.end().exit(), Exit::Refused);
    }
}

#[test]
fn every_question_can_be_left_and_nothing_was_changed_then() {
    let way = [
        Sees(nothing(true)),
        Types("3"),
        Types("yes"),
        Fails(Exit::FailedUnchanged),
        Types(""),
        Works,
        Types("n"),
        Types("bys1.bin"),
        Works,
    ];
    let questions = [1, 2, 4, 6, 7, 9];
    for (question, leaving) in questions
        .into_iter()
        .flat_map(|at| [(at, Leaves), (at, Types("q"))])
    {
        let mut way = way[..question].to_vec();
        way.push(leaving);
        let walked = walk("mtkflash revive", &way);
        assert_eq!(walked.end().exit(), Exit::Stopped, "{way:?}");
    }
}

#[test]
fn a_written_drive_that_is_not_seen_since_is_no_success() {
    let written = [Types("bys1.bin"), Works, Types(""), Works, Types("")];
    for sight in [nothing(true), at(3, None)] {
        let walked = walk_on(&[&written[..], &[Sees(sight)]].concat());
        assert_eq!(walked.end().exit(), Exit::NoDrive);
    }
}

#[test]
fn the_drive_is_no_file_and_no_list() {
    let walked = walk(
        "mtkflash revive",
        &[
            Sees(behind_usb()),
            Types("bys1.bin"),
            Types("1,2"),
            Types(""),
            Types("l"),
        ],
    );
    assert_eq!(walked.complaints, vec![Complaint::NoDrive; 4]);
    assert_eq!(walked.commands, ["l"]);
}

#[test]
fn every_question_and_every_end_in_words() {
    let tried = [Tried::Not, Tried::MayHelp, Tried::InVain];
    let first = [
        Question::WhichDrive {
            seen: at(3, Some(sony())).drives,
            has_ports: true,
        },
        Question::WhichDrive {
            seen: Vec::new(),
            has_ports: false,
        },
        Question::OnCable { position: 3 },
    ];
    let keep = tried.map(|tried| Question::Keep {
        read: Box::new(typed("mtkflash 3 r /m /b dead-3.bin")),
        tried,
    });
    let write = [false, true].into_iter().flat_map(|half_written| {
        tried.map(|tried| Question::Write {
            write: Box::new(typed("mtkflash 3 w /m bys1.bin")),
            tried,
            half_written,
        })
    });
    let questions: Vec<Question> = first
        .into_iter()
        .chain(keep)
        .chain([false, true].map(|may_be_read| Question::NothingKept { may_be_read }))
        .chain([Question::WhichFile])
        .chain(write)
        .chain([Question::OffAndOn])
        .collect();
    let rungs: Vec<Question> = Rung::all().map(Question::Prepare).collect();
    let drive = || DriveName::Index(3);
    let request = typed("mtkflash 3 revive");
    let half_written = Failure {
        flash: Flash::Unsaid,
        ..half().next("Leave it on:").next(request.same())
    };
    let ends = [
        End::Back {
            identity: sony(),
            has_backup: true,
        },
        End::Back {
            identity: sony(),
            has_backup: false,
        },
        End::NotSeenSince {
            drive: drive(),
            by_ports: true,
        },
        End::NotSeenSince {
            drive: drive(),
            by_ports: false,
        },
        End::NoWay { drive: drive() },
        End::NotEntered,
        End::BeyondHelp,
        End::ReadOnly {
            kept: Some("dead-3.bin".into()),
            read: Box::new(typed("mtkflash 3 r /m /b dead-3.bin")),
        },
        End::ReadOnly {
            kept: None,
            read: Box::new(typed("mtkflash 3 r /m /b dead-3.bin")),
        },
        End::Written,
        End::Stopped {
            half_written: Some(half_written),
        },
        End::Stopped { half_written: None },
    ];
    let caller = crate::cli::caller::Caller::ordinary();
    let complaints = [
        Complaint::Consent,
        Complaint::InVain,
        Complaint::No,
        Complaint::NotN,
    ];
    let said = ends.iter().map(|end| match words::end(end, &request) {
        Ok(text) => text,
        Err(failure) => failure.text(),
    });
    let shown = questions
        .iter()
        .chain(&rungs)
        .map(words::question)
        .chain(complaints.iter().map(words::complaint))
        .chain(said)
        .map(|text| {
            text.render(
                &caller,
                crate::cli::text::Look {
                    width: Some(80),
                    colours: false,
                },
            )
        });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n~~~\n"));
}

/// A write that has ended in the middle of it.
fn half() -> Failure {
    Failure {
        flash: Flash::Holds {
            state: FlashState::InDoubt { taken: 1, of: 4 },
            wrong: Vec::new(),
            old_content: Some("dead-3.bin".into()),
            begun: Begun::Nothing,
        },
        ..Exit::FailedPartly.because("The drive takes no more.")
    }
}

#[test]
fn of_a_half_written_flash_no_message_says_that_nothing_was_changed() {
    let request = typed("mtkflash 3 revive");
    let half = half();
    for offers in [false, true] {
        let half = match offers {
            true => half.clone().next("Leave it on:").next(request.same()),
            false => half.clone(),
        };
        let half_written = Some(half.clone());
        let end = words::end(&End::Stopped { half_written }, &request);
        let end = end.expect_err("no success");
        assert_eq!(end.flash, half.flash);
        let said = end.text().to_string();
        assert!(said.contains("Leave the drive on"), "{said}");
        assert_eq!(said.contains("the same file or another"), offers, "{said}");
    }

    // Nor does what came of a later command that changed nothing.
    let later = Exit::BadImage.because("There is no such file.");
    let next = Task::Ask(Question::WhichFile);
    let unchanged = "Nothing was changed.";
    let said = words::failed(&later, Some(&half), &next).to_string();
    assert!(!said.contains(unchanged), "{said}");
    assert!(said.contains("dead-3.bin"), "{said}");
    let said = words::failed(&later, None, &next).to_string();
    assert!(said.contains(unchanged), "{said}");
}
