//! Firmware as people have it: in a ZIP, in a vendor's flasher.

use crate::folder::{BANK, Folder, bys1};

#[path = "../../fixtures/containers.rs"]
#[allow(dead_code)]
pub mod made;

use made::XFlash;

fn with(name: &str, content: &[u8]) -> Folder {
    let folder = Folder::with_bench("dw-d22a.toml");
    folder.write(name, content);
    folder
}

fn bys2() -> Vec<u8> {
    mtkflash::sim::Firmware::new(0x10_0000, 23)
        .identified("SONY", "DVD RW DW-D22A", "BYS2")
        .bytes()
}

#[test]
fn the_image_in_a_zip_is_written_and_said_to_come_from_there() {
    let archive = made::zip(&[("readme.txt", b"Read me."), ("BYS2.BIN", &bys2())]);
    let folder = with("DW-D22A_BYS2b.zip", &archive);
    insta::assert_snapshot!(folder.done("i DW-D22A_BYS2b.zip").stdout);
    folder.done("3 w /m DW-D22A_BYS2b.zip --yes");
    assert!(folder.flash() == bys2());
    let run = folder.done("3 v /m DW-D22A_BYS2b.zip");
    let said = "From      BYS2.BIN in this file, a ZIP archive\n";
    assert!(run.stdout.contains(said), "{run}");
}

#[test]
fn of_several_images_one_is_to_be_named() {
    let archive = made::zip(&[("a/BYS1.BIN", &bys1()), ("BYS2.BIN", &bys2())]);
    let folder = with("both.zip", &archive);
    insta::assert_snapshot!(folder.fails("3 w /m both.zip --yes", 5).message());
    insta::assert_snapshot!(folder.fails("i both.zip --entry BYS3.BIN", 5).message());
    folder.done("3 w /m both.zip --entry 2 --yes");
    assert!(folder.flash() == bys2());
    insta::assert_snapshot!(folder.done("i both.zip --entry bys1.bin").stdout);
}

#[test]
fn the_image_in_a_flasher_is_written() {
    let mut image = bys2();
    // As code, which has more 00 than anything else.
    for bank in image.chunks_mut(BANK) {
        for (at, byte) in bank.iter_mut().enumerate().skip(0x4210) {
            if at % 3 > 0 && *byte != 0xFF {
                *byte = 0;
            }
        }
    }
    let how = XFlash::Standard {
        mask: 7,
        hidden: 0xC3,
    };
    let folder = with("BYS2.EXE", &made::xflash(how, &[("BYS2", &image)]));
    insta::assert_snapshot!(folder.done("i BYS2.EXE").stdout);
    folder.done("3 w /m BYS2.EXE --yes");
    assert!(folder.flash() == image);
}

#[test]
fn a_file_without_an_image_is_called_what_it_is() {
    let text = b"Nothing here but words.";
    for (name, content) in [
        (
            "nothing.zip",
            made::zip(&[("readme.txt", text), ("b.txt", text)]),
        ),
        ("program.exe", made::program(&[], b"")),
        ("fw.rar", b"Rar!\x1a\x07\x00 and so on".to_vec()),
        ("fw.7z", b"7z\xbc\xaf\x27\x1c and so on".to_vec()),
        (
            "cut.zip",
            made::zip(&[("BYS2.BIN", &bys2())])[..70_000].to_vec(),
        ),
    ] {
        let folder = with(name, &content);
        insta::assert_snapshot!(name, folder.fails(&format!("i {name}"), 5).message());
        assert!(
            !folder
                .fails(&format!("3 w /m {name} --yes"), 5)
                .stderr
                .is_empty()
        );
        assert!(!folder.holds("bench.state"), "the drive was touched");
    }
}

#[test]
fn an_entry_of_a_file_that_has_none_is_refused() {
    let folder = with("x.bin", &bys2());
    insta::assert_snapshot!(folder.fails("i x.bin --entry 1", 5).message());
}

/// As its CRC-32 tells, the first member is not what it was.
fn with_a_damaged_first() -> Vec<u8> {
    let mut archive = made::zip(&[("BYS1.BIN", &bys1()), ("BYS2.BIN", &bys2())]);
    archive[0x8_0000] ^= 1;
    archive
}

#[test]
fn one_image_beside_another_that_cannot_be_read_is_not_taken_before_it_is_named() {
    let folder = with("both.zip", &with_a_damaged_first());
    insta::assert_snapshot!(folder.fails("i both.zip", 5));
    folder.fails("3 w /m both.zip --yes", 5);
    folder.fails("3 v /m both.zip", 5);
    assert!(!folder.holds("bench.state"), "the drive was touched");
    let damaged = folder.fails("i both.zip --entry BYS1.BIN", 5).message();
    assert!(damaged.contains("BYS1.BIN is damaged."), "{damaged}");
    insta::assert_snapshot!(folder.done("i both.zip --entry BYS2.BIN").stdout);
    folder.done("3 w /m both.zip --entry 1 --yes");
    assert!(folder.flash() == bys2());
}

