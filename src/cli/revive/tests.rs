use std::ffi::OsString;
use std::path::Path;

use super::guide::{Complaint, End, Guide, Question, Rung, Seen, Sight, Task};
use super::words;
use crate::cli::args::{self, DriveName, Request};
use crate::cli::exit::Exit;
use crate::scsi::Identity;

/// What comes of the task that the guide has at hand.
#[derive(Debug, Clone)]
enum Then {
    Sees(Sight),
    Types(&'static str),
    /// Ctrl-C, or the terminal is gone.
    Leaves,
    Works,
    /// On a drive that can be written, and not read.
    WorksUnread,
    Fails(Exit),
}
use Then::{Fails, Leaves, Sees, Types, Works, WorksUnread};

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
            (Task::Run(_, request), Works | WorksUnread | Fails(_)) => {
                commands.push(line_of(&request));
                if matches!(then, WorksUnread) {
                    guide.met_write_only();
                }
                guide.ended(match then {
                    Fails(exit) => Err(*exit),
                    _ => Ok(()),
                });
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
    assert_eq!(walked.end(), &End::Back { identity: sony() });
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
    assert_eq!(walked.end(), &End::Failed(Exit::NoDrive));
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
            WorksUnread,
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
    let file = "bys2.bin".into();
    assert_eq!(walked.next, Task::Ask(Question::Write { file }));
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
        Fails(Exit::FailedPartly),
    ];
    let again = walk_on(&[&half[..], &[Types(""), Works]].concat());
    assert_eq!(again.commands[3], again.commands[4]);
    assert_eq!(again.next, Task::Ask(Question::OffAndOn));

    for leaving in [Types("q"), Leaves] {
        let left = walk_on(&[&half[..], &[leaving]].concat());
        assert_eq!(left.end().exit(), Exit::FailedPartly);
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
    let file = || "bys1.bin".into();
    let questions = [
        Question::WhichDrive {
            seen: at(3, Some(sony())).drives,
            has_ports: true,
        },
        Question::WhichDrive {
            seen: Vec::new(),
            has_ports: false,
        },
        Question::OnCable { position: 3 },
        Question::Keep {
            file: "dead-3.bin".into(),
        },
        Question::NothingKept,
        Question::WhichFile,
        Question::Write { file: file() },
        Question::WriteAnew { file: file() },
        Question::WriteOn {
            write: Box::new(typed("mtkflash 3 w /m bys1.bin")),
            exit: Exit::FailedPartly,
        },
        Question::OffAndOn,
    ];
    let rungs: Vec<Question> = Rung::all().map(Question::Prepare).collect();
    let drive = || DriveName::Index(3);
    let ends = [
        End::Back { identity: sony() },
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
        End::Stopped {
            flash: Some(Exit::Done),
        },
        End::Stopped {
            flash: Some(Exit::FailedPartly),
        },
        End::Stopped { flash: None },
    ];
    let request = typed("mtkflash 3 revive");
    let caller = crate::cli::caller::Caller::ordinary();
    let shown = questions
        .iter()
        .chain(&rungs)
        .map(words::question)
        .chain(
            ends.iter()
                .map(|end| match words::end(end, &request, None) {
                    Ok(text) => text,
                    Err(failure) => failure.text(),
                }),
        )
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
