//! Command lines and benches that make no sense: exit code 2, the word that is
//! wrong, and the right form.

use crate::folder::Folder;

fn refused(line: &str) -> String {
    let folder = Folder::with_bench("sst39sf020.toml");
    let run = folder.fails(line, 2);
    assert_eq!(run.stdout, "", "{run}");
    assert!(!folder.holds("bench.state"), "{run}");
    run.message()
}

#[test]
fn index_0_is_no_drive() {
    insta::assert_snapshot!(refused("0 r /m /b x.bin"));
}

#[test]
fn index_5_is_no_drive() {
    insta::assert_snapshot!(refused("5 c"));
}

#[test]
fn a_backup_and_no_backup_contradict_each_other() {
    insta::assert_snapshot!(refused("3 w /m x.bin --backup y.bin --no-backup"));
}

#[test]
fn banks_and_a_range_contradict_each_other() {
    insta::assert_snapshot!(refused("3 r /m x.bin --banks 1 --range 0x0-0xfff"));
}

#[test]
fn two_commands_contradict_each_other() {
    insta::assert_snapshot!(refused("3 r w x.bin"));
}

#[test]
fn a_write_without_a_drive_is_never_given_one() {
    insta::assert_snapshot!(refused("w /m x.bin"));
}

#[test]
fn an_unknown_switch_is_named() {
    insta::assert_snapshot!(refused("3 r /m /x x.bin"));
}

#[test]
fn the_ambiguous_switch_of_the_dos_tool_is_answered_with_the_form_to_use() {
    insta::assert_snapshot!(refused("3 w /b /O 04000 1FFF x.bin"));
}

#[test]
fn a_check_that_does_not_exist_is_answered_with_those_that_do() {
    insta::assert_snapshot!(refused("3 w /m x.bin --force=everything"));
}

#[test]
fn an_index_that_the_bench_does_not_have_ends_with_3() {
    let folder = Folder::with_bench("sst39sf020.toml");
    insta::assert_snapshot!(folder.fails("1 c", 3).message());
}

#[test]
fn a_path_that_the_bench_does_not_have_ends_with_3() {
    let folder = Folder::with_bench("usb.toml");
    insta::assert_snapshot!(folder.fails("/dev/sg9 c", 3).message());
}

fn bench(text: &str) -> String {
    let folder = Folder::new();
    folder.write("bench.toml", text);
    folder.fails("3 c", 2).message()
}

#[test]
fn a_bench_with_a_syntax_error_is_named_with_the_line() {
    insta::assert_snapshot!(bench("[[drive]]\nposition = 3\nvendor = \"SONY\n"));
}

#[test]
fn a_bench_with_an_unknown_key_is_named_with_the_line() {
    insta::assert_snapshot!(bench(
        "[[drive]]\nposition = 3\nvendor = \"SONY\"\nproduct = \"X\"\nrevision = \"1\"\n\
         chip = \"SST39SF020\"\nserail = \"1\"\n"
    ));
}

#[test]
fn a_bench_with_a_chip_that_does_not_exist_is_named_with_the_line() {
    insta::assert_snapshot!(bench(
        "[[drive]]\nposition = 3\nvendor = \"SONY\"\nproduct = \"X\"\nrevision = \"1\"\n\
         chip = \"SST39SF021\"\n"
    ));
}

#[test]
fn a_bench_that_is_not_there_is_named() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.fails("3 c --sim nowhere.toml", 2).message());
}

#[test]
fn a_mistyped_line_keeps_its_drive() {
    for line in [
        "3 r /m sata backup.bin",
        "3 r/m sata backup.bin",
        "3 w /m a.bin b.bin",
    ] {
        let message = refused(line);
        assert!(message.contains("\n          mtkflash 3 "), "{message}");
    }
}

#[test]
fn a_serial_number_is_taken_in_either_case() {
    let folder = Folder::with_bench("sst39sf020.toml");
    for serial in ["SIM00000001", "sim00000001"] {
        folder.done(&format!("{serial} c"));
    }
}

#[test]
fn a_line_that_may_have_been_meant_is_told_once() {
    let folder = Folder::with_bench("sst39sf020.toml");
    for line in ["3 ww /m x.bin", "3 rr /m /b x.bin"] {
        let run = folder.fails(line, 2);
        let mut told: Vec<&str> = run
            .stderr
            .lines()
            .filter(|line| line.contains("mtkflash 3"))
            .collect();
        assert!(!told.is_empty(), "{run}");
        let all = told.len();
        told.dedup();
        assert_eq!(told.len(), all, "{run}");
    }
}
