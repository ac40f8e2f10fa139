//! Files that programs make which nobody here wrote: `zip`, `7z`, `gzip`, `objcopy`,
//! `srec_cat`, `upx`, `gcab` (Debian: zip, p7zip-full, gzip, binutils, srecord,
//! upx-ucl, gcab). A program that is not installed is named, and its part left out; with
//! its name in `MTKFLASH_MUST_RUN`, as `.ci/run` has it, it fails.

use std::process::Command;

use crate::containers::made;
use crate::folder::{BANK, Folder, bys1, left_out, old_image};

/// Runs another program in a folder; `false`, and a word about it, where it is
/// not installed.
fn runs(folder: &Folder, line: &str) -> bool {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path("")).args(words);
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{line}: {output:?}");
            true
        }
        Err(error) => {
            left_out(program, &error.to_string());
            false
        }
    }
}

/// The image that the tool takes out of a file.
fn taken(folder: &Folder, file: &str) -> Vec<u8> {
    folder.done(&format!("i {file} --to bin --out taken-from-{file}"));
    folder.read(&format!("taken-from-{file}"))
}

fn with_image() -> Folder {
    let folder = Folder::new();
    folder.write("BYS1.BIN", bys1());
    folder.write("readme.txt", "Read this first.\n".repeat(100));
    folder
}

#[test]
fn what_zip_packs_is_read() {
    let folder = with_image();
    for (name, level) in [("stored.zip", "-0"), ("best.zip", "-9")] {
        if runs(
            &folder,
            &format!("zip -q {level} {name} readme.txt BYS1.BIN"),
        ) {
            assert!(taken(&folder, name) == bys1());
            let behind = [made::program(&[], b""), folder.read(name)].concat();
            folder.write(&format!("{name}.exe"), behind);
            assert!(taken(&folder, &format!("{name}.exe")) == bys1());
        }
    }
    if runs(&folder, "zip -q -P secret locked.zip BYS1.BIN") {
        let message = folder.fails("i locked.zip", 5).message();
        assert!(message.contains("password"), "{message}");
    }
}

#[test]
fn what_7z_packs_as_zip_is_read() {
    let folder = with_image();
    if runs(&folder, "7z a -tzip packed.zip readme.txt BYS1.BIN") {
        assert!(taken(&folder, "packed.zip") == bys1());
    }
}

#[test]
fn what_7z_packs_its_own_way_is_read() {
    let folder = with_image();
    let ways = [
        ("lzma.7z", "-m0=LZMA"),
        ("lzma2.7z", "-m0=LZMA2"),
        ("copied.7z", "-m0=Copy"),
        ("filtered.7z", "-m0=BCJ -m1=LZMA"),
        ("single.7z", "-ms=off"),
        ("listed.7z", "-mhc=off"),
    ];
    for (name, how) in ways {
        if runs(&folder, &format!("7z a {name} {how} readme.txt BYS1.BIN")) {
            assert!(taken(&folder, name) == bys1(), "{how}");
        }
    }
    if runs(&folder, "7z a ppmd.7z -m0=PPMd BYS1.BIN") {
        let message = folder.fails("i ppmd.7z", 5).message();
        assert!(message.contains("7z x ppmd.7z"), "{message}");
        for (name, how) in [("locked.7z", "-mhe=off"), ("hidden.7z", "-mhe=on")] {
            runs(&folder, &format!("7z a -psecret {name} {how} BYS1.BIN"));
            let message = folder.fails(&format!("i {name}"), 5).message();
            assert!(message.contains("password"), "{message}");
        }
    }
}

#[test]
fn what_upx_packs_is_read() {
    let folder = with_image();
    let flasher = made::xflash(made::XFlash::Fibonacci, &[("BYS1", &bys1())]);
    let ways = [
        ("b.exe", "--nrv2b"),
        ("d.exe", "--nrv2d"),
        ("e.exe", "--nrv2e"),
        ("lzma.exe", "--lzma"),
    ];
    for (name, how) in ways {
        folder.write(name, made::packable(&flasher));
        if runs(&folder, &format!("upx -qq -9 {how} {name}")) {
            assert!(taken(&folder, name) == bys1(), "{how}");
        }
    }
}

#[test]
fn what_gcab_packs_is_read() {
    let folder = with_image();
    for (name, how) in [("kept.cab", "-c"), ("packed.cab", "-cz")] {
        if runs(&folder, &format!("gcab {how} {name} readme.txt BYS1.BIN")) {
            assert!(taken(&folder, name) == bys1(), "{how}");
            let behind = [made::program(&[], b""), folder.read(name)].concat();
            folder.write(&format!("{name}.exe"), behind);
            assert!(taken(&folder, &format!("{name}.exe")) == bys1());
        }
    }
}

#[test]
fn what_gzip_packs_is_read() {
    let folder = with_image();
    if runs(&folder, "gzip -9 -k BYS1.BIN") {
        assert!(taken(&folder, "BYS1.BIN.gz") == bys1());
    }
}

#[test]
fn hex_that_objcopy_writes_is_read_and_the_other_way_round() {
    let folder = with_image();
    let sizes = [("BYS1.BIN", bys1()), ("small.bin", old_image())];
    for (name, bytes) in sizes {
        folder.write(name, &bytes);
        let hex = format!("{name}.hex");
        if !runs(&folder, &format!("objcopy -I binary -O ihex {name} {hex}")) {
            return;
        }
        assert!(taken(&folder, &hex) == bytes);
    }
    // One bank of ours is plain Intel HEX.
    let mut out = Vec::new();
    mtkflash::image::hex::write(&bys1()[..BANK], &mut out).unwrap();
    folder.write("bank.hex", out);
    runs(&folder, "objcopy -I ihex -O binary bank.hex bank.bin");
    assert!(folder.read("bank.bin") == bys1()[..BANK]);
    // What the advice on S-records names.
    runs(&folder, "objcopy -I binary -O srec BYS1.BIN image.s19");
    let message = folder.fails("i image.s19", 5).message();
    assert!(
        message.contains("objcopy -I srec -O binary image.s19 image.bin"),
        "{message}"
    );
    runs(&folder, "objcopy -I srec -O binary image.s19 image.bin");
    assert!(folder.read("image.bin") == bys1());
}

#[test]
fn hex_that_srec_cat_writes_is_read() {
    let folder = with_image();
    for more in ["", " -address-length=3", " --line-length=75"] {
        let line = format!("srec_cat BYS1.BIN -binary -o x.hex -intel{more}");
        if runs(&folder, &line) {
            assert!(taken(&folder, "x.hex") == bys1(), "{line}");
            std::fs::remove_file(folder.path("taken-from-x.hex")).unwrap();
        }
    }
}
