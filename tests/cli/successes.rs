//! What is to be typed after a run that went well.

use crate::folder::{Folder, Run, new_image, old_image};

fn ready() -> Folder {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    folder.write("old.bin", old_image());
    folder
}

/// The last command that a run has shown, without the program's name.
fn last_command(run: &Run) -> String {
    let line = run.stdout.lines().last().unwrap();
    let command = line.trim_start_matches("Next").trim();
    let words = command.strip_prefix("mtkflash ");
    words
        .unwrap_or_else(|| panic!("no command at the end of {run}"))
        .to_owned()
}

#[test]
fn a_dump_is_looked_at() {
    let folder = ready();
    let next = last_command(&folder.done("3 r /m /b dump.bin"));
    assert_eq!(next, "i dump.bin");
    folder.done(&next);
    let part = folder.done("3 r dump.hex --banks 0,1");
    folder.done(&last_command(&part));
}

#[test]
fn a_write_that_has_nothing_to_do_leads_to_the_list() {
    let next = last_command(&ready().done("3 w /m old.bin --yes"));
    assert_eq!(next, "l --sim bench.toml");
}

#[test]
fn what_a_dry_run_has_shown_is_done_by_the_line_behind_it_and_after_a_question() {
    let folder = ready();
    for line in ["3 w /m new.bin --backup b.bin", "3 e --backup b.bin"] {
        let run = folder.done(&format!("{line} --dry-run --yes"));
        assert_eq!(last_command(&run), format!("{line} --sim bench.toml"));
    }
}

#[test]
fn a_check_that_was_overridden_for_a_look_is_not_in_the_line_behind_it() {
    let folder = ready();
    let mut other = new_image();
    other[0x4120..0x4128].fill(b'X');
    folder.write("other.bin", other);
    let run = folder.done("3 w /m other.bin --dry-run --force=model");
    let told = "The check that you have overridden, model, is left out of that line";
    assert!(run.stdout.contains(told), "{run}");
    let next = "mtkflash 3 w /m other.bin --sim bench.toml\n";
    assert!(run.stdout.contains(next), "{run}");
}

#[test]
fn a_list_with_a_drive_that_says_nothing_leads_to_a_check_of_it() {
    let next = last_command(&Folder::with_bench("dead.toml").done("l"));
    assert!(next.ends_with("c --sim bench.toml"), "{next}");
    let run = ready().done("l");
    assert!(!run.stdout.contains("Next"), "{run}");
}

#[test]
fn a_check_of_all_leads_to_keeping_what_one_of_them_holds() {
    let next = last_command(&Folder::with_bench("four-drives.toml").done("c --yes"));
    assert_eq!(next, "DRIVE r /m /b backup.bin --sim bench.toml");
}

#[test]
fn a_dry_run_of_several_drives_leads_to_the_same_for_all_of_them_once() {
    let folder = Folder::with_bench("four-drives.toml");
    let run = folder.done("1,2 e --dry-run");
    assert_eq!(last_command(&run), "1,2 e --sim bench.toml");
    assert_eq!(run.stdout.matches("Next").count(), 1, "{run}");
}

#[test]
fn a_drive_that_says_that_it_has_the_revision_can_be_written_all_the_same() {
    let folder = Folder::with_bench("btc.toml");
    folder.write("same.bin", folder.flash());
    let run = folder.done("3 w same.bin --skip-if-same --no-backup --yes");
    let next = last_command(&run);
    assert_eq!(next, "3 w same.bin --no-backup --sim bench.toml");
}
