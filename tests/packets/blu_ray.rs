//! LG's Blu-ray drives: what must not get into one, what is said about one, and
//! how one comes back.

use mtkflash::flash::FlashRange;
use mtkflash::image::mt19xx::{CALIBRATION, DRIVE_WRITTEN, enciphered};
use mtkflash::sim::blu_ray::{as_read, sign};
use mtkflash::sim::{Board, Firmware, Names};

use crate::drives::{MT1939, bu40n, essence};
use crate::folder::{Folder, Run};

const WRITE: &str = "3 w /m new.bin --yes --backup old.bin";

const TABLE: usize = 0x1_0400;

fn firmware(product: &str, board: Board) -> Vec<u8> {
    Firmware::new(0x20_0000, 84)
        .with(Names::BluRay(board))
        .identified("HL-DT-ST", product, "1.02")
        .bytes()
}

fn jb9() -> Board {
    Board::new("JB8", "JB9").svc("NS60")
}

fn wh16ns60() -> Vec<u8> {
    firmware("BD-RE  WH16NS60", jb9())
}

/// A WH16NS60 at position 3 that differs by these keys of its board, and an
/// update for it in `new.bin`.
fn with_board(more: &str) -> Folder {
    let folder = with_contents(more, "recipe = \"firmware\", seed = 83");
    folder.write("new.bin", wh16ns60());
    folder
}

fn with_contents(more: &str, contents: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "bench.toml",
        format!(
            "[[drive]]\nposition = 3\nmodel = \"mt1959\"\nvendor = \"HL-DT-ST\"\n\
             product = \"BD-RE  WH16NS60\"\nrevision = \"1.00\"\nserial = \"SIM00000038\"\n\
             contents = {{ {contents} }}\n[drive.board]\nbanner = \"MT1959 Boot JB8 \"\n\
             platform = \"JB9\"\nsvc = \"NS60\"\n{more}\n"
        ),
    );
    folder
}

/// What the image has that the drive does not rewrite or keep.
fn holds(flash: &[u8], image: &[u8]) -> bool {
    let mut rest = flash.to_vec();
    let boot = FlashRange::new(0, 0x1_0000);
    for range in DRIVE_WRITTEN
        .map(|written| written.range)
        .into_iter()
        .chain([boot])
    {
        range.of_mut(&mut rest).copy_from_slice(range.of(image));
    }
    rest == image
}

/// Refused with nothing sent that could change the drive.
fn refused(folder: &Folder, line: &str, code: i32) -> Run {
    let before = folder.flash();
    let run = folder.fails(line, code);
    if folder.holds("bench.state/position-3.counters.toml") {
        let counters = folder.counters();
        assert_eq!(counters.packets.of(0x3B), 0, "{run}");
        assert_eq!(counters.violations, [""; 0], "{run}");
    }
    assert!(folder.flash() == before, "{run}");
    assert!(run.stderr.contains("Nothing was changed."), "{run}");
    run
}

/// Refused as no image before the drive is asked for anything.
fn is_no_image(image: &[u8], says: &str) {
    let folder = with_board("");
    folder.write("new.bin", image);
    let run = folder.fails(WRITE, 5);
    assert!(run.stderr.contains(says), "{says}: {run}");
    let state = folder.holds("bench.state/position-3.counters.toml");
    assert!(!state || folder.counters().packets.total() == 0, "{run}");
}

#[test]
fn one_flipped_byte_in_any_protected_range_is_named_with_the_range() {
    for (at, range) in [
        (0x0000, "0x00000-0x0ffff"),
        (0xFFFF, "0x00000-0x0ffff"),
        (0x1_0000, "0x10000-0x103ff"),
        (0x1_0600, "0x10600-0x1d7fff"),
        (0x1D_7FFF, "0x10600-0x1d7fff"),
        (0x1E_C000 + 0x50, "0x1ec000-0x1effff"),
        (0x1E_FFFF, "0x1ec000-0x1effff"),
        // The tag of the first of them.
        (TABLE + 12, "0x00000-0x0ffff"),
    ] {
        let mut image = wh16ns60();
        image[at] ^= 0x01;
        is_no_image(&image, range);
    }
}

