//! Several drives in one run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::folder::{BANK, Folder, KIB, bys1, image_of, old_image, patched_image};
use crate::revive::Terminal;
use mtkflash::sim::{Bench, Firmware};

/// Drives of one model at these places, each with `more` of its own.
fn alike(places: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    let drives = places.iter().enumerate().map(|(number, (place, more))| {
        format!(
            "[[drive]]\n{place}\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM-256P\"\n\
             revision = \"SIM1\"\nserial = \"SIM0000{number}\"\nchip = \"SST39SF020\"\n\
             contents = {{ recipe = \"firmware\", seed = 20 }}\n{more}\n"
        )
    });
    folder.write("bench.toml", drives.collect::<String>());
    folder.write("new.bin", patched_image());
    folder
}

const TWO: [(&str, &str); 2] = [("path = \"/dev/sg1\"", ""), ("path = \"/dev/sg2\"", "")];

fn is_untouched(folder: &Folder, path: &str) -> bool {
    let bench = Bench::open(&folder.path("bench.toml")).unwrap();
    let drive = bench.drive_at(path.as_ref()).unwrap();
    drive.flash() == old_image()
}

#[test]
fn a_range_of_drives_is_checked_and_each_has_a_line_in_the_end() {
    let folder = Folder::with_bench("four-drives.toml");
    insta::assert_snapshot!(folder.done("1-4 c").stdout);
}

#[test]
fn a_check_of_all_drives_ends_with_the_worst_failure_and_not_with_the_last() {
    let (first, second) = ("entry = \"refused\"", "dead = true");
    for both in [[first, second], [second, first]] {
        let folder = alike(&[("position = 1", both[0]), ("position = 2", both[1])]);
        let run = folder.fails("c --yes --json", 6);
        assert!(run.stdout.contains("\"exit_code\": 6"), "{run}");
    }
}

/// Drives of one model at these positions, of which none has a serial number.
fn twins(positions: &[u8]) -> Folder {
    let places: Vec<String> = positions
        .iter()
        .map(|position| format!("position = {position}"))
        .collect();
    let places: Vec<(&str, &str)> = places.iter().map(|place| (place.as_str(), "")).collect();
    let folder = alike(&places);
    let bench = folder.text("bench.toml");
    let without = bench.lines().filter(|line| !line.starts_with("serial"));
    folder.write(
        "bench.toml",
        without.map(|line| format!("{line}\n")).collect::<String>(),
    );
    folder
}

#[test]
fn twins_without_serial_numbers_that_hold_the_same_have_a_backup_each() {
    for switch in ["", "--backup bk/", "--backup old.bin"] {
        let folder = twins(&[1, 2, 3, 4]);
        fs::create_dir(folder.path("bk")).unwrap();
        let run = folder.done(&format!("1-4 w /m new.bin --yes {switch}"));
        let backups: std::collections::BTreeSet<&str> = run
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("To go back"))
            .collect();
        let in_folder = |folder: &std::path::Path| {
            let names = fs::read_dir(folder).unwrap();
            let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let is_one = |name: &String| name.ends_with(".bin") && name != "new.bin";
            names.filter(is_one).count()
        };
        let count = in_folder(&folder.path("bk")) + in_folder(&folder.path("."));
        assert_eq!(count, 4, "{backups:?} {run}");
    }
}

#[test]
fn a_backup_of_one_twin_is_not_taken_for_that_of_the_other_and_is_for_its_own() {
    let folder = twins(&[1, 3]);
    for _ in 0..2 {
        folder.at_terminal("1 w /m new.bin --backup old.bin", "no\n");
    }
    let run = folder.fails("3 w /m new.bin --backup old.bin --yes", 4);
    assert!(run.stderr.contains("exists already"), "{run}");
    let run = folder.done("1 w /m new.bin --backup old.bin --yes");
    assert_eq!(
        folder.files(),
        ["new.bin", "old.bin", "old.bin.txt"],
        "{run}"
    );
}

