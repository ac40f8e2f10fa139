//! Containers that were made by descriptions, and by other programs, read back.

use proptest::prelude::*;

use super::*;
use crate::image::Image;
use crate::image::entry::{NoEntry, choose};
use crate::sim::Firmware;

#[path = "../../../fixtures/containers.rs"]
#[allow(dead_code)]
mod made;

use made::{Cabinet, SevenZip, XFlash};

fn image(kib: u32, seed: u64) -> Vec<u8> {
    Firmware::new(kib * 1024, seed)
        .identified("SONY", "DVD RW DW-D22A", &format!("BY{seed:02}"))
        .bytes()
}

/// What an XFlash flasher is scrambled from: firmware with more 00 than any
/// other byte, as real code has.
fn with_zeros(kib: u32, seed: u64) -> Vec<u8> {
    let mut bytes = image(kib, seed);
    for (at, byte) in bytes.iter_mut().enumerate() {
        if at % 3 > 0 && at % 0x1_0000 >= 0x100 && !(0x4000..0x4210).contains(&at) && *byte != 0xff
        {
            *byte = 0;
        }
    }
    bytes
}

fn found(content: &[u8]) -> Contents {
    search(content, Budget::default()).unwrap()
}

fn only(content: &[u8]) -> Image {
    choose(found(content), None).unwrap()
}

/// The troubles of a container without an image.
fn troubles(content: &[u8]) -> Vec<Trouble> {
    let contents = found(content);
    assert_eq!(contents.images, []);
    contents
        .others
        .into_iter()
        .map(|other| other.trouble)
        .collect()
}

fn names(image: &Image) -> Vec<&str> {
    let path = &image.origin().unwrap().path;
    path.iter().map(|step| step.name.as_str()).collect()
}

#[test]
fn the_one_image_of_an_archive_is_taken_and_known_where_from() {
    let bytes = image(1024, 1);
    let text = b"Please read me first.\r\n".as_slice();
    for archive in [
        made::zip(&[("readme.txt", text), ("fw/BYS1.BIN", &bytes)]),
        made::zip(&[("fw/BYS1.BIN", &bytes), ("readme.txt", text)]),
    ] {
        for packed in [archive.clone(), made::swapped(&archive)] {
            let image = only(&packed);
            assert!(image.bytes() == bytes);
            assert_eq!(names(&image), ["fw/BYS1.BIN"]);
            assert_eq!(image.origin().unwrap().others, 0);
        }
    }
}

#[test]
fn archives_of_7z_and_gzip_are_read_as_well() {
    let bytes = image(1024, 1);
    let text = b"Please read me first.\r\n".as_slice();
    for how in [SevenZip::Copied, SevenZip::Lzma2] {
        let members = [("readme.txt", text), ("fw/BYS1.BIN", &bytes)];
        let archive = made::seven_zip(how, &members);
        assert!(only(&archive).bytes() == bytes, "{how:?}");
        assert_eq!(names(&only(&archive)), ["fw/BYS1.BIN"]);
        let behind = made::program(&[], &archive);
        assert!(only(&behind).bytes() == bytes);
        let one = made::seven_zip(how, &[("BYS1.BIN", &bytes)]);
        assert!(only(&one).bytes() == bytes);
        let mut damaged = one.clone();
        damaged[0x8_0000] ^= 1;
        assert_eq!(troubles(&damaged), [Trouble::Archive(Problem::Damaged)]);
        let cut = &one[..0x9_0000];
        assert_eq!(troubles(cut), [Trouble::Archive(Problem::Damaged)]);
    }
    let packed = made::gzip("BYS1.BIN", &bytes);
    assert!(only(&packed).bytes() == bytes);
    assert_eq!(names(&only(&packed)), ["BYS1.BIN"]);
    let mut damaged = packed;
    damaged[0x8_0000] ^= 1;
    assert_eq!(troubles(&damaged), [Trouble::Archive(Problem::Damaged)]);
    // Several streams in a row are one content, and a disk's last block may follow.
    let (first, second) = bytes.split_at(0x3_0000);
    let mut several = [made::gzip("BYS1.BIN", first), made::gzip("", second)].concat();
    assert!(only(&several).bytes() == bytes);
    several.resize(several.len() + 512, 0);
    assert!(only(&several).bytes() == bytes);
    several.push(b'x');
    assert_eq!(troubles(&several), [Trouble::Archive(Problem::Damaged)]);
}

