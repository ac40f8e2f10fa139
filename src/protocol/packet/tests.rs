//! Packet drives against a drive made of a log and a memory.

use crate::cli::words::InWords;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::flash::FlashRange;
use crate::protocol::detect::Reason;
use crate::protocol::download::{
    Download, Guard, LastAnswer, Misfit, Offer, PrepareError, Prepared, Waiting,
};
use crate::protocol::{Detected, FirmwareDevice, Protocol, detect};
use crate::scsi::Identity;
use crate::sim::random::Random;
use crate::sim::{Board, Firmware, Names, SimClock};
use crate::transport::{Clock, Completion};

/// What happens to one command instead of what should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Sense(u8, u8, u8),
    /// Programming, and so far.
    Progress(u8),
    TimedOut,
    Lost,
    Residue(i32),
    Busy,
    Vanished,
    NotPermitted,
}

impl Fault {
    fn answer(self) -> Result<Completion, TransportError> {
        let completion = Completion::default();
        Ok(match self {
            Fault::Sense(key, asc, ascq) => Completion {
                status: 0x02,
                driver_status: 0x08,
                sense: vec![
                    0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0,
                ],
                ..completion
            },
            Fault::Progress(part) => Completion {
                status: 0x02,
                driver_status: 0x08,
                sense: vec![
                    0xF0, 0, 2, 0, part, 0, 0, 10, 0, 0, 0, 0, 0x04, 0x08, 0, 0, 0, 0,
                ],
                ..completion
            },
            Fault::TimedOut => Completion {
                host_status: 0x03,
                ..completion
            },
            Fault::Lost => Completion {
                host_status: 0x07,
                ..completion
            },
            Fault::Residue(residue) => Completion {
                residue,
                ..completion
            },
            Fault::Busy => Completion {
                status: 0x08,
                ..completion
            },
            Fault::Vanished => return Err(TransportError::Vanished),
            Fault::NotPermitted => return Err(TransportError::NotPermitted),
        })
    }
}

pub const READY_SOON: Fault = Fault::Sense(2, 0x04, 0x01);
pub const NO_MEDIUM: Fault = Fault::Sense(2, 0x3A, 0x00);
pub const RESET: Fault = Fault::Sense(6, 0x29, 0x00);

#[derive(Clone)]
pub struct State {
    pub family: &'static Family,
    pub identity: Identity,
    /// Who the drive is once it has been given a whole image.
    pub identity_afterwards: Option<Identity>,
    pub flash: Vec<u8>,
    staged: Vec<u8>,
    pub log: Vec<(Vec<u8>, Vec<u8>)>,
    /// By the number of the command.
    pub faults: BTreeMap<usize, Fault>,
    /// What TEST UNIT READY is answered once an image has been taken; then good.
    pub restart: VecDeque<Fault>,
    pub is_taken: bool,
    pub refused: Vec<FlashRange>,
    /// Attempts to find the drive again that fail.
    pub away: u32,
}

#[derive(Clone)]
pub struct Fake(pub Arc<Mutex<State>>);

impl Fake {
    pub fn new(protocol: Protocol, vendor: &str, product: &str) -> Fake {
        let family = Family::of(protocol).unwrap();
        Fake(Arc::new(Mutex::new(State {
            family,
            identity: Identity {
                vendor: vendor.to_owned(),
                product: product.to_owned(),
                revision: "OLD1".to_owned(),
                serial: None,
            },
            identity_afterwards: None,
            flash: noise(family.size as usize, 1),
            staged: Vec::new(),
            log: Vec::new(),
            faults: BTreeMap::new(),
            restart: [RESET, READY_SOON, NO_MEDIUM, NO_MEDIUM].into(),
            is_taken: false,
            refused: Vec::new(),
            away: 0,
        })))
    }

