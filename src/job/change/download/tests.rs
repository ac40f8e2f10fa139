//! Whole images sent to drives of the packet families.

use crate::cli::words::InWords;
use std::path::Path;

use super::*;
use crate::flash::{BANK_SIZE, Bank, Offset};
use crate::image::{Checksum, Image};
use crate::job::backup::Circumstances;
use crate::job::change::{ChangeError, Changed, Evidence};
use crate::job::{Event, FlashState, Selection, StopFlag};
use crate::protocol::Protocol;
use crate::protocol::Unreadable;
use crate::protocol::packet::tests::{Fake, Fault, NO_MEDIUM, RESET, noise};
use crate::sim::{Board, Firmware, Names};

fn put(bytes: &mut [u8], at: usize, text: &[u8]) {
    bytes[at..at + text.len()].copy_from_slice(text);
}

fn fake(protocol: Protocol) -> Fake {
    let (vendor, product) = match protocol {
        Protocol::Btc => ("BTC", "DRW1008IM"),
        Protocol::Mt1339 => ("TSSTcorp", "DVD-ROM SH-D163B"),
        Protocol::Sd616 => ("SAMSUNG", "DVD-ROM SD-616F"),
        Protocol::Mt1939 => ("TSSTcorp", "BDDVDW SE-506CB"),
        _ => ("ASUS", "BW-16D1HT"),
    };
    let fake = Fake::new(protocol, vendor, product);
    fake.with(|state| {
        let firmware = image_of(protocol, "OLD1", 1);
        state.flash = firmware;
        let mut afterwards = state.identity.clone();
        afterwards.revision = "NEW2".to_owned();
        state.identity_afterwards = Some(afterwards);
    });
    fake
}

/// Firmware as this family's images are.
fn image_of(protocol: Protocol, revision: &str, seed: u64) -> Vec<u8> {
    let names = |vendor: &str, product: &str| format!("{vendor:8}{product:16}{revision:4}");
    match protocol {
        Protocol::Btc => {
            let mut image = noise(0x10_0000, seed);
            put(&mut image, 0x40BC, names("BTC", "DRW1008IM").as_bytes());
            image
        }
        Protocol::Mt1339 => {
            let mut image = noise(0x4_0000, seed);
            let names = names("TSSTcorp", "DVD-ROM SH-D163B");
            put(&mut image, 0x1234, names.as_bytes());
            image
        }
        Protocol::Sd616 => {
            let mut image = noise(0x2_0000, seed);
            let names = names("SAMSUNG", "DVD-ROM SD-616F");
            put(&mut image, 0x1234, names.as_bytes());
            image
        }
        Protocol::Mt1939 => {
            let mut image = noise(0x20_0000, seed);
            let names = names("TSSTcorp", "BDDVDW SE-506CB");
            put(&mut image, 0x1F_FFD0, names.as_bytes());
            let sum = Checksum::of(&image[0x1_0000..0x1E_2000]).0;
            put(&mut image, 0x1F_FFFE, &sum.to_be_bytes());
            image
        }
        _ => Firmware::new(0x20_0000, seed)
            .with(Names::BluRay(Board::new("JB8", "JB8")))
            .identified("ASUS", "BW-16D1HT", revision)
            .bytes(),
    }
}

const FAMILIES: [Protocol; 5] = [
    Protocol::Btc,
    Protocol::Mt1339,
    Protocol::Sd616,
    Protocol::Mt1939,
    Protocol::Mt1959,
];

const READABLE: [Protocol; 2] = [Protocol::Mt1939, Protocol::Mt1959];

fn new_image(protocol: Protocol) -> Image {
    Image::from_bytes(image_of(protocol, "NEW2", 2))
}

fn request<'a>(content: Content<'a>, backup: BackupWish) -> Request<'a> {
    Request {
        content,
        file: None,
        selection: Selection::Everything,
        keep: Vec::new(),
        backup,
        forced: Forced::new(),
        circumstances: Circumstances {
            journal: Default::default(),
            date: "2026-11-22 12:00:00 UTC".parse().unwrap(),
            tool: "mtkflash".to_owned(),
        },
        dry_run: false,
        skip_if_same: false,
    }
}

fn image(image: &Image) -> Content<'_> {
    Content::Image {
        image,
        record: None,
    }
}