#[test]
fn of_two_files_of_one_name_in_an_archive_none_is_taken() {
    let (one, other) = (image(256, 1), image(256, 2));
    let archive = made::zip(&[("BYS1.BIN", &one), ("BYS1.BIN", &other)]);
    assert_eq!(troubles(&archive), [Trouble::Archive(Problem::SameNames)]);
    let same = made::zip(&[("BYS1.BIN", &one), ("BYS1.BIN", &one)]);
    assert!(only(&same).bytes() == one);
    let besides = [
        ("READ.ME", &b"one"[..]),
        ("READ.ME", b"other"),
        ("BYS1.BIN", &one),
    ];
    assert_eq!(found(&made::zip(&besides)).images.len(), 1);
}

#[test]
fn members_that_want_a_password_leave_room_for_one_that_does_not() {
    let bytes = image(256, 1);
    let names = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let mut members = names.map(|name| (name, b"secret".as_slice())).to_vec();
    members.push(("BYS1.BIN", &bytes));
    let mut archive = made::zip(&members);
    let places = |mark: &[u8], archive: &[u8]| -> Vec<usize> {
        memchr::memmem::find_iter(archive, mark).take(9).collect()
    };
    // The flags of encrypted members.
    for (mark, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        for at in places(mark, &archive) {
            archive[at + flags] |= 1;
        }
    }
    assert_eq!(found(&archive).images.len(), 1);
}

#[test]
fn a_hex_file_in_an_archive_is_read_as_one() {
    let bytes = image(256, 1);
    let mut hex = Vec::new();
    crate::image::hex::write(&bytes, &mut hex).unwrap();
    assert!(only(&made::zip(&[("a.hex", &hex)])).bytes() == bytes);
}

#[test]
fn of_several_images_none_is_taken_before_it_is_named() {
    let (one, two) = (image(1024, 1), image(1024, 2));
    let archive = made::zip(&[("A/BYS1.BIN", &one), ("A/BYS2.BIN", &two)]);
    let Err(NoEntry { images, .. }) = choose(found(&archive), None) else {
        panic!("one of two was chosen");
    };
    assert_eq!(images.len(), 2);
    assert_eq!(images[1].number, 2);
    for wanted in ["2", "a/bys2.bin", "BYS2.BIN"] {
        let image = choose(found(&archive), Some(wanted)).unwrap();
        assert!(image.bytes() == two, "{wanted}");
        assert_eq!(image.origin().unwrap().others, 1);
    }
    for wanted in ["0", "3", "BYS3.BIN", ""] {
        let outcome = choose(found(&archive), Some(wanted));
        assert!(
            matches!(
                outcome,
                Err(NoEntry {
                    unknown: Some(_),
                    ..
                })
            ),
            "{wanted}"
        );
    }
}

#[test]
fn two_images_of_one_name_are_told_apart_by_number_only() {
    let (one, two) = (image(1024, 1), image(1024, 2));
    let archive = made::zip(&[("A/F.BIN", &one), ("B/F.BIN", &two)]);
    assert!(matches!(
        choose(found(&archive), Some("F.BIN")),
        Err(NoEntry { unknown: None, .. })
    ));
    assert!(choose(found(&archive), Some("b/f.bin")).unwrap().bytes() == two);
}