#[test]
fn a_table_a_banner_or_a_descriptor_that_is_damaged_is_named() {
    let damaged = |at: usize, bytes: &[u8]| {
        let mut image = wh16ns60();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        image
    };
    is_no_image(&damaged(TABLE, &[2]), "neither in use nor free");
    is_no_image(&damaged(0x3002, b"X"), "boot banner");
    is_no_image(&damaged(0x1E_C036, b"X"), "descriptor");
    is_no_image(&damaged(TABLE, &[0xFF; 16 * 28]), "protects nothing");
    // Start behind the end, and an end beyond the image.
    let end_before_start = [0, 0, 0x02, 0, 0xFF, 0xFF, 0x01, 0];
    let beyond = [0, 0, 0x02, 0, 0, 0, 0x20, 0];
    for range in [end_before_start, beyond] {
        is_no_image(&damaged(TABLE + 2 * 28 + 4, &range), "no range of 0x200000");
    }
}

#[test]
fn an_encrypted_file_is_written_as_its_plain_bytes_and_a_wrong_byte_in_it_is_found() {
    let folder = with_board("");
    folder.write("new.bin", enciphered(wh16ns60()));
    let run = folder.done(WRITE);
    assert!(holds(&folder.flash(), &wh16ns60()), "{run}");
    let mut file = enciphered(wh16ns60());
    file[0x8_0000] ^= 1;
    is_no_image(&file, "0x10600-0x1d7fff");
}

#[test]
fn two_megabytes_of_anything_else_are_no_image() {
    let folder = with_board("");
    let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8;
    let noise: Vec<u8> = (0..0x20_0000).map(noise).collect();
    for other in [noise, MT1939.image().to_vec()] {
        folder.write("new.bin", other);
        refused(&folder, WRITE, 5);
        for forced in ["model", "model,family,banner,drive-read"] {
            let line = format!("{WRITE} --force={forced}");
            refused(&folder, &line, 5);
        }
    }
}

#[test]
fn an_image_for_slim_drives_gets_into_no_half_height_one_whatever_is_forced() {
    let folder = with_board("");
    folder.write("new.bin", bu40n());
    let run = refused(&folder, WRITE, 4);
    assert!(run.stderr.contains("no switch lets it through"), "{run}");
    let line = format!("{WRITE} --force=model,family,banner,drive-read,structure");
    let run = refused(&folder, &line, 4);
    insta::assert_snapshot!("slim", run.message());
    // Nor where it bears the drive's own name.
    folder.write(
        "new.bin",
        firmware("BD-RE  WH16NS60", Board::new("BU5", "BU3")),
    );
    refused(&folder, &line, 4);
    let mut mt1939 = Board::new("Code", "JB7");
    mt1939.banner = "MT1939 Boot Code".to_owned();
    folder.write("new.bin", firmware("BD-RE  WH16NS60", mt1939));
    let run = refused(&folder, &line, 4);
    assert!(run.stderr.contains("MT1939"), "{run}");
}

#[test]
fn an_image_for_another_board_of_the_same_name_wants_its_check_named() {
    let folder = with_board("");
    let of_another = firmware("BD-RE  WH16NS60", Board::new("JB8", "JB8").svc("NS50"));
    folder.write("new.bin", &of_another);
    let run = refused(&folder, WRITE, 4);
    insta::assert_snapshot!("another_board", run.message());
    refused(
        &folder,
        &format!("{WRITE} --no-backup").replace(" --backup old.bin", ""),
        4,
    );
    let run = folder.fails(&format!("{WRITE} --force=family"), 7);
    assert!(run.stderr.contains("BOOT"), "{run}");
    // And its own firmware brings it back.
    folder.write("new.bin", wh16ns60());
    folder.done("3 w /m new.bin --yes --no-backup");
    assert!(holds(&folder.flash(), &wh16ns60()));
}