#[derive(Debug)]
struct Outcome {
    proposal: Result<Proposal, JobError>,
    changed: Option<Result<Changed, ChangeError>>,
    events: Vec<Event>,
}

impl Outcome {
    fn refusal(self) -> Refusal {
        match self.proposal {
            Err(JobError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn changed(self) -> Changed {
        self.changed.unwrap().unwrap()
    }
}

/// Prepares, and carries out what is proposed.
fn run(fake: &Fake, request: &Request) -> Outcome {
    run_until(fake, request, |_| false)
}

/// The same, and at this event the user wants to stop.
fn run_until(fake: &Fake, request: &Request, is_time: fn(&Event) -> bool) -> Outcome {
    let (mut drive, _) = fake.drive();
    let mut events = Vec::new();
    let stop = StopFlag::default();
    let mut sink = |event| {
        if is_time(&event) {
            stop.request();
        }
        events.push(event);
    };
    let mut job = Job::new(&mut drive, &mut sink, &stop);
    let proposal = super::super::prepare(&mut job, request);
    let changed = match &proposal {
        Ok(proposal) if !proposal.is_empty() => Some(proposal.carry_out(&mut job)),
        _ => None,
    };
    Outcome {
        proposal,
        changed,
        events,
    }
}

/// A write without a backup.
fn write(fake: &Fake, content: Content<'_>) -> Outcome {
    run(fake, &request(content, BackupWish::None))
}

fn flash(fake: &Fake) -> Vec<u8> {
    fake.with(|state| state.flash.clone())
}

fn holds(fake: &Fake, image: &[u8]) -> bool {
    let owned = fake.with(|state| state.family.rules.owned);
    let everything = FlashRange::new(0, image.len() as u32);
    let flash = flash(fake);
    without(&[everything], &owned_ranges(owned))
        .iter()
        .all(|range| range.of(&flash) == range.of(image))
}

#[test]
fn every_family_takes_its_image_and_tells_its_old_and_new_revision() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        let new = new_image(protocol);
        let outcome = write(&fake, image(&new));
        assert!(outcome.events.iter().any(|event| matches!(
            event,
            Event::AwaitingDrive { remaining, .. } if !remaining.is_zero()
        )));
        let changed = outcome.changed();
        assert!(holds(&fake, new.bytes()), "{protocol}");
        let restart = changed.restart.unwrap();
        assert_eq!(restart.before.unwrap().revision, "OLD1");
        assert_eq!(restart.after.revision, "NEW2");
        assert_eq!(changed.programmed, new.bytes().len() as u64);
        let is_read_back = matches!(changed.evidence, Evidence::ReadBack(_));
        assert_eq!(is_read_back, READABLE.contains(&protocol));
    }
}

#[test]
fn a_stop_while_the_drive_is_awaited_is_answered_and_the_job_goes_on() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        let new = new_image(protocol);
        let request = request(image(&new), BackupWish::None);
        let outcome = run_until(&fake, &request, |event| {
            matches!(event, Event::AwaitingDrive { .. })
        });
        let answers = outcome.events.iter();
        let answers = answers.filter(|event| matches!(event, Event::StopPostponed));
        assert_eq!(answers.count(), 1, "{protocol}");
        outcome.changed();
        assert!(holds(&fake, new.bytes()), "{protocol}");
    }
}

#[test]
fn progress_comes_as_banks_from_the_first_to_the_last() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        let new = new_image(protocol);
        let events = write(&fake, image(&new)).events;
        let phase = Phase::Program;
        let done: Vec<u32> = events
            .iter()
            .filter_map(|event| match event {
                Event::BankDone {
                    phase: of, bank, ..
                } if *of == phase => Some(bank.0),
                _ => None,
            })
            .collect();
        assert_eq!(done, (0..new.size() / BANK_SIZE).collect::<Vec<_>>());
        let bytes: u64 = events
            .iter()
            .map(|event| match event {
                Event::Progress { phase: of, bytes } if *of == phase => *bytes,
                _ => 0,
            })
            .sum();
        assert_eq!(bytes, u64::from(new.size()), "{protocol}");
    }
}

fn in_folder(folder: &Path) -> BackupWish {
    BackupWish::File(folder.join("backup.bin"))
}

