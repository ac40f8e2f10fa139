//! What one run of a program costs, as a parent sees it that needs next to no
//! memory itself: what the kernel calls the peak of a process begins with that of
//! the one it was forked from. So a benchmark starts itself again as that parent.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};

/// The first argument of the parent.
const AS_PARENT: &str = "--as-parent-of";

/// Of one run, from its start to its end.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Its exit code.
    pub code: i32,
    pub wall: Duration,
    /// User and system time of all its threads.
    pub processor: Duration,
    /// The most memory that was resident, in KiB.
    pub peak: u64,
}

/// Does what the parent does, where this is it. To be called first of all.
pub fn was_parent() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != AS_PARENT) {
        return false;
    }
    let program = arguments.next().expect("a program");
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program");
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel knows");
    println!(
        "{} {} {} {}",
        status.code().unwrap_or(-1),
        wall.as_nanos(),
        processor_time(&usage).as_nanos(),
        usage.max_rss()
    );
    true
}

/// Runs a program in a folder; `None` where it cannot be.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<Cost> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args([AS_PARENT, program])
        .args(arguments)
        .current_dir(folder)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace();
    let code = numbers.next()?.parse().ok()?;
    let mut number = || numbers.next()?.parse().ok();
    Some(Cost {
        code,
        wall: Duration::from_nanos(number()?),
        processor: Duration::from_nanos(number()?),
        peak: number()?,
    })
}

/// The same several times: the middle of the times, and the highest peak.
pub fn median(times: usize, mut run: impl FnMut() -> Option<Cost>) -> Option<Cost> {
    let costs: Option<Vec<Cost>> = (0..times).map(|_| run()).collect();
    let costs = costs?;
    let middle = |of: fn(&Cost) -> Duration| {
        let mut times: Vec<Duration> = costs.iter().map(of).collect();
        times.sort();
        times.get(times.len() / 2).copied()
    };
    Some(Cost {
        code: costs.first()?.code,
        wall: middle(|cost| cost.wall)?,
        processor: middle(|cost| cost.processor)?,
        peak: costs.iter().map(|cost| cost.peak).max()?,
    })
}

/// User and system time.
pub fn processor_time(usage: &Usage) -> Duration {
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
            let micros = u64::try_from(time.tv_usec()).unwrap_or_default();
            Duration::from_secs(seconds) + Duration::from_micros(micros)
        })
        .sum()
}