    /// A drive like this one, with a memory of its own.
    pub fn another(&self) -> Fake {
        self.with(|state| Fake(Arc::new(Mutex::new(state.clone()))))
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    pub fn drive(&self) -> (PacketDrive, Arc<SimClock>) {
        let clock = Arc::new(SimClock::default());
        let (family, identity) = self.with(|state| (state.family, state.identity.clone()));
        let drive = PacketDrive::new(
            family,
            Some(identity),
            Box::new(self.clone()),
            {
                let mut fake = self.clone();
                Box::new(move || fake.reopen())
            },
            clock.clone(),
        );
        (drive, clock)
    }

    /// The commands that a drive could be changed by, with their data.
    pub fn changing(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.with(|state| {
            let is_changing = |cdb: &[u8]| matches!(cdb.first(), Some(0x3B | 0xFF));
            state
                .log
                .iter()
                .filter(|(cdb, _)| is_changing(cdb))
                .cloned()
                .collect()
        })
    }
}

impl State {
    fn carry_out(&mut self, cdb: &[u8], data: Data<'_>) -> Result<Completion, TransportError> {
        let good = Ok(Completion::default());
        let three = |at: usize| u32::from_be_bytes([0, cdb[at], cdb[at + 1], cdb[at + 2]]);
        match (cdb[0], data) {
            (0x00, Data::None) if self.is_taken => {
                self.restart.pop_front().map_or(good, Fault::answer)
            }
            (0x00, Data::None) => good,
            (0x12, Data::In(into)) => {
                let identity = &self.identity;
                let text = format!(
                    "{:8}{:16}{:4}",
                    identity.vendor, identity.product, identity.revision
                );
                into.fill(0);
                into[..5].copy_from_slice(&[5, 0x80, 0, 0x32, 31]);
                into[8..36].copy_from_slice(text.as_bytes());
                good
            }
            (0x3C, Data::In(into)) => {
                let start = three(3);
                let end = start + three(6);
                assert_eq!(into.len() as u32, end - start);
                let range = FlashRange::new(start, end);
                if self.refused.iter().any(|refused| refused.overlaps(range)) {
                    return Fault::Sense(5, 0x24, 0).answer();
                }
                into.copy_from_slice(&self.flash[start as usize..end as usize]);
                good
            }
            (0x3B, Data::None) if cdb[1] == 1 => good,
            (0x3B, Data::None) if cdb[1..3] == [6, 0x67] => good,
            (0x46, Data::In(into)) => {
                into.fill(0);
                into[8..12].copy_from_slice(&[0x01, 0x0C, 3, 16]);
                into[12..26].copy_from_slice(b"20170302114500");
                good
            }
            (0x3B, Data::None) if cdb[1] == 7 => {
                self.program();
                good
            }
            (0x3B, Data::Out(bytes)) => {
                // The block with the sum is not part of the image.
                if bytes.len() > 0x20 {
                    assert_eq!(bytes.len() as u32, three(6));
                    self.staged.extend(bytes);
                }
                let is_mt1959 = self.family.protocol == Protocol::Mt1959;
                if is_mt1959 && self.staged.len() == self.flash.len() {
                    self.program();
                }
                good
            }
            (0xFF, Data::Out(bytes)) => {
                self.staged.extend(bytes);
                if matches!(cdb[5], 0x02 | 0x04) {
                    self.program();
                }
                good
            }
            other => panic!("unknown command {cdb:02x?} {other:?}"),
        }
    }

    fn program(&mut self) {
        let mut content = std::mem::take(&mut self.staged);
        if self.family.protocol == Protocol::Sd616 {
            content = [
                &content[..0x1_0000],
                &content[0x1_0400..0x1_FC00],
                &content[0x2_0000..0x2_0800],
            ]
            .concat();
        }
        for owned in self.family.rules.owned {
            let own = owned.range.of(&self.flash).to_vec();
            owned.range.of_mut(&mut content).copy_from_slice(&own);
        }
        content.truncate(self.flash.len());
        self.flash = content;
        self.is_taken = true;
        if let Some(identity) = self.identity_afterwards.take() {
            self.identity = identity;
        }
    }
}

impl PacketTransport for Fake {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        assert_eq!(cdb.len(), 12, "a drive takes 12 bytes");
        let is_changing = matches!(cdb[0], 0x3B | 0xFF);
        assert!(!is_changing || timeout >= Duration::from_secs(120));
        self.with(|state| {
            let number = state.log.len();
            let out = match &data {
                Data::Out(bytes) => bytes.to_vec(),
                _ => Vec::new(),
            };
            state.log.push((cdb.to_vec(), out));
            let fault = state.faults.get(&number).copied();
            let is_empty = matches!(data, Data::None);
            match fault {
                // Where there are no bytes, none are left.
                Some(Fault::Residue(_)) if is_empty => state.carry_out(cdb, data),
                // The worst case: the drive does what it is told, and the answer
                // is lost.
                Some(
                    fault @ (Fault::TimedOut | Fault::Lost | Fault::Residue(_) | Fault::Vanished),
                ) => {
                    state.carry_out(cdb, data)?;
                    fault.answer()
                }
                Some(fault) => fault.answer(),
                None => state.carry_out(cdb, data),
            }
        })
    }
}

impl Fake {
    fn reopen(&mut self) -> Result<OpenDrive, TransportError> {
        self.with(|state| match state.away.checked_sub(1) {
            Some(rest) => {
                state.away = rest;
                Err(TransportError::Vanished)
            }
            None => Ok(()),
        })?;
        Ok(Box::new(self.clone()))
    }
}

pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    Random::new(seed).bytes(length)
}

fn btc() -> Fake {
    Fake::new(Protocol::Btc, "BTC", "DRW1008IM")
}

fn mt1339() -> Fake {
    Fake::new(Protocol::Mt1339, "TSSTcorp", "DVD-ROM SH-D163B")
}

fn sd616() -> Fake {
    Fake::new(Protocol::Sd616, "SAMSUNG", "DVD-ROM SD-616F")
}