#[test]
fn a_short_image_beside_a_whole_one_is_listed_with_what_is_wrong_with_it() {
    let short = &bys1()[..0xF_FF00];
    let folder = with(
        "x.zip",
        &made::zip(&[("BYS1.BIN", short), ("OLD.BIN", &bys2())]),
    );
    insta::assert_snapshot!(folder.fails("i x.zip", 5));
    insta::assert_snapshot!(folder.fails("i x.zip --entry 1", 5));
}

#[test]
fn what_is_clearly_no_image_is_named_beside_the_one_that_is() {
    let archive = made::zip(&[
        ("readme.txt", b"Read me."),
        ("index.html", b"<html><body>Firmware</body></html>"),
        ("setup.exe", &made::program(&[], b"")),
        ("BYS2.BIN", &bys2()),
    ]);
    let folder = with("fw.zip", &archive);
    let told = folder.done("i fw.zip").stdout;
    let said = "beside it, and no firmware: readme.txt, index.html, setup.exe";
    assert!(told.contains(said), "{told}");
}

#[test]
fn a_damaged_image_in_an_archive_is_told_what_is_wrong_with_it() {
    let translated: Vec<u8> = bys1()
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => vec![b'\r', b'\n'],
            byte => vec![*byte],
        })
        .collect();
    let doubled = bys1().repeat(4);
    let page = b"<html><body>404 Not Found</body></html>";
    let rows: [(&[u8], &str); 4] = [
        (&bys1()[..0xF_FF00], "cut short"),
        (&translated, "every 0A has 0D before it"),
        (&doubled, "come again and again"),
        (page, "BYS1.BIN is a web page"),
    ];
    for (content, said) in rows {
        let folder = with("x.zip", &made::zip(&[("BYS1.BIN", content)]));
        let run = folder.fails("i x.zip", 5);
        assert!(run.to_string().contains(said), "{run}");
        folder.fails("3 w /m x.zip --yes", 5);
        assert!(!folder.holds("bench.state"), "the drive was touched");
    }
}

#[test]
fn a_bank_of_a_flasher_that_does_not_start_as_it_should_is_given_its_place() {
    let mut image = bys2();
    image[3 * BANK] = 0;
    let flasher = made::xflash(XFlash::Plain, &[("BYS2", &image)]);
    let folder = with("x.exe", &flasher);
    let run = folder.fails("i x.exe", 5);
    assert!(run.stdout.contains("Verdict   damaged at 0x30000"), "{run}");
    let said = "1 of its 16 banks start with another byte than 02, the first with 00 at 0x30000";
    assert!(run.message().contains(said), "{run}");
}

#[test]
fn a_number_means_the_image_that_has_it_in_the_list() {
    let archive = made::zip(&[("2", &bys1()), ("1", &bys2())]);
    let folder = with("x.zip", &archive);
    folder.done("3 w /m x.zip --entry 2 --yes");
    assert!(folder.flash() == bys2());
}

#[test]
fn all_of_a_hundred_images_are_listed_and_can_be_chosen() {
    let names: Vec<String> = (1..=100).map(|number| format!("f{number}.bin")).collect();
    let small = &bys1()[..0x2_0000];
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), small)).collect();
    let folder = with("many.zip", &made::zip(&members));
    let run = folder.fails("i many.zip", 5);
    assert!(run.message().contains("with 100 firmware images"), "{run}");
    let chosen = folder.run("i many.zip --entry 100");
    assert!(chosen.stdout.contains("f100.bin in this file"), "{chosen}");
}

#[test]
fn what_a_container_holds_is_data_in_json() {
    let folder = with("both.zip", &with_a_damaged_first());
    let run = folder.fails("i both.zip --json", 5);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let image = &object["image"];
    assert_eq!(image["entries"][0]["number"], 1);
    assert_eq!(image["entries"][0]["path"], serde_json::json!(["BYS2.BIN"]));
    assert_eq!(image["others"][0]["path"], serde_json::json!(["BYS1.BIN"]));
    assert_eq!(image["others"][0]["may_be_image"], true);
}

#[test]
fn a_flasher_that_names_another_revision_than_its_image_is_told() {
    let flasher = made::xflash(XFlash::Plain, &[("BYS9", &bys2())]);
    let run = with("x.exe", &flasher).done("i x.exe");
    let said = "the flasher calls it BYS9, and it says of itself that it is BYS2";
    assert!(run.stdout.contains(said), "{run}");
}

#[test]
fn an_archive_that_wants_a_password_is_locked_and_not_called_no_firmware() {
    let mut archive = made::zip(&[("BYS2.BIN", &bys2())]);
    let central = archive.windows(4).position(|four| four == b"PK\x01\x02");
    // The flag of an encrypted member.
    archive[6] |= 1;
    archive[central.unwrap() + 8] |= 1;
    let folder = with("locked.zip", &archive);
    let run = folder.fails("i locked.zip", 5);
    let verdict = "locked: a ZIP archive with 1 file, which wants a password";
    assert!(run.stdout.contains(verdict), "{run}");
}