#[test]
fn a_damaged_member_is_told_and_never_an_image() {
    let bytes = image(1024, 1);
    let mut archive = made::zip(&[("BYS1.BIN", &bytes)]);
    archive[0x8_0000] ^= 1;
    assert_eq!(troubles(&archive), [Trouble::Archive(Problem::Damaged)]);
    let cut = &archive[..0x9_0000];
    assert_eq!(troubles(cut), [Trouble::Archive(Problem::Damaged)]);
}

#[test]
fn a_program_gives_its_resources_and_the_archive_behind_it() {
    let bytes = image(1024, 1);
    let archive = made::zip(&[("fw.bin", &bytes)]);
    let picture = vec![0x77; 0x2000];
    let in_resource = made::program(&[&picture, &made::swapped(&archive)], b"");
    let raw = made::program(&[&picture, &bytes], b"");
    let behind = made::program(&[&picture], &archive);
    for (program, path) in [
        (in_resource, vec!["resource 2", "fw.bin"]),
        (raw, vec!["resource 2"]),
        (behind, vec!["the archive behind it", "fw.bin"]),
    ] {
        let image = only(&program);
        assert!(image.bytes() == bytes);
        assert_eq!(names(&image), path);
    }
    assert_eq!(
        troubles(&made::program(&[&picture], b"")),
        [Trouble::NoImage]
    );
    let rar = made::program(&[], b"Rar!\x1a\x07\x00 and more");
    assert_eq!(troubles(&rar), [Trouble::Foreign(Kind::Rar)]);
}

#[test]
fn the_payload_of_a_signed_update_is_taken() {
    let bytes = image(1024, 1);
    let update = made::signed(&bytes);
    assert!(only(&update).bytes() == bytes);
    let mut longer = update.clone();
    longer.push(0);
    assert_eq!(Kind::of(&longer), None);
    assert_eq!(Kind::of(&bytes), None);
}

#[test]
fn every_method_of_xflash_gives_its_images_back() {
    let (one, two) = (with_zeros(1024, 1), with_zeros(512, 2));
    for how in [
        XFlash::Plain,
        XFlash::Flip205,
        XFlash::Flip210,
        XFlash::Fibonacci,
        XFlash::Standard {
            mask: 0x07,
            hidden: 0xc3,
        },
        XFlash::Standard {
            mask: 0x3f,
            hidden: 0x00,
        },
    ] {
        let flasher = made::xflash(how, &[("BYS1", &one), ("BYS2", &two)]);
        let contents = found(&flasher);
        assert_eq!(contents.kind, Kind::XFlash, "{how:?}");
        assert_eq!(contents.others, [], "{how:?}");
        for (image, (bytes, name)) in contents.images.iter().zip([(&one, "BYS1"), (&two, "BYS2")]) {
            assert!(image.image.bytes() == bytes, "{how:?} {name}");
            assert_eq!(image.path[0].name, name);
        }
        assert_eq!(contents.images.len(), 2, "{how:?}");
    }
}

#[test]
fn a_key_that_is_not_decisive_gives_no_image() {
    // Bytes that all occur as often, and FF: the frequency says FF is 00.
    let how = XFlash::Standard {
        mask: 0x07,
        hidden: 0xc3,
    };
    let mut bytes = image(1024, 1);
    for bank in bytes.chunks_mut(0x1_0000) {
        bank[0x6000..].fill(0xff);
    }
    let outcome = troubles(&made::xflash(how, &[("BYS1", &bytes)]));
    assert!(
        matches!(outcome[..], [Trouble::Undecided(_)]),
        "{outcome:?}"
    );
}