#[test]
fn a_readable_drive_is_backed_up_whole_before_anything_is_sent() {
    for protocol in READABLE {
        let folder = tempfile::tempdir().unwrap();
        let fake = fake(protocol);
        let before = flash(&fake);
        let new = new_image(protocol);
        let request = request(image(&new), in_folder(folder.path()));
        run(&fake, &request).changed();
        let backup = std::fs::read(folder.path().join("backup.bin")).unwrap();
        assert_eq!(backup, before);
        let record = Record::beside(&folder.path().join("backup.bin")).unwrap();
        assert_eq!(record.drive.unwrap().revision, "OLD1");
        assert!(record.gaps.is_empty());
    }
}

#[test]
fn a_drive_that_cannot_be_read_is_written_only_without_a_backup() {
    for protocol in [Protocol::Btc, Protocol::Mt1339, Protocol::Sd616] {
        let folder = tempfile::tempdir().unwrap();
        let fake = fake(protocol);
        let new = new_image(protocol);
        let outcome = run(&fake, &request(image(&new), in_folder(folder.path())));
        assert!(matches!(
            outcome.refusal(),
            Refusal::NoBackupPossible(
                NoBackup::Unreadable(Unreadable::Undocumented { .. }) | NoBackup::Reported { .. }
            )
        ));
        assert!(fake.changing().is_empty());
    }
}

#[test]
fn an_mt1939_dump_without_the_drives_names_is_no_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let fake = fake(Protocol::Mt1939);
    fake.with(|state| state.flash[0x1F_FFD0..].fill(0x00));
    let new = new_image(Protocol::Mt1939);
    let outcome = run(&fake, &request(image(&new), in_folder(folder.path())));
    assert!(matches!(
        outcome.refusal(),
        Refusal::NoBackupPossible(NoBackup::Nameless { .. })
    ));
    assert!(!folder.path().join("backup.bin").exists());
    assert!(fake.changing().is_empty());
}

#[test]
fn an_image_that_is_already_there_is_not_sent() {
    for protocol in READABLE {
        let folder = tempfile::tempdir().unwrap();
        let fake = fake(protocol);
        let same = Image::from_bytes(flash(&fake));
        let outcome = run(&fake, &request(image(&same), in_folder(folder.path())));
        let proposal = outcome.proposal.unwrap();
        assert!(proposal.is_empty());
        assert_eq!(proposal.backup, Backup::NotNeeded);
        assert!(fake.changing().is_empty());
    }
}

#[test]
fn a_write_that_only_its_verification_lacked_is_over_when_the_image_is_found_there() {
    for protocol in READABLE {
        let new = new_image(protocol);
        let folder = tempfile::tempdir().unwrap();
        let good = fake(protocol);
        run(&good, &request(image(&new), in_folder(folder.path()))).changed();
        let commands = good.with(|state| state.log.len());

        let folder = tempfile::tempdir().unwrap();
        let fake = fake(protocol);
        let request = request(image(&new), in_folder(folder.path()));
        let is_unfinished = || {
            let record = Record::beside(&folder.path().join("backup.bin")).unwrap();
            record.before_writing.is_some()
        };
        fake.with(|state| state.faults.insert(commands - 1, Fault::Vanished));
        run(&fake, &request).changed.unwrap().unwrap_err();
        assert!(is_unfinished());

        assert!(run(&fake, &request).proposal.unwrap().is_empty());
        assert!(!is_unfinished());
    }
}

#[test]
fn what_is_no_firmware_is_refused_before_anything_is_sent() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        let size = flash(&fake).len();
        for bytes in [
            vec![0xFF; size],
            vec![0x00; size],
            b"no firmware ".repeat(size.div_ceil(12))[..size].to_vec(),
            noise(size / 2, 3),
            noise(size * 2, 3),
            noise(size - 1, 3),
        ] {
            let bad = Image::from_bytes(bytes);
            let outcome = write(&fake, image(&bad));
            assert!(matches!(outcome.proposal, Err(JobError::Image(_))));
        }
        assert!(fake.with(|state| state.log.is_empty()), "{protocol}");
    }
}

#[test]
fn an_mt1939_image_with_a_wrong_sum_is_refused() {
    let fake = fake(Protocol::Mt1939);
    let mut bytes = image_of(Protocol::Mt1939, "NEW2", 2);
    bytes[0x2_0000] ^= 1;
    let damaged = Image::from_bytes(bytes);
    let outcome = write(&fake, image(&damaged));
    assert!(matches!(outcome.proposal, Err(JobError::Image(_))));
}