#[test]
fn another_model_on_the_same_board_is_written_when_the_model_is_forced() {
    let folder = with_board("");
    folder.write("new.bin", firmware("BD-RE  BH16NS60", jb9()));
    refused(&folder, WRITE, 4);
    let run = folder.done(&format!("{WRITE} --force=model"));
    assert!(
        run.stdout.contains("BH16NS60 1.02, serial SIM00000038 now"),
        "{run}"
    );
}

#[test]
fn what_was_read_from_another_drive_is_no_image_and_its_calibration_never_travels() {
    let folder = with_board("");
    let own = CALIBRATION.of(&folder.flash()).to_vec();
    let of_another = as_read(firmware("BD-RE  WH16NS60", jb9().of_drive(4711)));
    folder.write("new.bin", &of_another);
    let run = refused(&folder, WRITE, 4);
    insta::assert_snapshot!("drive_read", run.message());
    let run = folder.done(&format!("{WRITE} --force=drive-read"));
    assert_eq!(folder.counters().violations, [""; 0], "{run}");
    assert!(CALIBRATION.of(&folder.flash())[0x40..] == own[0x40..]);
    assert!(
        folder
            .done("i new.bin")
            .stdout
            .contains("what a drive gives when it is read")
    );
}

#[test]
fn what_was_read_from_the_drive_itself_is_the_way_back() {
    let folder = with_board("");
    let before = folder.flash();
    folder.done(WRITE);
    assert!(!holds(&folder.flash(), &before));
    folder.done("3 w /m old.bin --yes --no-backup");
    assert!(holds(&folder.flash(), &before));
}

#[test]
fn a_drive_gets_its_firmware_encrypted_where_it_wants_that() {
    let folder = with_board("aes = true");
    let run = folder.done(WRITE);
    assert_eq!(folder.counters().violations, [""; 0], "{run}");
    assert!(holds(&folder.flash(), &wh16ns60()), "{run}");
}

#[test]
fn a_drive_of_which_the_rules_disagree_gets_nothing() {
    let folder = with_board("aes = true\ndate = \"20190101000000\"");
    let run = refused(&folder, WRITE, 4);
    insta::assert_snapshot!("disagree", run.message());
}

#[test]
fn a_drive_that_knows_the_older_preparation_only_takes_its_image() {
    for (key, entries) in [("newer_entry = false", 2), ("older_entry = false", 1)] {
        let folder = with_board(key);
        folder.done(WRITE);
        assert_eq!(folder.counters().packets.of(0x3B), entries + 128, "{key}");
        assert!(holds(&folder.flash(), &wh16ns60()), "{key}");
    }
}

#[test]
fn an_image_that_the_drive_rejects_at_once_has_changed_nothing() {
    let folder = with_board("wants = \"MT1959 Boot JB9 \"");
    let before = folder.flash();
    let run = folder.fails(WRITE, 6);
    assert!(folder.flash() == before);
    insta::assert_snapshot!("rejected", run.message());
}

#[test]
fn an_accepted_image_that_does_not_run_is_no_success() {
    let folder = with_board("keeps_old = true");
    let run = folder.fails(WRITE, 7);
    insta::assert_snapshot!("old_firmware", run.message());
}