#[test]
fn what_is_advised_after_a_look_is_what_was_typed() {
    let folder = twins(&[1, 2, 3, 4]);
    let run = folder.fails("1-4 e --backup nofolder/ --yes", 6);
    assert!(!run.stderr.contains("--dry-run"), "{run}");
    let line = "mtkflash 1,2,3,4 e --backup nofolder/ --sim bench.toml";
    assert!(run.stderr.contains(line), "{run}");
}

#[test]
fn all_in_a_list_of_drives_is_no_serial_number_and_begins_nothing() {
    let folder = Folder::with_bench("four-drives.toml");
    folder.write("new.bin", patched_image());
    for line in [
        "all,1 w /m new.bin --yes",
        "1,ALL r /m /b x.bin",
        "SIM00000011,all c",
    ] {
        let run = folder.fails(line, 2);
        assert!(run.stderr.contains("all stands alone"), "{run}");
    }
    assert_eq!(folder.files(), ["new.bin"]);
}

#[test]
fn of_drives_of_several_models_those_are_named_that_the_image_is_for() {
    let folder = Folder::with_bench("four-drives.toml");
    folder.write("bys1.bin", bys1());
    folder.write("nobody.bin", image_of("NOBODY", "DVD RW NOTHING", "0000"));
    let run = folder.fails("1-4 w /m bys1.bin --yes", 4);
    assert!(run.stderr.contains("mtkflash 3 w /m bys1.bin"), "{run}");
    let run = folder.fails("1-4 w /m nobody.bin --yes", 4);
    assert!(!run.stderr.contains("w /m nobody.bin"), "{run}");
    assert!(run.stderr.contains("mtkflash i nobody.bin"), "{run}");
}

#[test]
fn all_drives_are_read_into_files_that_are_named_by_the_drive() {
    let folder = Folder::with_bench("four-drives.toml");
    folder.done("all r /m /b dump.bin --banks 0,1");
    for position in 1..=4 {
        let dump = folder.read(&format!("dump-{position}.bin"));
        assert!(dump == folder.flash_of(position)[..2 * BANK], "{position}");
        assert!(folder.holds(&format!("dump-{position}.bin.txt")));
    }
}

#[test]
fn drives_are_named_by_serial_number_too() {
    let folder = Folder::with_bench("four-drives.toml");
    let run = folder.done("SIM00000013 c");
    assert!(run.stdout.contains("DW-D22A"), "{run}");
    folder.done("SIM00000011,SIM00000012 r /m /b x.bin");
    assert_eq!(folder.read("x-SIM00000012.bin"), folder.flash_of(2));
    let run = folder.fails("SIM99999999 c", 3);
    assert!(run.stderr.contains("SIM99999999"), "{run}");
    let twins = alike(&[("path = \"/dev/sg1\"\n", ""), ("path = \"/dev/sg2\"\n", "")]);
    let bench = twins.text("bench.toml").replace("SIM00001", "SIM00000");
    twins.write("bench.toml", bench);
    let run = twins.fails("SIM00000 c", 3);
    assert!(run.stderr.contains("mtkflash /dev/sg1 c"), "{run}");
    assert!(run.stderr.contains("mtkflash /dev/sg2 c"), "{run}");
}

#[test]
fn one_image_goes_into_drives_of_one_model_after_a_backup_of_each() {
    let folder = alike(&TWO);
    let run = folder.done("/dev/sg1,/dev/sg2 w /m new.bin --yes --backup old.bin");
    for path in ["/dev/sg1", "/dev/sg2"] {
        let heading = format!("\nDrive {path}\n");
        assert_eq!(
            run.stdout.matches(&heading).count(),
            2,
            "plan and result: {run}"
        );
    }
    assert!(
        run.stdout
            .ends_with("sg1       done (0)\nsg2       done (0)\n"),
        "{run}"
    );
    for (path, name) in [("/dev/sg1", "sg1"), ("/dev/sg2", "sg2")] {
        assert_eq!(folder.flash_at(path), patched_image());
        assert_eq!(folder.read(&format!("old-{name}.bin")), old_image());
    }
}

