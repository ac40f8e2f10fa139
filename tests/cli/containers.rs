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