#[test]
fn old_firmware_of_the_same_names_is_known_by_its_descriptor() {
    // Its names are those that the image has, and its codes are others.
    let mut board = jb9();
    board.vendor_specific = "NB00200".to_owned();
    let newer = Firmware::new(0x20_0000, 84)
        .with(Names::BluRay(board))
        .identified("HL-DT-ST", "BD-RE  WH16NS60", "1.00")
        .bytes();
    for reads in ["everything", "windows"] {
        let folder = with_board(&format!("keeps_old = true\nreads = \"{reads}\""));
        folder.write("new.bin", &newer);
        let run = folder.fails(&format!("{WRITE} --force=gaps"), 7);
        assert!(
            run.stderr.contains("its old firmware still runs"),
            "{reads} {run}"
        );
        assert!(
            run.stderr.contains("WH16NS60 1.00 (NM00100, NS60, JB9)"),
            "{run}"
        );
        // Where it does run, it is told from the old one by the same codes.
        let folder = with_board(&format!("reads = \"{reads}\""));
        folder.write("new.bin", &newer);
        let run = folder.done(&format!("{WRITE} --force=gaps"));
        assert!(holds(&folder.flash(), &newer), "{reads} {run}");
    }
}

#[test]
fn where_the_record_of_the_board_cannot_be_read_its_platform_code_is_compared() {
    let folder = with_board("reads = \"windows\"");
    let line = format!("{WRITE} --force=gaps");
    let of_another = firmware("BD-RE  WH16NS60", Board::new("JB8", "JB8").svc("NS60"));
    folder.write("new.bin", of_another);
    let run = refused(&folder, &line, 4);
    assert!(run.stderr.contains("for the platform JB8"), "{run}");
    assert!(
        run.stderr.contains("the name of the check: family"),
        "{run}"
    );
    folder.write("new.bin", wh16ns60());
    let run = folder.done(&line);
    assert!(
        run.stdout
            .contains("the platform codes were compared, and both are JB9"),
        "{run}"
    );
}

#[test]
fn what_a_drive_gives_in_windows_is_kept_as_parts_and_never_called_damaged() {
    let folder = with_board("reads = \"windows\"");
    let run = folder.done("3 r /m /b parts.bin");
    assert!(run.stdout.contains("Kept      as parts"), "{run}");
    let run = folder.fails("i parts.bin", 5);
    assert!(run.stdout.contains("Verdict   parts of a flash"), "{run}");
    assert!(run.stderr.contains("holds parts of a flash"), "{run}");
    // What of it can be compared with a flash the drive rewrites by itself.
    let run = folder.fails("3 v /m parts.bin --force=gaps", 4);
    assert!(
        run.stderr.contains("Nothing of this could be compared"),
        "{run}"
    );
    folder.write("new.bin", wh16ns60());
    for line in ["3 w /m parts.bin --yes --force=gaps", "i parts.bin"] {
        let run = folder.fails(line, 5);
        assert!(!run.stderr.contains("Get the file again"), "{run}");
    }
}

#[test]
fn who_wants_a_part_of_a_drive_that_takes_all_is_told_what_it_takes() {
    let folder = with_board("");
    folder.write("bank.bin", &wh16ns60()[0x3_0000..0x4_0000]);
    let run = folder.fails("3 w /m bank.bin --banks 3 --yes", 4);
    assert!(run.stderr.contains("Get whole firmware"), "{run}");
    for part in ["--banks 3", "--keep 0x30000-0x3ffff"] {
        let run = folder.fails(&format!("3 w /m new.bin {part} --yes"), 4);
        assert!(run.stderr.contains("To write all of the image"), "{run}");
        assert!(run.stderr.contains("3 w /m new.bin --sim"), "{run}");
    }
}

#[test]
fn a_bank_alone_is_told_how_a_part_is_written() {
    let folder = with_board("");
    folder.write("bank.bin", &wh16ns60()[0x3_0000..0x4_0000]);
    for line in ["3 w /m bank.bin --yes", "3 v /m bank.bin"] {
        let run = folder.fails(line, 5);
        assert!(
            run.stderr.contains("--banks and the number of its bank"),
            "{run}"
        );
        assert!(!run.stderr.contains("Get the file again"), "{run}");
    }
}