fn mt1939() -> Fake {
    Fake::new(Protocol::Mt1939, "TSSTcorp", "BDDVDW SE-506CB")
}

/// A drive whose boot record has the banner of its model.
fn mt1959() -> Fake {
    let fake = Fake::new(Protocol::Mt1959, "ASUS", "BW-16D1HT");
    fake.with(|state| state.flash = blu_ray(1));
    fake
}

/// Firmware for that drive, with valid tags.
fn blu_ray(seed: u64) -> Vec<u8> {
    Firmware::new(0x20_0000, seed)
        .with(Names::BluRay(Board::new("JB8", "JB8")))
        .identified("ASUS", "BW-16D1HT", "NEW2")
        .bytes()
}

fn all() -> [Fake; 5] {
    [btc(), mt1339(), sd616(), mt1939(), mt1959()]
}

fn image_for(fake: &Fake) -> Vec<u8> {
    match fake.with(|state| (state.family.protocol, state.flash.len())) {
        (Protocol::Mt1959, _) => blu_ray(2),
        (_, length) => noise(length, 2),
    }
}

fn nothing_forced() -> BTreeSet<Guard> {
    BTreeSet::new()
}

fn prepare(
    drive: &mut PacketDrive,
    image: &[u8],
    forced: &BTreeSet<Guard>,
) -> Result<Prepared, PrepareError> {
    drive.prepare(&Offer {
        before: None,
        image,
        flash: None,
        is_own_dump: false,
        forced,
    })
}

fn send(fake: &Fake, image: &[u8]) -> Result<u32, SendError> {
    let (mut drive, _) = fake.drive();
    let prepared = prepare(&mut drive, image, &nothing_forced()).unwrap();
    let mut taken = 0;
    drive.send(&prepared, &mut |bytes| taken += bytes)?;
    Ok(taken)
}

fn modes(fake: &Fake) -> Vec<(u8, usize)> {
    fake.changing()
        .iter()
        .map(|(cdb, data)| {
            assert_eq!(
                cdb[..],
                [0xFF, 0, 1, 0, 0, cdb[5], 0, 0, 0, 0, 0, 0],
                "nothing but the mode differs"
            );
            (cdb[5], data.len())
        })
        .collect()
}