#[test]
fn an_image_for_another_drive_is_refused_until_the_model_is_forced() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        let size = flash(&fake).len();
        let nameless = Image::from_bytes(noise(size, 3));
        let check = Check::Model;
        let mut request = request(image(&nameless), BackupWish::None);
        if protocol == Protocol::Mt1959 {
            // Such an image would be under tags that no noise has.
            request.forced = [check].into();
            let outcome = run(&fake, &request);
            assert!(matches!(outcome.proposal, Err(JobError::Image(_))));
            continue;
        }
        for other in [Check::Family, Check::Blank, Check::DriveRead] {
            request.forced = [other].into();
            assert!(
                matches!(run(&fake, &request).refusal(), Refusal::Check(found) if found.check() == check),
                "{protocol}"
            );
        }
        assert!(fake.changing().is_empty());
        request.forced = [check].into();
        let outcome = run(&fake, &request);
        let proposal = outcome.proposal.as_ref().unwrap();
        assert_eq!(proposal.fit.as_ref().unwrap().forced, Some(check));
        outcome.changed();
    }
}

#[test]
fn a_btc_image_for_another_btc_drive_is_refused() {
    let fake = fake(Protocol::Btc);
    fake.with(|state| state.identity.product = "DRW1004IM".to_owned());
    let new = new_image(Protocol::Btc);
    assert!(matches!(
        write(&fake, image(&new)).refusal(),
        Refusal::Check(found) if found.check() == Check::Model
    ));
}

#[test]
fn a_boot_loader_is_a_target_like_any_other() {
    let fake = fake(Protocol::Mt1939);
    fake.with(|state| {
        state.identity.revision = "BOOT".to_owned();
        state.flash[0x1_0000..].fill(0xFF);
    });
    let new = new_image(Protocol::Mt1939);
    let restart = write(&fake, image(&new)).changed().restart.unwrap();
    assert_eq!(restart.before.unwrap().revision, "BOOT");
    assert!(holds(&fake, new.bytes()));
}

#[test]
fn a_drive_that_comes_back_as_its_boot_loader_has_not_taken_the_image() {
    let fake = fake(Protocol::Mt1939);
    fake.with(|state| {
        if let Some(identity) = &mut state.identity_afterwards {
            identity.revision = "BOOT".to_owned();
        }
    });
    let new = new_image(Protocol::Mt1939);
    let error = write(&fake, image(&new)).changed.unwrap().unwrap_err();
    assert_eq!(
        error.in_words(),
        "the drive came back as TSSTcorp BDDVDW SE-506CB BOOT: no firmware runs in it"
    );
    assert_eq!(error.flash(), FlashState::InDoubt { taken: 32, of: 32 });
}

#[test]
fn a_drive_that_comes_back_under_another_name_is_a_failure_in_every_family() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        fake.with(|state| {
            if let Some(identity) = &mut state.identity_afterwards {
                identity.product = "SOMETHING ELSE".to_owned();
            }
        });
        let new = new_image(protocol);
        let error = write(&fake, image(&new)).changed.unwrap().unwrap_err();
        assert!(
            matches!(error, ChangeError::OtherIdentity { .. }),
            "{protocol}"
        );
    }
}

#[test]
fn only_an_mt1939_drive_is_erased() {
    for protocol in FAMILIES {
        let fake = fake(protocol);
        let outcome = write(&fake, Content::Blank);
        if protocol == Protocol::Mt1939 {
            let changed = outcome.changed();
            assert!(matches!(changed.evidence, Evidence::ReadBack(_)));
            assert!(flash(&fake)[0x1_0000..].iter().all(|byte| *byte == 0xFF));
            continue;
        }
        assert!(matches!(outcome.refusal(), Refusal::Unerasable { .. }));
        assert!(fake.with(|state| state.log.is_empty()));
    }
}

#[test]
fn a_part_of_such_a_flash_is_neither_written_nor_kept() {
    let fake = fake(Protocol::Mt1959);
    let new = new_image(Protocol::Mt1959);
    let mut part = request(image(&new), BackupWish::None);
    part.selection = Selection::Banks(vec![Bank(3)]);
    assert!(matches!(run(&fake, &part).refusal(), Refusal::NoParts));
    part.selection = Selection::Everything;
    part.keep = vec![Bank(3).range()];
    assert!(matches!(run(&fake, &part).refusal(), Refusal::NoParts));
    assert!(fake.with(|state| state.log.is_empty()));
}