#[test]
fn a_drive_of_whose_board_nothing_can_be_read_is_no_right_one_for_that() {
    let folder = with_board("reads = \"nothing\"");
    let line = "3 w /m new.bin --yes --no-backup";
    let run = refused(&folder, line, 4);
    assert!(run.stderr.contains("cannot be compared"), "{run}");
    assert!(
        run.stderr.contains("the name of the check: family"),
        "{run}"
    );
    let run = folder.done(&format!("{line} --force=family"));
    assert!(holds(&folder.flash(), &wh16ns60()), "{run}");
}

#[test]
fn an_image_of_a_form_that_nobody_knows_gets_into_no_drive_whatever_is_forced() {
    let folder = with_board("");
    folder.write(
        "new.bin",
        firmware("BD-RE  WH16NS60", Board::new("XYZ1", "ZZ1").svc("NS60")),
    );
    let line = format!("{WRITE} --force=model,family,banner,drive-read,structure");
    let run = refused(&folder, &line, 4);
    insta::assert_snapshot!("unknown_form", run.message());
}

#[test]
fn looking_which_drives_there_are_asks_for_the_firmware_by_at_most_nine_commands_that_read() {
    const TEST_UNIT_READY: u8 = 0x00;
    const INQUIRY: u8 = 0x12;
    const READ_BUFFER: u8 = 0x3C;
    const GET_CONFIGURATION: u8 = 0x46;
    for contents in ["recipe = \"firmware\", seed = 83", "recipe = \"boot-code\""] {
        let folder = with_contents("", contents);
        let run = folder.done("l");
        assert!(
            run.stdout.contains("boot string \"MT1959 Boot JB8\""),
            "{run}"
        );
        let packets = folder.counters().packets;
        let known = [TEST_UNIT_READY, INQUIRY, READ_BUFFER, GET_CONFIGURATION]
            .map(|opcode| packets.of(opcode));
        assert_eq!(packets.total(), known.iter().sum::<u64>(), "{contents}");
        assert!(
            packets.of(READ_BUFFER) == 2 && packets.total() <= 9,
            "{known:?}"
        );
    }
}

#[test]
fn what_a_drive_in_its_boot_code_gives_is_kept_as_half_written_and_no_way_back() {
    let folder = with_contents("", "recipe = \"boot-code\"");
    folder.write("new.bin", wh16ns60());
    let run = folder.done("3 w /m new.bin --yes");
    let files = folder.files();
    let kept = |kind: &str| files.iter().any(|name| name.starts_with(kind));
    assert!(kept("half-written-") && !kept("backup-"), "{files:?}");
    assert!(
        run.stdout
            .contains("it may be half-written, and no way back"),
        "{run}"
    );
    let folder = with_contents("", "recipe = \"boot-code\"");
    let run = folder.done("3 r /m /b dump.bin --force=blank");
    assert!(folder.text("dump.bin.txt").contains("half_written = true"));
    assert!(run.stdout.contains("it is no backup"), "{run}");
}

#[test]
fn boot_code_that_does_not_show_what_it_wants_gets_nothing_and_is_told_why() {
    let folder = with_contents("boot_reads = \"windows\"", "recipe = \"boot-code\"");
    folder.write("new.bin", wh16ns60());
    let run = refused(&folder, WRITE, 4);
    insta::assert_snapshot!("untold_by_boot_code", run.message());
}

#[test]
fn a_success_says_what_was_proven_how() {
    let run = with_board("").done(WRITE);
    insta::assert_snapshot!("proven", essence(&run));
}