#[test]
fn backups_without_a_name_get_one_by_the_drive_also_in_a_folder() {
    let folder = alike(&TWO);
    fs::create_dir(folder.path("backups")).unwrap();
    folder.done("/dev/sg1,/dev/sg2 w /m new.bin --yes --backup backups/");
    let mut names: Vec<String> = fs::read_dir(folder.path("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".bin"))
        .collect();
    names.sort();
    assert!(
        names[0].starts_with("backup-sg1-DVD-ROM-SIM-256P-SIM1-SIM00000-"),
        "{names:?}"
    );
    assert!(
        names[1].starts_with("backup-sg2-DVD-ROM-SIM-256P-SIM1-SIM00001-"),
        "{names:?}"
    );
}

#[test]
fn one_drive_that_fails_stops_no_other_and_the_exit_code_is_the_worst() {
    let folder = alike(&[
        ("path = \"/dev/sg1\"", ""),
        (
            "path = \"/dev/sg2\"",
            "[[drive.fault]]\nkind = \"stuck\"\nat = 0x0_1234\n",
        ),
        ("path = \"/dev/sg3\"", "entry = \"refused\"\n"),
    ]);
    let line = "/dev/sg1,/dev/sg2,/dev/sg3,/dev/sg9 w /m new.bin --yes";
    let run = folder.fails(line, 7);
    assert_eq!(folder.flash_at("/dev/sg1"), patched_image(), "{run}");
    assert!(is_untouched(&folder, "/dev/sg3"));
    let end = run.stdout.lines().rev().take(4).collect::<Vec<_>>();
    assert_eq!(
        end,
        [
            "sg9       drive not found, busy or not permitted (3)",
            "sg3       failed, flash unchanged (6)",
            "sg2       failed, flash partly written (7)",
            "sg1       done (0)",
        ],
        "{run}"
    );
    // What helps is about that drive alone.
    assert!(
        run.stderr.contains("mtkflash /dev/sg2 w /m new.bin"),
        "{run}"
    );
}

#[test]
fn the_failure_of_several_drives_leaves_the_flash_to_each_of_them() {
    let folder = alike(&[
        ("path = \"/dev/sg1\"", ""),
        ("path = \"/dev/sg3\"", "entry = \"refused\"\n"),
    ]);
    let run = folder.fails("/dev/sg1,/dev/sg3 w /m new.bin --yes --json", 6);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(object["error"]["message"].is_string(), "{run}");
    assert!(object.get("flash").is_none(), "{run}");
    let drives = object["drives"].as_array().unwrap().iter();
    let states: Vec<_> = drives.map(|drive| &drive["flash"]["state"]).collect();
    assert_eq!(states, ["as-asked", "unchanged"], "{run}");
}

#[test]
fn drives_of_two_models_get_no_image_and_are_not_touched() {
    let folder = Folder::with_bench("four-drives.toml");
    folder.write("new.bin", image_of("LITE-ON", "DVD-ROM SIM-256P", "POS9"));
    let before = folder.flash_of(1);
    let run = folder.fails("1,3 w /m new.bin --yes", 4);
    assert!(run.stderr.contains("No drive was touched"), "{run}");
    assert_eq!(folder.flash_of(1), before);
    let counters = folder.text("bench.state/position-1.counters.toml");
    assert!(
        !counters.contains("80 ="),
        "vendor mode was entered: {counters}"
    );
}

#[test]
fn a_drive_that_is_named_twice_is_refused_by_whatever_names() {
    let folder = Folder::with_bench("mt1939-gaps.toml");
    let run = folder.fails("3,/dev/sg4 c", 2);
    assert!(run.stderr.contains("are the same drive"), "{run}");
    folder.fails("3,SIM00000036 r x.bin", 2);
    folder.fails("3,3 c", 2);
}

#[test]
fn nothing_is_changed_without_a_yes_for_all() {
    let folder = alike(&TWO);
    let run = folder.fails("/dev/sg1,/dev/sg2 w /m new.bin", 4);
    assert!(run.stderr.contains("no terminal to ask for YES"), "{run}");
    let run = folder.done("/dev/sg1,/dev/sg2 w /m new.bin --dry-run");
    assert_eq!(
        run.stdout.matches("Dry run: nothing was changed").count(),
        2
    );
    assert!(is_untouched(&folder, "/dev/sg1") && is_untouched(&folder, "/dev/sg2"));
}

#[test]
fn drives_on_one_channel_are_written_one_after_the_other() {
    let folder = alike(&[("position = 1", ""), ("position = 2", "")]);
    let run = folder.done("1,2 w /m new.bin --yes --via port");
    assert_eq!(folder.flash_of(1), patched_image(), "{run}");
    assert_eq!(folder.flash_of(2), patched_image(), "{run}");
    assert!(!run.stdout.contains("Dry run"), "{run}");
    // The second time there is nothing to do, and that is said once for each.
    let run = folder.done("1,2 w /m new.bin --yes --via port");
    assert_eq!(run.stdout.matches("Nothing to do").count(), 2, "{run}");
}

fn script_of_the_readme() -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let mut parts = readme.split("```sh\n");
    let script = parts.find(|part| part.starts_with("drives="));
    script.unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn the_script_of_the_readme_says_what_is_true_after_every_exit_code() {
    for exit in mtkflash::cli::exit::Exit::ALL {
        let folder = Folder::new();
        let code = exit.code();
        let script = format!(
            "mtkflash() {{ return {code}; }}\n{}",
            script_of_the_readme()
        );
        let mut shell = Command::new("sh");
        let run = shell.args(["-c", &script]).current_dir(folder.path(""));
        let said = String::from_utf8(run.output().unwrap().stdout).unwrap();
        let expected = match code {
            // What was asked for is done, and with 9 nobody could be told.
            0 | 9 => "All ten hold the new firmware.\n",
            // Of an internal error nobody knows what it has done.
            1 | 7 | 8 => "Leave these on and look at them now:\n",
            _ => "These are as they were:\n",
        };
        assert_eq!(said, expected, "{code}");
    }
}

/// The script of the README with ten drives: one that refuses, one with a cell
/// that takes nothing, and eight that are done.
#[test]
fn the_script_of_the_readme_flashes_ten_drives_and_names_those_that_failed() {
    let places: Vec<String> = (0..10).map(|n| format!("path = \"/dev/sg{n}\"")).collect();
    let mut drives: Vec<(&str, &str)> = places.iter().map(|place| (place.as_str(), "")).collect();
    drives[4].1 = "entry = \"refused\"";
    drives[7].1 = "[[drive.fault]]\nkind = \"stuck\"\nat = 0x0_1234\n";
    let folder = alike(&drives);
    folder.write("new.bin", patched_image());
    folder.write(
        "mtkflash",
        format!(
            "#!/bin/sh\nexec {} \"$@\" --sim bench.toml\n",
            env!("CARGO_BIN_EXE_mtkflash")
        ),
    );
    fs::set_permissions(folder.path("mtkflash"), fs::Permissions::from_mode(0o755)).unwrap();
    let script = script_of_the_readme();
    let path = std::env::var("PATH").unwrap();
    let run = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path(""))
        .env("PATH", format!("{}:{path}", folder.path("").display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let errors = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(7), "{said}{errors}");
    assert!(
        said.starts_with("Leave these on and look at them now:\n"),
        "{said}"
    );
    // Who has no jq sees the rest of it tried.
    if !errors.contains("jq: ") || said.lines().count() > 1 {
        let failed: Vec<&str> = said.lines().skip(1).collect();
        assert_eq!(
            failed,
            ["/dev/sg4 failed-unchanged", "/dev/sg7 failed-partly"],
            "{errors}"
        );
    }
    for number in (0..10).filter(|number| ![4, 7].contains(number)) {
        assert!(folder.flash_at(&format!("/dev/sg{number}")) == patched_image());
    }
    let backups = fs::read_dir(folder.path("backups")).unwrap();
    let names = backups.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".bin")).count(), 9);
}

