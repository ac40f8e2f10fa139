//! A real kernel in an emulated computer, with simulated drives behind its own
//! SCSI stack: `cargo test --test rig -- --ignored`.
//!
//! Every trial is a scenario: a shell script in `guest/` that runs in the guest
//! and a look, on this machine, at what it left behind. Scenarios of one
//! machine share one boot. Nothing is installed: what the rig runs on is
//! downloaded and unpacked beside the build once.

mod drive;
#[path = "../../fixtures/images.rs"]
#[allow(dead_code, reason = "a program of its own, too")]
mod images;
mod initramfs;
mod linux;
mod machine;
mod modules;
mod packages;
mod packets;
mod results;
mod scenarios;
mod seen;
mod signal_at;
mod usbip;
mod vendor_mode;

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::results::Boot;
use crate::scenarios::Scenario;

/// A guest waits now and then, for btcflash to sleep for instance: a few more of
/// them than processors are through sooner.
const GUESTS_AT_A_TIME: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let in_the_guest = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--serve", bench, position, port, log] => serve(bench, position, port, log),
        ["--dump", node, file, passes] => packets::dump(node, file, passes),
        _ => {
            let mut arguments = Arguments::from_args();
            arguments.test_threads.get_or_insert(GUESTS_AT_A_TIME);
            return conclude(&arguments);
        }
    };
    match in_the_guest {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rig: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// In the guest: the drive at `position` of `bench`, at a USB port.
fn serve(bench: &str, position: &str, port: &str, log: &str) -> Result<()> {
    let mut drive = drive::drive(Path::new(bench), position.parse()?)?;
    let mut log = File::create(log).with_context(|| format!("cannot write {log}"))?;
    usbip::serve(drive.as_mut(), port.parse()?, &mut log)
}

fn scenarios() -> Vec<Scenario> {
    let mut all = scenarios::scenarios();
    all.extend(linux::scenarios());
    all
}

fn conclude(arguments: &Arguments) -> ExitCode {
    let wanted = |scenario: &Scenario| {
        let matches = |text: &String| match arguments.exact {
            true => scenario.sentence == text,
            false => scenario.sentence.contains(text.as_str()),
        };
        arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
    };
    let mut boots: Vec<Arc<Boot>> = Vec::new();
    let mut trials = Vec::new();
    for scenario in scenarios() {
        let boot = match boots
            .iter()
            .find(|boot| boot.machine().name == scenario.machine.name)
        {
            Some(boot) => Arc::clone(boot),
            None => {
                let of_machine =
                    |other: &Scenario| other.machine.name == scenario.machine.name && wanted(other);
                let scripts = scenarios().into_iter().filter(of_machine);
                let scripts = scripts.map(|other| other.script).collect();
                boots.push(Arc::new(Boot::new(scenario.machine, scripts)));
                Arc::clone(&boots[boots.len() - 1])
            }
        };
        trials.push((scenario, boot));
    }
    // The first scenario of every machine first: boots that side by side fill
    // both threads instead of two scenarios that wait for one boot.
    trials.sort_by_key(|(scenario, boot)| boot.place_of(scenario.script));
    let trials = trials
        .into_iter()
        .map(|(scenario, boot)| {
            Trial::test(scenario.sentence, move || {
                let left = boot.results_of(scenario.script)?;
                (scenario.then)(&left).map_err(|error| Failed::from(format!("{error:#}")))
            })
            .with_ignored_flag(true)
        })
        .collect();
    libtest_mimic::run(arguments, trials).exit_code()
}