#[test]
fn a_drive_that_gives_nothing_but_the_windows_keeps_its_calibration_on_the_disk() {
    let folder = with_board("reads = \"windows\"");
    let flash = folder.flash();
    let run = folder.done("3 r /m /b dump.bin");
    assert!(run.stdout.contains("0x03020-0x1ebfff"), "{run}");
    assert!(run.stdout.contains("0x1ec100-0x1effff"), "{run}");
    let dump = folder.read("dump.bin");
    assert!(CALIBRATION.of(&dump) == CALIBRATION.of(&flash));
    assert_eq!(dump[0x3000..0x3020], flash[0x3000..0x3020]);
    assert_eq!(dump[0x1E_C000..0x1E_C100], flash[0x1E_C000..0x1E_C100]);
    assert!(dump[0x1_0000..0x1D_8000].iter().all(|byte| *byte == 0xFF));
    refused(&folder, WRITE, 4);
    // Its code cannot be read, and its date alone tells what it wants.
    let run = folder.done(&format!("{WRITE} --force=gaps"));
    assert!(
        CALIBRATION.of(&folder.read("old.bin")) == CALIBRATION.of(&flash),
        "{run}"
    );
    assert!(holds(&folder.flash(), &wh16ns60()), "{run}");
    assert!(run.stdout.contains("was not read back"), "{run}");
    assert!(
        run.stdout.contains("old.bin holds as much of what was"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("its descriptor is the image's, BD-RE  WH16NS60 1.02"),
        "{run}"
    );
}

#[test]
fn a_drive_in_its_boot_code_is_listed_and_comes_back_without_a_backup_that_cannot_be() {
    for reads in ["everything", "boot-code"] {
        let more = format!("boot_reads = \"{reads}\"");
        let folder = with_contents(&more, "recipe = \"boot-code\"");
        folder.write("new.bin", wh16ns60());
        for line in ["l", "3 c"] {
            let run = folder.done(line);
            assert!(run.stdout.contains("its boot code answers"), "{run}");
        }
        let run = folder.done("3 w /m new.bin --yes --backup old.bin");
        assert_eq!(folder.counters().violations, [""; 0], "{run}");
        assert!(holds(&folder.flash(), &wh16ns60()), "{reads} {run}");
    }
}

#[test]
fn a_power_cut_leaves_the_boot_code_which_takes_the_same_line_again() {
    let folder = with_board("");
    let before = folder.flash();
    folder.done(&format!("{WRITE} --dry-run"));
    let operation = folder.counters().operations + 1 + 129;
    let bench = folder.text("bench.toml");
    let fault = format!("\n[[drive.fault]]\nkind = \"power-cut\"\noperation = {operation}\n");
    folder.write("bench.toml", bench + &fault);
    folder.fails(WRITE, 7);
    assert!(folder.done("3 c").stdout.contains("BOOT"));
    let run = folder.done(WRITE);
    assert!(holds(&folder.flash(), &wh16ns60()), "{run}");
    assert!(folder.read("old.bin") == as_read(before), "{run}");
}

#[test]
fn a_drive_and_its_image_are_shown_with_all_that_is_known() {
    let folder = with_board("");
    let shown = ["l", "3 c", "i new.bin"].map(|line| folder.done(line).stdout);
    insta::assert_snapshot!("shown", shown.join("\n"));
    let mut damaged = wh16ns60();
    damaged[0x8_0000] ^= 1;
    folder.write("damaged.bin", &damaged);
    let run = folder.fails("i damaged.bin", 5);
    assert!(run.stdout.contains("4 of 5 protected ranges hold"), "{run}");
    sign(&mut damaged);
    folder.write("damaged.bin", &damaged);
    folder.done("i damaged.bin");
}

#[test]
fn a_part_of_such_a_flash_leads_in_no_circle() {
    let folder = with_board("");
    folder.done("3 r /m /b part.bin --banks 2-3");
    let run = folder.fails("3 w /m part.bin --banks 2-3 --yes", 4);
    assert!(run.stderr.contains("Get whole firmware"), "{run}");
    let run = folder.fails("3 v /m new.bin --keep 0x20000-0x2ffff", 8);
    assert!(!run.stderr.contains("--keep"), "{run}");
    assert!(run.stderr.contains("3 w /m new.bin --sim"), "{run}");
}