/// Two of `dw-d22a.toml`, on one channel or on two, and an image for other hardware.
fn two_that_can_be_left_dead(position: &str) -> Folder {
    let folder = Folder::with_bench("dw-d22a.toml");
    let one = folder.text("bench.toml");
    let other = one
        .replace("position = 3", position)
        .replace("sg2", "sg1")
        .replace("SIM00000002", "SIM00000001");
    folder.write("bench.toml", format!("{one}\n{other}"));
    let image = Firmware::new(1024 * KIB, 22).identified("LITE-ON", "DVD+RW LDW-401S", "ES0P");
    folder.write("es0p.bin", image.bytes());
    folder
}

#[test]
fn a_write_that_can_leave_drives_dead_is_agreed_to_by_their_model_and_not_by_yes() {
    for (position, other) in [("position = 1", 1), ("position = 4", 4)] {
        let folder = two_that_can_be_left_dead(position);
        let line = format!("3,{other} w /m es0p.bin --force=family");
        let (shown, code) = folder.at_terminal(&line, "YES\nno\n");
        assert_eq!(code, Some(130), "{shown}");
        let asked = "Type the model, DVD RW DW-D22A, to go on:";
        assert_eq!(shown.matches(asked).count(), 1, "{shown}");
        assert!(!shown.contains("Type YES"), "{shown}");
        assert!(
            shown.contains("The answer was not the model, DVD RW DW-D22A."),
            "{shown}"
        );
        for drive in [3, other] {
            let name = format!("Drive {drive}\r\nDrive     SONY DVD RW DW-D22A");
            assert!(shown.contains(&name), "who each of them is: {shown}");
            assert!(folder.flash_of(drive) == bys1(), "{drive}: {shown}");
        }
        let (shown, code) = folder.at_terminal(&line, "dvd rw dw-d22a\n");
        assert_eq!(code, Some(0), "{shown}");
        for drive in [3, other] {
            assert!(
                folder.flash_of(drive) == folder.read("es0p.bin"),
                "{drive}: {shown}"
            );
        }
    }
}

