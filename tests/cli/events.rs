//! `--events`: what happens, as lines of JSON in a written order; and `--quiet`,
//! which says nothing of it.

use serde_json::Value;

use crate::folder::{Folder, Run, new_image, old_image, patched_image};

fn ready() -> Folder {
    let folder = Folder::with_bench("sst39sf020.toml");
    folder.write("new.bin", new_image());
    folder.write("patched.bin", patched_image());
    folder.write("old.bin", old_image());
    folder
}

/// Standard error, which is events and nothing else.
fn events(run: &Run) -> Vec<Value> {
    let lines = run.stderr.lines();
    let events: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(!events.is_empty(), "{run}");
    events
}

fn name(event: &Value) -> &str {
    event["event"].as_str().unwrap()
}

/// The events by their names, what comes again and again once.
fn order(events: &[Value]) -> String {
    let mut names: Vec<String> = Vec::new();
    for event in events {
        let phase = event["phase"].as_str().map(|phase| format!(" {phase}"));
        let line = format!("{}{}", name(event), phase.unwrap_or_default());
        let is_step = matches!(name(event), "bank" | "progress" | "bank-done" | "waiting");
        if !is_step || !names.iter().rev().take(3).any(|known| *known == line) {
            names.push(line);
        }
    }
    names.join("\n")
}

#[test]
fn a_write_tells_what_happens_in_this_order() {
    let run = ready().done("3 w /m patched.bin --yes --events");
    insta::assert_snapshot!(order(&events(&run)));
}

/// Lines of every kind, and the codes they end with.
const LINES: &[(&str, i32)] = &[
    ("3 c", 0),
    ("3 r /m /b dump.bin", 0),
    ("3 r /m /b old.bin", 4),
    ("3 v /m old.bin", 0),
    ("3 v /m new.bin", 8),
    ("3 w /m new.bin --yes", 0),
    ("3 w /m old.bin --yes", 0),
    ("3 w /m patched.bin --dry-run", 0),
    ("3 e --yes", 0),
    ("4 c", 3),
    ("l", 0),
    ("i old.bin", 0),
    ("3 w", 2),
];

#[test]
fn the_written_order_holds_for_every_command() {
    for (line, code) in LINES {
        let run = ready().fails(&format!("{line} --events"), *code);
        let events = events(&run);
        let last = events.last().unwrap();
        assert_eq!(
            (name(last), &last["exit_code"]),
            ("over", &Value::from(*code)),
            "{line}"
        );
        let of_drive: Vec<&Value> = events
            .iter()
            .filter(|event| !event["drive"].is_null())
            .collect();
        assert!(
            of_drive
                .iter()
                .all(|event| event["drive"] == of_drive[0]["drive"])
        );
        let ends = of_drive.iter().filter(|event| name(event) == "ended");
        assert_eq!(ends.count(), usize::from(!of_drive.is_empty()), "{line}");
        let image = events.iter().position(|event| !event["image"].is_null());
        match image {
            Some(at) if line.contains(" w ") => {
                assert!(!events[at - 1]["identity"].is_null(), "{line}");
            }
            image => assert!(image.is_none_or(|at| at == 0), "{line}"),
        }
        if let [first, .., last] = of_drive[..] {
            assert_eq!(name(first), "opening", "{line}");
            assert_eq!(name(last), "ended", "{line}");
            let left = of_drive.iter().position(|event| name(event) == "left");
            let sent = of_drive.iter().rposition(|event| name(event) == "finished");
            assert!(left >= sent, "{line}");
        }
        phases_are_whole(line, &events);
    }
}

#[test]
fn each_of_several_drives_ends_once_and_that_is_its_last_event() {
    let folder = Folder::with_bench("four-drives.toml");
    folder.write("new.bin", old_image());
    for line in [
        "1-4 c",
        "1-4 r /m /b dump.bin --banks 0",
        "1-4 v /m new.bin",
        "1-4 e --yes --banks 0",
    ] {
        let run = folder.run(&format!("{line} --events"));
        let events = events(&run);
        for drive in ["1", "2", "3", "4"] {
            let of_drive = events.iter().filter(|event| event["drive"] == drive);
            let names: Vec<&str> = of_drive.map(name).collect();
            let ends = names.iter().filter(|name| **name == "ended");
            assert_eq!(ends.count(), 1, "{line}, {drive}: {names:?}");
            assert_eq!(names.last(), Some(&"ended"), "{line}, {drive}: {names:?}");
        }
    }
}