const HIDDEN: FlashRange = FlashRange::new(0x5_4000, 0x5_C000);

#[test]
fn a_block_that_is_refused_once_is_no_gap() {
    let fake = fake(Protocol::Mt1959);
    let (mut drive, _) = fake.drive();
    fake.with(|state| state.faults.insert(9, Fault::Sense(5, 0x24, 0)));
    let mut sink = |_| {};
    let stop = StopFlag::default();
    let mut job = Job::new(&mut drive, &mut sink, &stop);
    let dump = read::read(&mut job, &Selection::Everything).unwrap();
    assert!(dump.gaps.is_empty());
    assert!(dump.bytes == flash(&fake));
}

#[test]
fn a_range_that_is_refused_becomes_one_gap_and_is_named_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let fake = fake(Protocol::Mt1959);
    fake.with(|state| state.refused = vec![HIDDEN]);
    let (mut drive, _) = fake.drive();
    let mut events = Vec::new();
    let mut sink = |event| events.push(event);
    let stop = StopFlag::default();
    let mut job = Job::new(&mut drive, &mut sink, &stop);
    let dump = read::read(&mut job, &Selection::Everything).unwrap();
    assert_eq!(dump.gaps, [HIDDEN]);
    assert!(HIDDEN.of(&dump.bytes).iter().all(|byte| *byte == 0xFF));
    let (compared, _) = crate::job::verify::verify(
        &mut job,
        &Image::from_bytes(flash(&fake)),
        &Selection::Everything,
        &[],
    )
    .unwrap();
    assert_eq!(compared.difference, None);
    assert_eq!(compared.gaps, [HIDDEN]);
    assert_eq!(compared.owned.len(), 5 + 1, "and what is under no tag");
    let told = events
        .iter()
        .filter(|event| matches!(event, Event::Gap { .. }))
        .count();
    assert_eq!(
        told,
        2 + 2,
        "two blocks each, once for the dump and once more"
    );

    let new = new_image(Protocol::Mt1959);
    let mut request = request(image(&new), in_folder(folder.path()));
    assert!(matches!(
        run(&fake, &request).refusal(),
        Refusal::Check(found) if found.check() == Check::Gaps
    ));
    assert!(fake.changing().is_empty());
    request.forced = [Check::Gaps].into();
    let changed = run(&fake, &request).changed();
    let Evidence::ReadBack(compared) = changed.evidence else {
        panic!("not read back");
    };
    assert_eq!(compared.gaps, [HIDDEN]);
    let path = folder.path().join("backup.bin");
    let record = Record::beside(&path).unwrap();
    assert_eq!(record.gaps, [FlashRange::new(0x5_4000, 0x5_C000)]);

    let dump = Image::from_bytes(std::fs::read(path).unwrap());
    let content = Content::Image {
        image: &dump,
        record: Some(Box::new(record)),
    };
    // Nor do the tags hold where FF stands for what was not read.
    let outcome = write(&fake, content);
    assert!(matches!(outcome.proposal, Err(JobError::Image(_))));
}

#[test]
fn a_flash_that_reads_back_differently_is_no_success() {
    let fake = fake(Protocol::Mt1959);
    let new = new_image(Protocol::Mt1959);
    let (mut drive, _) = fake.drive();
    let mut sink = |event| {
        if matches!(
            event,
            Event::Started {
                phase: Phase::Verify,
                ..
            }
        ) {
            fake.with(|state| state.flash[0x12_3456] ^= 0xFF);
        }
    };
    let stop = StopFlag::default();
    let mut job = Job::new(&mut drive, &mut sink, &stop);
    let request = request(image(&new), BackupWish::None);
    let proposal = super::super::prepare(&mut job, &request).unwrap();
    let error = proposal.carry_out(&mut job).unwrap_err();
    let ChangeError::Different(difference) = error else {
        panic!("{error}");
    };
    assert_eq!(difference.first, Offset(0x12_3456));
}