#[test]
fn an_image_with_a_guessed_key_must_be_whole_by_every_other_check() {
    let how = XFlash::Standard {
        mask: 0x07,
        hidden: 0xc3,
    };
    let whole = with_zeros(1024, 1);
    let mut nameless = whole.clone();
    nameless[0x4128..0x4130].fill(0);
    let mut repeated = whole.clone();
    repeated.copy_within(..0x8_0000, 0x8_0000);
    for bytes in [nameless, repeated] {
        let outcome = troubles(&made::xflash(how, &[("BYS1", &bytes)]));
        assert!(
            matches!(outcome[..], [Trouble::Undecided(_)]),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_flasher_that_is_cut_short_or_of_an_unknown_kind_gives_no_image() {
    let bytes = with_zeros(1024, 1);
    let whole = made::xflash(XFlash::Fibonacci, &[("BYS1", &bytes)]);
    assert_eq!(troubles(&whole[..whole.len() - 100]), [Trouble::CutShort]);
    let mut other = whole.clone();
    let version = memchr::memmem::find(&other, b"2.1.6").unwrap();
    other[version..version + 5].copy_from_slice(b"2.0.9");
    assert_eq!(troubles(&other), [Trouble::UnknownFlasher]);
    let mut damaged = whole;
    let bank = damaged.len() - 22 - 0x1_0000;
    damaged[bank..bank + 8].fill(0x55);
    let [Trouble::NotFirmware(unlike)] = troubles(&damaged)[..] else {
        panic!("{:?}", troubles(&damaged));
    };
    assert_eq!((unlike.banks, unlike.of, unlike.found), (1, 16, 0x55));
    assert_eq!(unlike.at, crate::flash::Offset(0xf_0000));
}

#[test]
fn what_other_programs_open_is_named() {
    for (start, kind) in [
        (&b"Rar!\x1a\x07\x00 and so on"[..], Kind::Rar),
        (b"BZh91AY&SY and so on", Kind::Bzip2),
        (b"\xfd7zXZ\0 and so on", Kind::Xz),
    ] {
        assert_eq!(troubles(start), [Trouble::Foreign(kind)]);
    }
}

#[test]
fn a_cabinet_is_read_also_behind_a_program_as_in_a_softpaq() {
    let bytes = image(256, 1);
    let members: [(&str, &[u8]); 2] = [("readme.txt", b"hello"), ("a.bin", &bytes)];
    for how in [Cabinet::Kept, Cabinet::MsZip] {
        let cabinet = made::cabinet(how, &members);
        assert!(only(&cabinet).bytes() == bytes);
        assert!(only(&made::program(&[], &cabinet)).bytes() == bytes);
        assert!(only(&made::program(&[&cabinet], b"")).bytes() == bytes);

        let mut damaged = cabinet.clone();
        let end = damaged.len() - 1;
        damaged[end] ^= 1;
        let damage = Trouble::Archive(Problem::Damaged);
        assert_eq!(troubles(&damaged), [damage.clone(), damage.clone()]);
        assert_eq!(troubles(&cabinet[..100]), [damage.clone(), damage.clone()]);
        assert_eq!(troubles(&cabinet[..50]), [damage]);
    }
    let unknown = Trouble::Archive(Problem::Method);
    let lzx = made::cabinet(Cabinet::Other(0x1503), &members);
    assert_eq!(troubles(&lzx), [unknown.clone(), unknown]);
}

#[test]
fn a_block_of_a_cabinet_looks_back_into_the_one_before() {
    // Half a block, over and over: deflate looks back less far than a block.
    let bytes = image(128, 1)[..0x4000].repeat(8);
    let mut cabinet = made::cabinet(Cabinet::MsZip, &[("a.bin", &bytes)]);
    let mut inflate = flate2::Compress::new(flate2::Compression::best(), false);
    inflate.set_dictionary(&bytes[..0x8000]).unwrap();
    let mut packed = b"CK".to_vec();
    packed.reserve(0x8000);
    let finish = flate2::FlushCompress::Finish;
    inflate
        .compress_vec(&bytes[..0x8000], &mut packed, finish)
        .unwrap();
    assert!(packed.len() < 0x400, "{}", packed.len());
    // The blocks are of one size, the second one in the middle of the file.
    let block = 8 + 2 + 5 + 0x8000;
    let end = cabinet.len();
    let header = [
        0,
        0,
        0,
        0,
        packed.len() as u8,
        (packed.len() >> 8) as u8,
        0,
        0x80,
    ];
    cabinet.splice(
        end - 3 * block..end - 2 * block,
        [&header[..], &packed].concat(),
    );
    assert!(only(&cabinet).bytes() == bytes);
}

#[test]
fn containers_in_containers_are_opened_to_a_depth() {
    let bytes = image(256, 1);
    let mut archive = bytes.clone();
    for _ in 0..4 {
        archive = made::zip(&[("inner.zip", &archive)]);
    }
    assert!(only(&archive).bytes() == bytes);
    for _ in 0..4 {
        archive = made::zip(&[("inner.zip", &archive)]);
    }
    assert_eq!(troubles(&archive), [Trouble::Limit]);
}

#[test]
fn an_archive_of_more_members_than_anybody_needs_is_not_read() {
    let names: Vec<String> = (0..5000).map(|number| number.to_string()).collect();
    let members: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    assert_eq!(
        troubles(&made::zip(&members)),
        [Trouble::Archive(Problem::TooLarge)]
    );
}

#[test]
fn a_small_budget_is_kept() {
    let bytes = image(1024, 1);
    let archive = made::zip(&[("a.bin", &bytes), ("b.bin", &bytes)]);
    let budget = Budget {
        bytes: 0x10_0000,
        ..Budget::default()
    };
    let contents = search(&archive, budget).unwrap();
    assert_eq!(contents.images.len(), 1);
    assert_eq!(
        contents.others[0].trouble,
        Trouble::Archive(Problem::TooLarge)
    );
}

#[test]
fn the_same_bytes_of_a_program_are_searched_once() {
    // A program in a program, so large that it would not be searched twice.
    let inner = made::program(&[], &[0x90; 0x10_0000]);
    let mut program = made::program(&[&inner, &inner[..0x2000], &inner[..0x3000]], b"");
    // Of the three entries the last two become the first.
    let entry = |number: usize| 0x400 + 24 + 16 + 8 * 3 + 24 * 3 + 16 * number;
    for number in 1..3 {
        program.copy_within(entry(0)..entry(0) + 16, entry(number));
    }
    let contents = found(&program);
    assert_eq!(contents.others.len(), 1, "{:?}", contents.others);
}

#[test]
fn no_more_is_searched_than_the_budget_and_that_is_told_once() {
    let inner = made::program(&[], &[0x90; 0x10_0000]);
    let members = [("a.exe", &inner[..]), ("b.exe", &inner), ("c.exe", &inner)];
    let budget = Budget {
        searched: 0x18_0000,
        ..Budget::default()
    };
    let contents = search(&made::zip(&members), budget).unwrap();
    let troubles: Vec<Trouble> = contents
        .others
        .into_iter()
        .map(|other| other.trouble)
        .collect();
    assert_eq!(troubles, [Trouble::NoImage, Trouble::Limit]);
}

#[test]
fn an_archive_with_ends_over_and_over_is_not_read() {
    let ends = b"PK\x05\x06".repeat(0x20_0000);
    assert_eq!(troubles(&ends), [Trouble::Archive(Problem::TooLarge)]);
}

#[test]
fn a_signed_or_encrypted_image_is_found_in_a_program() {
    let signed = made::signed(&image(1024, 1));
    assert!(only(&made::program(&[&signed], b"")).bytes() == image(1024, 1));
}

#[test]
fn a_name_is_shown_without_what_a_terminal_obeys() {
    let bytes = image(256, 1);
    let image = only(&made::zip(&[("a\x1b[31m\n.bin", &bytes)]));
    assert_eq!(names(&image), ["a\u{fffd}[31m\u{fffd}.bin"]);
}

#[test]
fn a_flasher_that_upx_has_packed_is_unpacked_also_with_its_names_wiped() {
    let bytes = with_zeros(512, 1);
    for how in [XFlash::Flip210, XFlash::Fibonacci] {
        let packed = made::upx(&made::xflash(how, &[("BYS1", &bytes)]));
        assert!(memchr::memmem::find(&packed, b"UPX").is_none());
        let image = only(&packed);
        assert!(image.bytes() == bytes);
        assert_eq!(names(&image), ["the program inside", "BYS1"]);
        let mut damaged = packed;
        let end = damaged.len() - 100;
        damaged[end] ^= 1;
        assert_eq!(troubles(&damaged), [Trouble::UpxDamaged]);
    }
}

/// Any container there is, small enough to be made thousands of times.
fn any_container() -> impl Strategy<Value = Vec<u8>> {
    let small = image(128, 1);
    let zeros = with_zeros(128, 2);
    let archive = made::zip(&[("readme.txt", b"hello"), ("a.bin", &small)]);
    let mut hex = Vec::new();
    crate::image::hex::write(&small[..0x800], &mut hex).unwrap();
    let standard = XFlash::Standard { mask: 7, hidden: 1 };
    prop::sample::select(vec![
        made::swapped(&archive),
        made::program(&[&archive], b""),
        made::program(&[], &archive),
        made::signed(&archive),
        made::zip(&[("inner.zip", &archive)]),
        made::gzip("a.bin", &small),
        made::seven_zip(SevenZip::Copied, &[("a.txt", b"hello"), ("a.bin", &small)]),
        made::seven_zip(SevenZip::Lzma2, &[("a.bin", &small)]),
        made::cabinet(Cabinet::Kept, &[("a.txt", b"hello"), ("a.bin", &small)]),
        made::cabinet(Cabinet::Unsummed, &[("a.bin", &small)]),
        archive,
        made::xflash(XFlash::Plain, &[("AAAA", &zeros)]),
        made::xflash(XFlash::Flip210, &[("AAAA", &zeros)]),
        made::xflash(XFlash::Fibonacci, &[("AAAA", &zeros)]),
        made::xflash(standard, &[("AAAA", &zeros)]),
        made::upx(&made::xflash(XFlash::Fibonacci, &[("AAAA", &zeros)])),
        hex,
    ])
}

/// Everything that is done with a file that a user names.
fn read_whatever(content: Vec<u8>) {
    match search(&content, Budget::default()) {
        Some(contents) => {
            for found in &contents.images {
                let _ = crate::image::Report::of(&found.image);
            }
            let _ = choose(contents, Some("1"));
        }
        None => {
            if let Ok(image) = Image::parse(content) {
                let _ = crate::image::Report::of(&image);
            }
        }
    }
}

/// How many inputs; the long run is
/// `PROPTEST_CASES=100000 cargo test --release --lib container::tests::no_change`.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig::with_cases(wanted.and_then(|count| count.parse().ok()).unwrap_or(200))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_change_of_a_container_makes_its_reader_panic(
        content in any_container(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        in_header in prop::collection::vec((0_usize..0x400, any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        is_cut in prop::bool::weighted(0.25),
    ) {
        let mut content = content;
        for (at, byte) in in_header {
            if let Some(place) = content.get_mut(at) {
                *place = byte;
            }
        }
        for (at, byte) in edits {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if is_cut {
            let end = cut.index(content.len());
            content.truncate(end);
        }
        read_whatever(content);
    }

    #[test]
    fn no_bytes_behind_a_known_start_make_a_reader_panic(
        start in prop::sample::select(vec![&b"PK\x03\x04"[..], b"KP\x04\x03", b"MZ", b"MSCF\0\0\0\0", b"7z\xbc\xaf\x27\x1c"]),
        rest in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        read_whatever([start, &rest].concat());
    }

    #[test]
    fn no_bytes_make_the_unpackers_panic_or_grow(
        packed in prop::collection::vec(any::<u8>(), 0..500),
        size in 0_usize..5000,
    ) {
        for method in [nrv::Method::Nrv2b, nrv::Method::Nrv2d, nrv::Method::Nrv2e] {
            if let Some(unpacked) = nrv::unpack(&packed, size, method) {
                prop_assert_eq!(unpacked.len(), size);
            }
        }
    }
}