#[test]
fn every_event_that_tells_something_says_what() {
    for (bench, line) in [
        ("sst39sf020.toml", "3 c"),
        ("sst39sf020.toml", "3 c --via port"),
        ("sst39sf020.toml", "3 r /m /b dump.bin"),
        ("four-drives.toml", "c --yes"),
    ] {
        let run = Folder::with_bench(bench).done(&format!("{line} --events"));
        for event in events(&run) {
            let keys = event.as_object().unwrap().keys();
            let mut keys = keys.filter(|key| !["event", "drive"].contains(&key.as_str()));
            let tells = matches!(name(&event), "found" | "said" | "note");
            assert!(!tells || keys.next().is_some(), "{line}: {event}");
        }
    }
}

#[test]
fn where_all_drives_are_checked_each_is_turned_to_once() {
    let run = Folder::with_bench("four-drives.toml").done("c --yes --events");
    let events = events(&run);
    for drive in ["1", "2", "3", "4"] {
        let of_drive = events.iter().filter(|event| event["drive"] == drive);
        let names: Vec<&str> = of_drive.map(name).collect();
        let opened = names.iter().filter(|name| **name == "opening").count();
        assert_eq!(opened, 1, "{names:?}");
    }
}

/// Phases do not overlap, and one that finishes has moved what it began with.
fn phases_are_whole(line: &str, events: &[Value]) {
    let mut open: Option<(&Value, u64)> = None;
    for event in events {
        match name(event) {
            "started" => {
                assert!(open.is_none(), "{line}: {event}");
                open = Some((event, 0));
            }
            "progress" => open.as_mut().unwrap().1 += event["bytes"].as_u64().unwrap(),
            "bank" | "bank-done" | "first-page-left" | "disagreement" | "gap" => {
                assert!(open.is_some(), "{line}: {event}");
            }
            "finished" => {
                let (start, moved) = open.take().unwrap();
                assert_eq!(start["phase"], event["phase"]);
                assert_eq!(start["bytes"], moved, "{line}: {start}");
            }
            "ended" => assert!(open.is_none(), "{line}: {event}"),
            _ => {}
        }
    }
}

#[test]
fn nothing_is_programmed_before_the_answer() {
    let events = events(&ready().done("3 w /m new.bin --yes --events"));
    let at = |wanted: &dyn Fn(&Value) -> bool| events.iter().position(wanted).unwrap();
    let proposed = at(&|event| !event["plan"].is_null());
    let answered = at(&|event| name(event) == "answered" && event["yes"] == true);
    let programmed = at(&|event| name(event) == "started" && event["phase"] == "program");
    assert!(proposed < answered && answered < programmed);
}

#[test]
fn a_failure_is_the_last_event_and_says_what_to_do_next() {
    let run = ready().fails("3 r /m /b old.bin --events", 4);
    let events = events(&run);
    let over = events.last().unwrap();
    assert!(
        over["error"]["message"]
            .as_str()
            .unwrap()
            .contains("old.bin")
    );
    assert!(!over["next"].as_array().unwrap().is_empty(), "{over:#}");
}

#[test]
fn events_and_the_object_go_to_streams_of_their_own() {
    let run = ready().done("3 c --events --json");
    events(&run);
    let object: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object["exit_code"], 0);
}

#[test]
fn quiet_says_the_result_and_nothing_on_the_way() {
    let loud = ready().done("3 w /m patched.bin --yes --backup before.bin");
    let quiet = ready().done("3 w /m patched.bin --yes --backup before.bin --quiet");
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout, loud.stdout);
    let object = ready().done("3 w /m patched.bin --yes --quiet --json");
    assert_eq!(object.stderr, "");
}

#[test]
fn quiet_still_says_what_went_wrong() {
    let run = ready().fails("3 v /m new.bin --quiet", 8);
    assert!(
        run.stderr.starts_with("mtkflash: The flash differs"),
        "{run}"
    );
}
