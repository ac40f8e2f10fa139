use super::*;
use crate::cli::args;
use crate::cli::log::Log;
use crate::cli::manner::Manner;
use crate::cli::outcome::Outcome;
use crate::cli::output::Output;
use crate::cli::renderings::RENDERINGS;
use crate::job::StopFlag;
use crate::session::OnBench;
use crate::sim::{Bench, SimDriveHandle};
use crate::transport::Clock;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn request(line: &str) -> Request {
    args::parse(line.split(' ').map(Into::into)).unwrap()
}

/// Drives of one model, by `places`.
fn bench(places: &[&str]) -> (OnBench, Vec<SimDriveHandle>) {
    let drives = places.iter().enumerate().map(|(number, place)| {
        format!(
            "[[drive]]\n{place}\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM-256P\"\n\
             revision = \"SIM1\"\nserial = \"SIM0000{number}\"\nchip = \"SST39SF020\"\n\
             contents = {{ recipe = \"firmware\", seed = 20 }}\n"
        )
    });
    let bench = Bench::from_text(&drives.collect::<String>()).unwrap();
    let handles = bench.drives().to_vec();
    (bench.into(), handles)
}

const OWN_CHANNELS: [&str; 4] = [
    "path = \"/dev/sg1\"",
    "path = \"/dev/sg2\"",
    "path = \"/dev/sg3\"",
    "path = \"/dev/sg4\"",
];

/// What came of it for each drive, with `context` as of a command line.
fn done(machine: &OnBench, request: &Request, one: OneDrive) -> Vec<Exit> {
    let quiet = Manner {
        quiet: true,
        ..Manner::default()
    };
    let output = Output::new(quiet, RENDERINGS, Outcome::default(), &Log::default());
    let stop = StopFlag::default();
    output.hold(&request.drives);
    let context = Context {
        request,
        output: &output,
        stop: &stop,
        machine: Some(machine),
        asking: Asking::User,
        among: None,
        read_before: None,
        unwanted: None,
    };
    let desks: Vec<Desk> = request
        .drives
        .iter()
        .map(|name| Desk::of(request, name))
        .collect();
    let channels = channels(machine, &desks);
    let bars = MultiProgress::new();
    let work = Work {
        context,
        bars: &bars,
        one,
    };
    work.side_by_side(&channels);
    desks.iter().map(Desk::exit).collect()
}

fn check(context: Context) -> Result<(), Failure> {
    super::super::check::run(context)
}

#[test]
fn four_drives_take_as_long_as_one_by_their_own_time() {
    let (machine, drives) = bench(&OWN_CHANNELS);
    let all = request("mtkflash /dev/sg1,/dev/sg2,/dev/sg3,/dev/sg4 c");
    assert_eq!(done(&machine, &all, check), [Exit::Done; 4]);
    let (alone, one) = bench(&OWN_CHANNELS);
    done(&alone, &request("mtkflash /dev/sg1 c"), check);
    let one = one[0].clock().now();
    assert!(one > Duration::ZERO);
    for drive in &drives {
        assert!(drive.clock().now() <= one * 12 / 10);
    }
}

#[test]
fn drives_with_channels_of_their_own_are_at_work_at_the_same_time() {
    let (machine, drives) = bench(&OWN_CHANNELS);
    // Each waits in its third command until all are there: one after the other
    // they would wait for ever.
    let barrier = Arc::new(std::sync::Barrier::new(drives.len()));
    for drive in &drives {
        let barrier = Arc::clone(&barrier);
        drive.at_operation(3, move || {
            barrier.wait();
        });
    }
    let all = request("mtkflash /dev/sg1,/dev/sg2,/dev/sg3,/dev/sg4 c");
    assert_eq!(done(&machine, &all, check), [Exit::Done; 4]);
}

#[test]
fn drives_that_share_a_channel_take_turns() {
    let (machine, drives) = bench(&["position = 3", "position = 4"]);
    let order: Arc<Mutex<Vec<usize>>> = Arc::default();
    for (number, drive) in drives.iter().enumerate() {
        for operation in 1..100 {
            let order = Arc::clone(&order);
            drive.at_operation(operation, move || order.lock().unwrap().push(number));
        }
    }
    let both = request("mtkflash 3,4 c");
    assert_eq!(done(&machine, &both, check), [Exit::Done; 2]);
    let order = order.lock().unwrap();
    assert!(order.is_sorted(), "{order:?}");
    assert!(order.contains(&0) && order.contains(&1));
}

#[test]
fn files_are_named_by_the_drive() {
    let name = |line: &str| {
        let request = request(line);
        let short = short(&request.drives[0]);
        let own = request.with_files_of(&short);
        let backup = own.options.backup.clone();
        (own.command.file().map(Path::to_owned), backup)
    };
    let file = |name: &str| Some(PathBuf::from(name));
    assert_eq!(
        name("mtkflash 3,4 r /m /b x/backup.bin"),
        (file("x/backup-3.bin"), None)
    );
    assert_eq!(name("mtkflash /dev/sg1,4 r dump"), (file("dump-sg1"), None));
    assert_eq!(
        name("mtkflash SIM00011,4 w i.bin --backup b.bin"),
        (file("i.bin"), file("b-SIM00011.bin"))
    );
    assert_eq!(
        name("mtkflash 3,4 w i.bin --backup b/"),
        (file("i.bin"), file("b/"))
    );
}
