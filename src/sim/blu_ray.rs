//! Images for Blu-ray drives with an MT1959 or MT1939: the structure that
//! `mediatek-optical` documents, with valid tags, and nobody's code in it.
//!
//! Two things beside the layout are taken from that crate, since it tells drives
//! by them: the few instructions by which it knows a receiver that decrypts from
//! one that does not, and the list of features before the record of the board.
//! All the rest is made up.

use mediatek_optical::image::cmac;

use super::fields::{padded, put};
use super::random::Random;
use crate::flash::{FlashRange, Offset};
use crate::image::mt19xx::{BANNER, BOOT_CODE, CALIBRATION, DESCRIPTOR, DRIVE_WRITTEN, SIZE};
use crate::scsi::Identity;

/// The page that a drive shows in place of its first one.
pub const MIRRORED_PAGE: FlashRange = FlashRange::new(0x1_0000, 0x1_0400);

/// The first page, which is never shown.
pub const BOOT_PAGE: FlashRange = FlashRange::new(0, 0x400);

/// Where this generator puts the boot string that its firmware takes images
/// with. Where real firmware has it is not known.
const WANTED_STRING_AT: usize = 0x1_0600;

/// Where the crate looks for the receiver of the firmware and of the boot code.
const FIRMWARE_RECEIVER_AT: u32 = 0x9_A300;
const BOOT_RECEIVER_AT: u32 = 0x3480;
/// Where the routines that decrypt are.
const FIRMWARE_AES_AT: u32 = 0x9_B000;
const BOOT_AES_AT: u32 = 0x5500;

const FEATURES_AT: usize = 0x2_0000;

/// The parts under the integrity table: the boot code, the page that is
/// mirrored, all code, the descriptor, and the table's own first entries.
const PROTECTED: [(u32, u32); 5] = [
    (0x0, 0xFFFF),
    (0x1_0000, 0x1_03FF),
    (0x1_0600, 0x1D_7FFF),
    (0x1E_C000, 0x1E_FFFF),
    (0x1_0400, 0x1_046F),
];

/// The drive that a Blu-ray image is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// 16 characters, such as `MT1959 Boot BU5 `.
    pub banner: String,
    /// Up to 6 characters, such as `JB8`.
    pub platform: String,
    /// 4 characters such as `NS50`; blank on firmware for other makers.
    pub svc: String,
    /// Year, month, day, hour, minute and second: 14 digits.
    pub date: String,
    /// Up to 8 characters after the revision, such as `NM00100`.
    pub vendor_specific: String,
    /// The boot string with which the firmware takes its successor; that of the
    /// banner without.
    pub wants: Option<String>,
    /// The firmware decrypts what it is sent.
    pub aes: bool,
    /// The boot code does.
    pub boot_aes: bool,
    /// The single drive whose own data are in it; as it leaves the maker without.
    pub individual: Option<u64>,
}

impl Board {
    /// One with this boot code, `JB8` or the like, and this platform.
    pub fn new(code: &str, platform: &str) -> Board {
        Board {
            banner: format!("MT1959 Boot {code:<4}"),
            platform: platform.to_owned(),
            svc: String::new(),
            date: "20170302114500".to_owned(),
            vendor_specific: "NM00100".to_owned(),
            wants: None,
            aes: false,
            boot_aes: false,
            individual: None,
        }
    }

    /// The same with the data of a single drive in it.
    pub fn of_drive(mut self, individual: u64) -> Board {
        self.individual = Some(individual);
        self
    }

    /// The same with another SVC code.
    pub fn svc(mut self, svc: &str) -> Board {
        svc.clone_into(&mut self.svc);
        self
    }

    /// The same with firmware that decrypts what it is sent, made in 2021.
    pub fn aes(mut self) -> Board {
        self.aes = true;
        "20210507093000".clone_into(&mut self.date);
        "N000100".clone_into(&mut self.vendor_specific);
        self
    }
}