#[test]
fn a_drive_that_came_back_as_the_image_and_cannot_be_read_is_not_told_to_be_in_doubt() {
    let new = new_image(Protocol::Mt1939);
    let good = fake(Protocol::Mt1939);
    write(&good, image(&new)).changed();
    let last = good.with(|state| state.log.len()) - 1;
    let fake = fake(Protocol::Mt1939);
    fake.with(|state| state.faults.insert(last, Fault::Sense(3, 0x11, 0)));
    let error = write(&fake, image(&new)).changed.unwrap().unwrap_err();
    assert_eq!(error.flash(), FlashState::Written);
    assert!(holds(&fake, new.bytes()));
}

/// The commands of a run without faults at which a fault shall come: all at
/// the beginning and around the end of the download, some of the rest.
fn interesting(log: &[u8]) -> Vec<usize> {
    let is_changing = |number: &usize| matches!(log[*number], 0x3B | 0xFF);
    let last = (0..log.len()).rev().find(is_changing).unwrap();
    (0..log.len())
        .filter(|number| *number < 16 || number.abs_diff(last) < 8 || number % 29 == 0)
        .collect()
}

#[test]
fn after_any_single_fault_what_is_said_about_the_flash_is_true() {
    let faults = [
        Fault::Sense(5, 0x24, 0),
        Fault::Sense(4, 0x44, 0),
        RESET,
        NO_MEDIUM,
        Fault::TimedOut,
        Fault::Lost,
        Fault::Residue(1),
        Fault::Vanished,
    ];
    for protocol in FAMILIES {
        let new = new_image(protocol);
        let good = fake(protocol);
        write(&good, image(&new)).changed();
        let log: Vec<u8> = good.with(|state| state.log.iter().map(|(cdb, _)| cdb[0]).collect());
        let pristine = fake(protocol);
        let before = flash(&pristine);
        for (round, number) in interesting(&log).into_iter().enumerate() {
            // All faults around the download of small images, one after the
            // other for the 2 MiB ones.
            let some = faults
                .iter()
                .enumerate()
                .filter(|(nth, _)| before.len() < 0x10_0000 || nth % 4 == round % 4);
            for (_, fault) in some {
                let fake = pristine.another();
                fake.with(|state| state.faults.insert(number, *fault));
                let outcome = write(&fake, image(&new));
                let case = format!("{protocol}, command {number}: {fault:?}");
                let state = match (&outcome.proposal, &outcome.changed) {
                    (Err(error), _) => error.flash(),
                    (_, Some(Err(error))) => error.flash(),
                    (_, Some(Ok(changed))) => {
                        assert!(holds(&fake, new.bytes()), "{case}");
                        assert!(changed.restart.is_some(), "{case}");
                        continue;
                    }
                    other => panic!("{case}: {other:?}"),
                };
                match state {
                    FlashState::Unchanged => assert!(flash(&fake) == before, "{case}"),
                    FlashState::InDoubt { taken, of } => assert!(taken <= of, "{case}"),
                    FlashState::Written => assert!(holds(&fake, new.bytes()), "{case}"),
                    other => panic!("{case}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn no_command_is_sent_that_the_protocol_does_not_demand() {
    const READY: u8 = 0x00;
    const INQUIRY: u8 = 0x12;
    const READ_BUFFER: u8 = 0x3C;
    for (protocol, changing, read) in [
        (Protocol::Btc, 256 + 1 + 1, 0),
        (Protocol::Mt1339, 5, 0),
        (Protocol::Sd616, 3, 0),
        // Read back: 31 banks of 4 blocks.
        (Protocol::Mt1939, 34, 31 * 4),
    ] {
        let fake = fake(protocol);
        let new = new_image(protocol);
        write(&fake, image(&new)).changed();
        let log: Vec<u8> = fake.with(|state| state.log.iter().map(|(cdb, _)| cdb[0]).collect());
        let count = |opcode: u8| log.iter().filter(|of| **of == opcode).count();
        assert_eq!(fake.changing().len(), changing, "{protocol}");
        assert_eq!(count(READ_BUFFER), read, "{protocol}");
        // One before, and four until the drive has said twice that it is back.
        assert_eq!(count(READY), 1 + 4, "{protocol}");
        assert_eq!(count(INQUIRY), 1, "{protocol}");
        assert_eq!(log.len(), changing + read + 5 + 1, "{protocol}");
    }
    // What a Blu-ray drive is asked about itself changes nothing.
    let fake = fake(Protocol::Mt1959);
    let new = new_image(Protocol::Mt1959);
    write(&fake, image(&new)).changed();
    assert_eq!(fake.changing().len(), 1 + 128);
}