#[test]
fn a_write_that_leaves_drives_alive_is_agreed_to_by_one_yes() {
    let folder = alike(&TWO);
    let (shown, code) = folder.at_terminal("/dev/sg1,/dev/sg2 w /m new.bin", "YES\n");
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches("Type YES to go on:").count(), 1, "{shown}");
}

#[test]
fn a_failure_of_one_of_several_is_told_once_on_a_screen_and_in_both_streams_apart() {
    let folder = twins(&[1, 2]);
    let run = folder.fails("1,2,4 c", 3);
    let (_, why) = run.stderr.split_once("mtkflash: ").unwrap();
    let why: String = why.chars().take(20).collect();
    let told = |text: &str| text.matches(&why).count();
    assert_eq!((told(&run.stdout), told(&run.stderr)), (1, 1), "{run}");
    let (_, screen) = Terminal::run(&folder, "1,2,4 c").ends();
    assert_eq!(told(&screen), 1, "{screen}");
}

#[test]
fn a_folder_that_is_not_there_is_told_once_before_a_drive_is_opened() {
    for line in [
        "/dev/sg1,/dev/sg2 w /m new.bin --yes --backup bk/",
        "/dev/sg1,/dev/sg2 r /m /b bk/dump.bin",
    ] {
        let folder = alike(&TWO);
        let run = folder.fails(line, 6);
        assert_eq!(
            run.stderr.matches("There is no folder bk").count(),
            1,
            "{run}"
        );
        assert_eq!(run.stdout, "", "{run}");
        let mut lines = run.stderr.lines().map(str::trim);
        assert!(lines.any(|line| line == "mkdir -p bk"), "{run}");
        let again = lines.next().unwrap().replace("mtkflash ", "");
        fs::create_dir(folder.path("bk")).unwrap();
        let yes = if line.contains("--yes") { " --yes" } else { "" };
        folder.done(&format!("{again}{yes}"));
    }
}

#[test]
fn one_drive_by_two_names_is_offered_by_one_of_them() {
    let folder = Folder::with_bench("four-drives.toml");
    let run = folder.fails("1,SIM00000011 c", 2);
    assert!(
        run.stderr.contains("mtkflash 1 c --sim bench.toml"),
        "{run}"
    );
}