/// Puts all that an image has beside its code into `image`, and signs it.
/// Nothing happens to one that has not 2 MiB.
pub(super) fn finish(image: &mut Vec<u8>, board: &Board, identity: &Identity, seed: u64) {
    if image.len() != SIZE as usize {
        return;
    }
    // What is no firmware of the drive's is not executed, but it must not hold
    // marks by chance either.
    let mut random = Random::new(seed ^ 0x5EED);
    MIRRORED_PAGE.of_mut(image).fill_with(|| random.byte());
    put_banner(image, &board.banner);
    let wanted = board.wants.as_ref().unwrap_or(&board.banner);
    put(image, WANTED_STRING_AT, &padded::<16>(wanted));
    put_receiver(image, BOOT_RECEIVER_AT, BOOT_AES_AT, board.boot_aes);
    put_receiver(image, FIRMWARE_RECEIVER_AT, FIRMWARE_AES_AT, board.aes);
    put_features(image, board);
    put_descriptor(image, board, identity);
    put_own_data(image, board.individual);
    sign(image);
}

/// The boot string and 16 bytes of which nothing is known.
pub(super) fn put_banner(image: &mut [u8], banner: &str) {
    let record = [padded::<16>(banner), [0xFF; 16]].concat();
    put(image, BANNER.start() as usize, &record);
}

/// The instructions by which a receiver is known, from the patterns of
/// `mediatek-optical`, which leave a byte open here and there.
fn put_receiver(image: &mut [u8], at: u32, routine: u32, decrypts: bool) {
    const PLAIN: [u8; 24] = [
        0x03, 0x20, 0x00, 0x49, 0x00, 0x03, 0x20, 0x18, 0x09, 0x68, 0x00, 0x02, 0x00, 0x0A, 0x40,
        0x18, 0x00, 0xA9, 0x09, 0x5D, 0x00, 0x78, 0x88, 0x42,
    ];
    const PLAIN_BOOT: [u8; 22] = [
        0x03, 0x20, 0x00, 0x03, 0x20, 0x18, 0xF9, 0x69, 0x00, 0x02, 0x00, 0x0A, 0x40, 0x18, 0x00,
        0xA9, 0x09, 0x5D, 0x00, 0x78, 0x88, 0x42,
    ];
    const AES: [u8; 46] = [
        0xF7, 0xB5, 0x06, 0x00, 0x14, 0x00, 0x00, 0x48, 0x11, 0x00, 0x84, 0xB0, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x2C, 0x01, 0xD0, 0x20, 0x07, 0x02, 0xD0, 0x00, 0x20, 0x07, 0xB0, 0xF0, 0xBD,
        0xA0, 0x08, 0x01, 0x22, 0x92, 0x06, 0x02, 0x90, 0x10, 0x68, 0x10, 0x21, 0x88, 0x43, 0x10,
        0x60,
    ];
    // Sixteen bytes from 3000 on are handed to the routine.
    const SETUP: [u8; 6] = [0x03, 0x20, 0x00, 0x03, 0x10, 0x22];
    const SETUP_REACH: u32 = 32;
    if decrypts {
        put(image, at as usize, &SETUP);
        let call = at + SETUP_REACH;
        put(image, call as usize, &branch(call, routine));
        put(image, routine as usize, &AES);
    } else if at < BOOT_CODE.end() {
        put(image, at as usize, &PLAIN_BOOT);
    } else {
        put(image, at as usize, &PLAIN);
    }
}

/// A Thumb BL.
fn branch(from: u32, to: u32) -> [u8; 4] {
    let distance = to.wrapping_sub(from.wrapping_add(4)) >> 1;
    let high = 0xF000 | (distance >> 11 & 0x7FF) as u16;
    let low = 0xF800 | (distance & 0x7FF) as u16;
    let ([a, b], [c, d]) = (high.to_le_bytes(), low.to_le_bytes());
    [a, b, c, d]
}

/// What the firmware answers GET CONFIGURATION with, and the record of the
/// board right behind it.
fn put_features(image: &mut [u8], board: &Board) {
    let mut bytes = Vec::new();
    let mut feature = |code: u16, version: u8, data: &[u8]| {
        bytes.extend(code.to_be_bytes());
        bytes.extend([version, u8::try_from(data.len()).unwrap_or(u8::MAX)]);
        bytes.extend(data);
    };
    let profiles = [0x43, 0x42, 0x41, 0x40, 0x2B, 0x1B, 0x10, 0x08];
    feature(
        0x0000,
        3,
        &profiles.map(|number| [0, number, 0, 0]).concat(),
    );
    feature(0x0001, 11, &[0, 0, 0, 7, 1, 0, 0, 0]);
    feature(0x0003, 11, &[0x2B, 0, 0, 0]);
    feature(0x010C, 3, &padded::<16>(&board.date));
    bytes.extend([0x55, 0xAA]);
    bytes.extend(b"UNIQUE1703021145MTEKMT1939      \0\0");
    bytes.extend(padded::<6>(&board.platform));
    bytes.extend([b' '; 8]);
    put(image, FEATURES_AT, &bytes);
}