#[test]
fn a_btc_drive_gets_256_blocks_then_the_sum_then_the_command_to_program() {
    let fake = btc();
    let image = image_for(&fake);
    assert_eq!(send(&fake, &image).unwrap(), 0x10_0000);
    let sent = fake.changing();
    assert_eq!(sent.len(), 256 + 2);
    for (number, (cdb, data)) in sent[..256].iter().enumerate() {
        let offset = number * 0x1000;
        let (high, middle) = ((offset >> 16) as u8, (offset >> 8) as u8);
        assert_eq!(
            cdb[..],
            [0x3B, 6, 0, high, middle, 0x20, 0, 0x10, 0, 0, 0, 0]
        );
        assert_eq!(data[..], image[offset..offset + 0x1000]);
    }
    let sum = image
        .iter()
        .fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    let (cdb, data) = &sent[256];
    assert_eq!(cdb[..], [0x3B, 6, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0]);
    assert_eq!(data[..30], [0; 30]);
    assert_eq!(data[30..], sum.to_be_bytes());
    let (cdb, data) = &sent[257];
    assert_eq!(cdb[..], [0x3B, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(data.is_empty());
}

#[test]
fn an_mt1339_drive_gets_five_blocks_and_mode_04_with_the_last() {
    let fake = mt1339();
    let image = image_for(&fake);
    assert_eq!(send(&fake, &image).unwrap(), 0x4_0000);
    assert_eq!(
        modes(&fake),
        [
            (0x00, 0xFC00),
            (0xFF, 0xFC00),
            (0xFF, 0xFC00),
            (0xFF, 0xFC00),
            (0x04, 0x1000)
        ]
    );
    assert_eq!(fake.with(|state| state.flash.clone()), image);
}

#[test]
fn an_sd616_image_is_spread_over_three_blocks() {
    let fake = sd616();
    let image = image_for(&fake);
    assert_eq!(send(&fake, &image).unwrap(), 0x2_0000);
    assert_eq!(
        modes(&fake),
        [(0x00, 0x1_0000), (0xFF, 0x1_0000), (0x02, 0x1_0000)]
    );
    let out: Vec<u8> = fake
        .changing()
        .into_iter()
        .flat_map(|sent| sent.1)
        .collect();
    assert_eq!(out[..0x1_0000], image[..0x1_0000]);
    assert_eq!(out[0x1_0000..0x1_0400], [0; 0x400]);
    assert_eq!(out[0x1_0400..0x1_FC00], image[0x1_0000..0x1_F800]);
    assert_eq!(out[0x1_FC00..0x2_0000], [0; 0x400]);
    assert_eq!(out[0x2_0000..0x2_0800], image[0x1_F800..]);
    assert_eq!(out[0x2_0800..0x2_FC00], image[0x1_0400..0x1_F800]);
    assert_eq!(out[0x2_FC00..], [0; 0x400]);
}

#[test]
fn an_mt1939_drive_gets_33_blocks_and_a_short_last_one() {
    let fake = mt1939();
    let image = image_for(&fake);
    assert_eq!(send(&fake, &image).unwrap(), 0x20_0000);
    let modes = modes(&fake);
    assert_eq!(modes.len(), 34);
    assert_eq!(modes[0], (0x00, 0xF800));
    assert!(modes[1..33].iter().all(|mode| *mode == (0xFF, 0xF800)));
    assert_eq!(modes[33], (0x02, 0x800));
}

#[test]
fn only_the_last_mt1939_block_may_report_a_residue_and_only_its_own_length() {
    for (number, residue, good) in [
        (34, 0x800, true),
        (34, 0x7FF, false),
        (34, -1, false),
        (33, 0xF800, false),
        (1, 0xF800, false),
    ] {
        let fake = mt1939();
        // TEST UNIT READY comes before.
        fake.with(|state| state.faults.insert(number, Fault::Residue(residue)));
        let sent = send(&fake, &image_for(&fake));
        assert_eq!(sent.is_ok(), good, "{number} {residue:#x}");
    }
    let fake = mt1339();
    fake.with(|state| state.faults.insert(5, Fault::Residue(0x1000)));
    assert!(send(&fake, &image_for(&fake)).is_err());
}

#[test]
fn an_mt1959_drive_gets_128_blocks_at_their_own_offsets() {
    let fake = mt1959();
    let image = image_for(&fake);
    assert_eq!(send(&fake, &image).unwrap(), 0x20_0000);
    let sent = fake.changing();
    assert_eq!(sent.len(), 1 + 128);
    assert_eq!(sent[0].0[..], [0x3B, 6, 0x67, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for (number, (cdb, _)) in sent[1..].iter().enumerate() {
        let [_, high, middle, low] = (number as u32 * 0x4000).to_be_bytes();
        assert_eq!(
            cdb[..],
            [0x3B, 6, 0, high, middle, low, 0, 0x40, 0, 0, 0, 0]
        );
    }
}

#[test]
fn an_mt1959_drive_keeps_its_boot_code_and_calibration() {
    let fake = mt1959();
    let image = image_for(&fake);
    let (mut drive, _) = fake.drive();
    let prepared = prepare(&mut drive, &image, &nothing_forced()).unwrap();
    let own = fake.with(|state| state.flash.clone());
    let content = &prepared.content;
    assert!(content[..0x3000].iter().all(|byte| *byte == 0xFF));
    assert_eq!(&content[0x3000..0x3010], b"MT1959 Boot JB8 ");
    assert!(content[0x3010..0x1_0000].iter().all(|byte| *byte == 0xFF));
    assert!(content[0x1_0000..0x1F_0000] == image[0x1_0000..0x1F_0000]);
    assert!(content[0x1F_0000..] == own[0x1F_0000..]);
    assert_eq!(prepared.notes.len(), 2);
    assert!(fake.changing().is_empty());
}

#[test]
fn an_mt1959_drive_that_does_not_know_the_newer_preparation_gets_the_older_one() {
    let fake = mt1959();
    let image = image_for(&fake);
    let (mut drive, _) = fake.drive();
    let prepared = prepare(&mut drive, &image, &nothing_forced()).unwrap();
    // TEST UNIT READY comes before it.
    let preparation = fake.with(|state| state.log.len()) + 1;
    for fault in [Fault::Sense(5, 0x24, 0), Fault::Sense(5, 0x20, 0)] {
        let fake = fake.another();
        fake.with(|state| state.faults.insert(preparation, fault));
        let (mut drive, _) = fake.drive();
        drive.send(&prepared, &mut |_| {}).unwrap();
        let sent = fake.changing();
        assert_eq!(sent[0].0[..3], [0x3B, 6, 0x67]);
        assert_eq!(sent[1].0[..], [0x3B, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(sent.len(), 2 + 128);
    }
}

#[test]
fn an_mt1959_drive_that_is_ready_at_once_has_rejected_the_image() {
    for restart in [vec![NO_MEDIUM], vec![]] {
        let fake = mt1959();
        fake.with(|state| state.restart = restart.into());
        let image = image_for(&fake);
        let error = send(&fake, &image).unwrap_err();
        assert!(matches!(error.source, DeviceError::Rejected), "{error}");
        assert_eq!(error.effect, Effect::Unchanged);
    }
}

#[test]
fn an_mt1959_drive_that_says_it_has_restarted_is_awaited_and_not_said_to_reject() {
    for answer in [
        RESET,
        Fault::Sense(6, 0x3F, 0x01),
        Fault::Sense(1, 0, 0),
        Fault::Sense(0, 0, 0),
        Fault::Sense(2, 0x3E, 0),
    ] {
        let fake = mt1959();
        fake.with(|state| state.restart = [answer, NO_MEDIUM, NO_MEDIUM].into());
        let image = image_for(&fake);
        send(&fake, &image).unwrap();
        let (mut drive, _) = fake.drive();
        drive.await_return(&mut |_| {}).unwrap();
    }
}

#[test]
fn an_mt1959_drive_is_back_with_good_or_no_medium_alone() {
    const SAYS_NOTHING: [Fault; 3] = [
        Fault::Sense(1, 0, 0),
        Fault::Sense(0, 0, 0),
        Fault::Sense(2, 0x30, 0),
    ];
    let fake = mt1959();
    fake.with(|state| {
        state.restart = [Fault::Progress(1)].into();
        state.restart.extend(SAYS_NOTHING);
        state.restart.extend(SAYS_NOTHING);
        state.restart.extend([NO_MEDIUM, NO_MEDIUM]);
    });
    send(&fake, &image_for(&fake)).unwrap();
    let (mut drive, _) = fake.drive();
    let mut looks = 0;
    drive.await_return(&mut |_| looks += 1).unwrap();
    assert_eq!(looks, 2 * SAYS_NOTHING.len() + 1);
}

#[test]
fn what_a_survey_is_refused_is_not_there_and_any_other_answer_is_an_error() {
    use crate::protocol::blu_ray::Survey;
    // INQUIRY, the banner, the descriptor and the date.
    const QUESTIONS: std::ops::Range<usize> = 0..4;
    let survey = |number: usize, faults: &[Fault]| {
        let fake = mt1959();
        fake.with(|state| {
            let numbers = number..;
            state.faults.extend(numbers.zip(faults.iter().copied()));
        });
        Survey::of(&mut fake.clone())
    };
    let whole = survey(0, &[]).unwrap();
    assert!(whole.banner.is_some() && whole.descriptor.is_some() && whole.date.is_some());
    for number in QUESTIONS.skip(1) {
        for refusal in [
            Fault::Sense(5, 0x20, 0),
            Fault::Sense(5, 0x21, 0),
            Fault::Sense(5, 0x24, 0),
            Fault::Sense(7, 0x20, 0),
        ] {
            let found = survey(number, &[refusal]).unwrap();
            let there = [
                found.banner.is_some(),
                found.descriptor.is_some(),
                found.date.is_some(),
            ];
            let expected = [1, 2, 3].map(|question| question != number);
            assert_eq!(there, expected, "{refusal:?}");
        }
        for other in [
            Fault::Sense(2, 0x04, 0x01),
            Fault::Sense(3, 0x11, 0),
            Fault::Sense(4, 0x44, 0),
            Fault::Lost,
        ] {
            survey(number, &[other]).unwrap_err();
        }
        let found = survey(number, &[RESET, RESET]).unwrap();
        assert_eq!(found, whole, "question {number} is asked again");
    }
}

#[test]
fn a_look_at_an_mt1959_drive_leaves_its_receiver_for_a_write() {
    let fake = mt1959();
    let reads =
        |fake: &Fake| fake.with(|state| state.log.iter().filter(|(cdb, _)| cdb[0] == 0x3C).count());
    let (mut drive, _) = fake.drive();
    drive.survey().unwrap();
    assert_eq!(reads(&fake), 2, "the banner and the descriptor");
    let by_code = |drive: &PacketDrive| drive.info().blu_ray.as_ref().and_then(|of| of.by_code);
    assert_eq!(by_code(&drive), None);
    prepare(&mut drive, &image_for(&fake), &nothing_forced()).unwrap();
    assert!(by_code(&drive).is_some());
}

#[test]
fn an_mt1959_drive_tells_how_far_it_is_and_where_its_flash_fails() {
    let fake = mt1959();
    fake.with(|state| {
        state.restart = [
            Fault::Progress(1),
            Fault::Progress(16),
            READY_SOON,
            Fault::Progress(32),
            NO_MEDIUM,
            NO_MEDIUM,
        ]
        .into();
    });
    let image = image_for(&fake);
    send(&fake, &image).unwrap();
    let (mut drive, _) = fake.drive();
    let mut told = Vec::new();
    drive
        .await_return(&mut |waiting| told.push(waiting.progress.map(|progress| progress.done)))
        .unwrap();
    assert_eq!(told, [Some(16), None, Some(32), None]);

    for fault in [
        Fault::Sense(3, 0x0C, 0),
        Fault::Sense(4, 0x44, 0),
        Fault::Sense(0xB, 0, 0),
    ] {
        let fake = mt1959();
        fake.with(|state| state.restart = [Fault::Progress(1), Fault::Progress(9), fault].into());
        send(&fake, &image_for(&fake)).unwrap();
        let (mut drive, _) = fake.drive();
        let error = drive.await_return(&mut |_| {}).unwrap_err();
        assert!(matches!(error, DeviceError::FlashFault { .. }), "{error}");
    }
}

#[test]
fn an_mt1959_drive_is_awaited_for_two_minutes() {
    let fake = mt1959();
    fake.with(|state| state.restart = vec![Fault::Progress(31); 500].into());
    send(&fake, &image_for(&fake)).unwrap();
    let (mut drive, clock) = fake.drive();
    let begun = clock.now();
    let error = drive.await_return(&mut |_| {}).unwrap_err();
    assert!(matches!(error, DeviceError::NotBack { .. }), "{error}");
    assert_eq!(clock.now().saturating_sub(begun).as_secs(), 120);
}

#[test]
fn an_image_of_any_other_size_is_refused_by_every_family_before_a_command_is_sent() {
    for fake in all() {
        let size = fake.with(|state| state.flash.len());
        let (mut drive, _) = fake.drive();
        for wrong in [0, 0x1_0000, size - 1, size + 1, size * 2] {
            let result = prepare(&mut drive, &vec![0x42; wrong], &nothing_forced());
            assert!(matches!(result, Err(PrepareError::Image(_))), "{wrong}");
        }
        assert!(fake.with(|state| state.log.is_empty()));
    }
}

#[test]
fn a_command_that_fails_is_the_last_one_and_is_said_to_have_done_no_less_than_it_did() {
    let faults = [
        Fault::Sense(5, 0x20, 0),
        Fault::Sense(5, 0x26, 0),
        Fault::Sense(4, 0x44, 0),
        Fault::Sense(3, 0x0C, 0),
        RESET,
        READY_SOON,
        Fault::TimedOut,
        Fault::Lost,
        Fault::Busy,
        Fault::Residue(1),
        Fault::Vanished,
        Fault::NotPermitted,
    ];
    for fake in all() {
        let (pristine, image) = (fake.another(), image_for(&fake));
        send(&fake, &image).unwrap();
        let good: Vec<usize> = fake.with(|state| {
            (0..state.log.len())
                .filter(|number| matches!(state.log[*number].0[0], 0x3B | 0xFF))
                .collect()
        });
        let (first, last) = (good[0], good[good.len() - 1]);
        let family = fake.with(|state| state.family.protocol);
        for number in [first, first + 1, last - 1, last] {
            for fault in faults {
                let fake = pristine.another();
                if fault == Fault::Residue(1) && matches!(number, n if n == first || n == last) {
                    // Commands without data have none.
                    if matches!(family, Protocol::Btc | Protocol::Mt1959) {
                        continue;
                    }
                }
                // There is another way to prepare a drive that does not know this one.
                let is_preparation = family == Protocol::Mt1959 && number == first;
                if is_preparation && matches!(fault, Fault::Sense(5, _, _)) {
                    continue;
                }
                fake.with(|state| state.faults.insert(number, fault));
                let error = send(&fake, &image).unwrap_err();
                assert_eq!(fake.with(|state| state.log.len()), number + 1, "{fault:?}");
                let refused = matches!(
                    fault,
                    Fault::Sense(5, _, _) | Fault::Sense(6, _, _) | Fault::NotPermitted
                );
                let programs = match family {
                    Protocol::Btc | Protocol::Mt1959 => number == last,
                    _ => true,
                };
                let begun = !matches!(family, Protocol::Btc | Protocol::Mt1959) && number > first;
                let expected = if begun || (programs && !refused) {
                    Effect::InDoubt
                } else {
                    Effect::Unchanged
                };
                assert_eq!(error.effect, expected, "{family} {number} {fault:?}");
            }
        }
    }
}

#[test]
fn a_unit_attention_before_a_download_is_taken_off_the_drive_first() {
    let fake = mt1339();
    fake.with(|state| state.faults.extend([(0, RESET), (1, RESET)]));
    assert!(send(&fake, &image_for(&fake)).is_ok());
    assert_eq!(fake.changing().len(), 5);
}

#[test]
fn a_drive_that_does_not_answer_before_a_download_is_sent_nothing() {
    for fault in [
        Fault::TimedOut,
        Fault::Lost,
        Fault::Busy,
        Fault::Vanished,
        Fault::NotPermitted,
    ] {
        let fake = mt1339();
        fake.with(|state| state.faults.extend([(0, RESET), (1, fault)]));
        let error = send(&fake, &image_for(&fake)).unwrap_err();
        assert_eq!(error.effect, Effect::Unchanged, "{fault:?}");
        assert!(fake.changing().is_empty(), "{fault:?}");
    }
}

#[test]
fn a_read_is_sent_again_after_unit_attention_and_after_nothing_else() {
    let fake = mt1959();
    let (mut drive, _) = fake.drive();
    let mut bytes = vec![0; 0x4000];
    fake.with(|state| state.faults.extend([(0, RESET), (1, RESET)]));
    drive.read(Offset(0x1_0000), &mut bytes).unwrap();
    assert_eq!(
        bytes,
        fake.with(|state| state.flash[0x1_0000..0x1_4000].to_vec())
    );
    for fault in [
        Fault::TimedOut,
        Fault::Busy,
        Fault::Lost,
        Fault::Residue(0x10),
    ] {
        let before = fake.with(|state| {
            let before = state.log.len();
            state.faults.insert(before, fault);
            before
        });
        drive.read(Offset(0), &mut bytes).unwrap_err();
        assert_eq!(fake.with(|state| state.log.len()), before + 1);
    }
}

#[test]
fn a_range_that_the_drive_refuses_is_named() {
    let fake = mt1959();
    let refused = FlashRange::new(0x4000, 0x8000);
    fake.with(|state| state.refused = vec![refused]);
    let (mut drive, _) = fake.drive();
    let error = drive
        .read(Offset(0x4000), &mut vec![0; 0x4000])
        .unwrap_err();
    assert!(matches!(error, DeviceError::Refused { range, .. } if range == refused));
    assert!(drive.read(Offset(0x20_0000), &mut [0]).is_err());
}

#[test]
fn a_family_without_a_documented_read_is_never_asked_for_one() {
    for fake in [btc(), mt1339(), sd616()] {
        let (mut drive, _) = fake.drive();
        assert!(drive.read(Offset(0), &mut [0]).is_err());
        assert!(fake.with(|state| state.log.is_empty()));
    }
}

fn await_return(fake: &Fake) -> (Result<Identity, DeviceError>, Vec<Waiting>, Duration) {
    let (mut drive, clock) = fake.drive();
    fake.with(|state| state.is_taken = true);
    let mut told = Vec::new();
    let result = drive.await_return(&mut |waiting| told.push(waiting.clone()));
    (result, told, clock.now())
}

#[test]
fn a_drive_is_back_when_it_says_no_medium_twice_after_it_was_away() {
    let fake = btc();
    let long_write = Fault::Sense(2, 0x04, 0x08);
    fake.with(|state| {
        state.restart = [
            long_write, long_write, RESET, READY_SOON, NO_MEDIUM, NO_MEDIUM,
        ]
        .into();
        state.identity.revision = "NEW2".to_owned();
    });
    let (result, told, waited) = await_return(&fake);
    assert_eq!(result.unwrap().revision, "NEW2");
    assert_eq!(waited, Duration::from_secs(5));
    assert_eq!(told.len(), 5);
    assert!(matches!(
        &told[0].last,
        LastAnswer::Error(error) if matches!(**error, PacketError::Sense(sense) if sense.is_in_progress())
    ));
    assert!(
        told.windows(2)
            .all(|pair| pair[1].remaining < pair[0].remaining)
    );
}

#[test]
fn a_drive_that_was_never_seen_away_has_to_answer_ten_times() {
    let fake = btc();
    fake.with(|state| state.restart.clear());
    let (result, told, _) = await_return(&fake);
    assert!(result.is_ok());
    assert_eq!(told.len(), 9);
}

#[test]
fn a_drive_that_vanishes_is_found_behind_its_new_node() {
    let fake = mt1939();
    fake.with(|state| {
        state.restart = [NO_MEDIUM, Fault::Vanished, RESET].into();
        state.away = 6;
    });
    let (result, told, waited) = await_return(&fake);
    assert!(result.is_ok());
    assert!(told.iter().any(|told| matches!(
        &told.last,
        LastAnswer::Error(error) if matches!(**error, PacketError::Transport(TransportError::Vanished))
    )));
    assert_eq!(waited, Duration::from_secs(10));
}

#[test]
fn a_drive_that_stays_away_is_said_not_to_be_back_after_three_minutes() {
    let fake = mt1939();
    fake.with(|state| {
        state.restart = [Fault::Vanished].into();
        state.away = u32::MAX;
    });
    let (result, _, waited) = await_return(&fake);
    assert!(matches!(result, Err(DeviceError::NotBack { .. })));
    assert_eq!(waited, Duration::from_secs(180));
}

#[test]
fn a_boot_loader_that_is_never_ready_is_known_by_its_revision() {
    for (revision, is_known) in [("BOOT", true), ("TS01", false)] {
        let fake = mt1939();
        fake.with(|state| {
            state.restart = vec![READY_SOON; 1000].into();
            state.identity.revision = revision.to_owned();
        });
        assert_eq!(await_return(&fake).0.is_ok(), is_known);
    }
}

#[test]
fn the_serial_number_survives_the_restart() {
    let fake = btc();
    fake.with(|state| state.identity.serial = Some("A1B2".to_owned()));
    let (result, ..) = await_return(&fake);
    assert_eq!(result.unwrap().serial.as_deref(), Some("A1B2"));
}

/// Detects a drive that has said who it is.
fn detected(fake: &Fake, named: Option<Protocol>) -> Result<Detected, DeviceError> {
    let identity = fake.with(|state| state.identity.clone());
    detect(&mut fake.clone(), Some(&identity), named)
}

fn opcodes(fake: &Fake) -> Vec<u8> {
    fake.with(|state| state.log.iter().map(|(cdb, _)| cdb[0]).collect())
}

#[test]
fn a_listed_drive_is_known_by_its_names_and_only_blu_ray_families_are_read() {
    for fake in all() {
        let protocol = fake.with(|state| state.family.protocol);
        assert_eq!(detected(&fake, None).unwrap().protocol, protocol);
        let expected: &[u8] = match protocol {
            Protocol::Mt1939 | Protocol::Mt1959 => &[0x3C],
            _ => &[],
        };
        assert_eq!(opcodes(&fake), expected, "{protocol}");
    }
}

#[test]
fn a_drive_on_no_list_is_a_vendor_mode_drive_and_gets_nothing() {
    let fake = btc();
    fake.with(|state| state.identity.vendor = "SONY".to_owned());
    let detected = detected(&fake, None).unwrap();
    assert_eq!(detected.protocol, Protocol::VendorMode);
    assert!(matches!(detected.reason, Reason::Unlisted));
    assert_eq!(opcodes(&fake), [0; 0]);
}

#[test]
fn a_drive_that_does_not_say_who_it_is_is_a_vendor_mode_drive() {
    let fake = btc();
    let nameless = Identity {
        vendor: "BTC".to_owned(),
        ..Identity::default()
    };
    for identity in [None, Some(&nameless)] {
        let detected = detect(&mut fake.clone(), identity, None).unwrap();
        assert_eq!(detected.protocol, Protocol::VendorMode);
    }
    assert_eq!(opcodes(&fake), [0; 0]);
}

#[test]
fn a_listed_drive_that_is_gone_or_forbidden_is_an_error() {
    for fault in [Fault::Vanished, Fault::NotPermitted, Fault::TimedOut] {
        let fake = mt1959();
        fake.with(|state| state.faults.insert(0, fault));
        assert!(detected(&fake, None).is_err());
    }
}

#[test]
fn a_named_protocol_is_taken_and_nothing_is_tried_for_it() {
    let fake = mt1959();
    let detected = detected(&fake, Some(Protocol::Btc)).unwrap();
    assert_eq!(detected.protocol, Protocol::Btc);
    assert_eq!(opcodes(&fake), [0; 0]);
}

#[test]
fn a_drive_with_the_banner_of_the_other_blu_ray_chip_is_not_guessed_at() {
    let fake = mt1939();
    fake.with(|state| state.flash[0x3000..0x3010].copy_from_slice(b"MT1959 Boot JB8 "));
    let error = detected(&fake, None).unwrap_err();
    assert!(error.in_words().contains("MT1959 Boot JB8"), "{error}");
}

#[test]
fn every_protocol_is_known_by_its_name_in_any_case() {
    for protocol in Protocol::ALL {
        let shouted = protocol.name().to_ascii_uppercase();
        assert_eq!(shouted.parse::<Protocol>(), Ok(protocol));
    }
    assert!("mt9999".parse::<Protocol>().is_err());
}

#[test]
fn a_drive_on_no_list_of_the_named_family_gets_nothing_until_the_family_is_forced() {
    for fake in all() {
        let image = image_for(&fake);
        fake.with(|state| state.identity.vendor = "SONY".to_owned());
        let (mut drive, _) = fake.drive();
        let error = prepare(&mut drive, &image, &nothing_forced()).unwrap_err();
        assert!(matches!(error, PrepareError::Misfit(Misfit::Unlisted(_))));
        assert!(fake.with(|state| state.log.is_empty()));
        let prepared = prepare(&mut drive, &image, &[Guard::Family].into()).unwrap();
        assert_eq!(prepared.overridden.len(), 1);
    }
}

/// Gives its bytes with this sense.
struct Mended(u8);

impl PacketTransport for Mended {
    fn execute(
        &mut self,
        _cdb: &[u8],
        data: Data<'_>,
        _timeout: Duration,
    ) -> Result<Completion, TransportError> {
        if let Data::In(into) = data {
            into.fill(0x5A);
        }
        Fault::Sense(self.0, 0x17, 0).answer()
    }
}

#[test]
fn what_was_read_with_a_mended_error_counts_and_what_was_written_does_not() {
    let mut bytes = [0; 16];
    ask_for_all(&mut Mended(0x1), &cdb::test_unit_ready(), &mut bytes).unwrap();
    assert_eq!(bytes, [0x5A; 16]);
    let failed = ask_for_all(&mut Mended(0x4), &cdb::test_unit_ready(), &mut bytes);
    assert!(matches!(failed, Err(PacketError::Sense(_))), "{failed:?}");
    let written = write_buffer(&mut Mended(0x1), 5, 0, 0, &bytes);
    assert!(matches!(written, Err(PacketError::Sense(_))), "{written:?}");
}