fn put_descriptor(image: &mut [u8], board: &Board, identity: &Identity) {
    let page = Offset(DESCRIPTOR.start()).range(0x4000);
    page.of_mut(image).fill(0xFF);
    let mut descriptor = vec![b' '; DESCRIPTOR.len() as usize];
    let fields: [(usize, &[u8]); 9] = [
        (0x00, &padded::<8>(&identity.vendor)),
        (0x08, &padded::<16>(&identity.product)),
        (0x18, &padded::<4>(&identity.revision)),
        (0x1C, &padded::<8>(&board.vendor_specific)),
        (0x24, b"UNIQUE1703021145"),
        (0x34, b"MTEKMT1939      \0\0"),
        (0x46, &padded::<6>(&board.platform)),
        (0x4C, &padded::<4>(&board.svc)),
        (0x56, &[0xDE]),
    ];
    for (at, bytes) in fields {
        put(&mut descriptor, at, bytes);
    }
    put(image, DESCRIPTOR.start() as usize, &descriptor);
}

/// The four ranges that the drive rewrites: as the maker gives them out, and
/// with the data of a single drive in them.
fn put_own_data(image: &mut [u8], individual: Option<u64>) {
    for (number, written) in (0..).zip(DRIVE_WRITTEN) {
        let cells = written.range.of_mut(image);
        cells.fill(0xFF);
        if let Some(individual) = individual {
            let mut random = Random::new(individual ^ number);
            for cell in cells.iter_mut().take(0x800) {
                *cell = random.byte();
            }
        } else if written.range != CALIBRATION {
            put(cells, 0, b"as it leaves the maker");
        }
    }
}

/// Gives the image a table with valid tags over what is in it now.
pub fn sign(image: &mut Vec<u8>) {
    let table = cmac::TABLE_OFFSET;
    let end = table + cmac::ENTRY_COUNT * cmac::ENTRY_SIZE;
    if let Some(table) = image.get_mut(table..end) {
        table.fill(0xFF);
    }
    for (number, (first, last)) in PROTECTED.into_iter().enumerate() {
        let words = [cmac::ENABLED, first, last].map(u32::to_le_bytes).concat();
        put(image, table + number * cmac::ENTRY_SIZE, &words);
    }
    if let Ok(signed) = cmac::resign(image) {
        *image = signed;
    }
}

/// What a drive with this flash gives when it is read from 0 to the end.
pub fn as_read(mut flash: Vec<u8>) -> Vec<u8> {
    let shown = MIRRORED_PAGE.of(&flash).to_vec();
    put(&mut flash, 0, &shown);
    flash
}

/// The boot string with which the firmware in this flash takes an image.
pub fn wanted_string(flash: &[u8]) -> &[u8] {
    flash
        .get(WANTED_STRING_AT..)
        .and_then(|rest| rest.get(..16))
        .unwrap_or_default()
}

/// Whether the receiver of the firmware in this flash, or that of its boot
/// code, decrypts.
pub fn decrypts(flash: &[u8], boot_code: bool) -> bool {
    const FIRST_OF_AES: [u8; 2] = [0xF7, 0xB5];
    let at = if boot_code {
        BOOT_AES_AT
    } else {
        FIRMWARE_AES_AT
    };
    flash
        .get(at as usize..)
        .is_some_and(|code| code.starts_with(&FIRST_OF_AES))
}

/// What a receiver that decrypts makes of what it is sent.
pub fn deciphered(mut sent: Vec<u8>) -> Vec<u8> {
    // Only a length of no whole blocks fails, and leaves the bytes as they are.
    let _ = mediatek_optical::enc::decrypt(&mut sent);
    sent
}

/// The date of the firmware in this flash: 14 digits, if they are where this
/// generator puts them.
pub fn date(flash: &[u8]) -> Option<[u8; 16]> {
    const MARK: [u8; 4] = [0x01, 0x0C, 3, 16];
    let features = flash.get(FEATURES_AT..FEATURES_AT + 0x100)?;
    let at = features.windows(4).position(|window| window == MARK)?;
    features.get(at + 4..)?.first_chunk().copied()
}
