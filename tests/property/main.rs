//! Writes that are cut off anywhere, again and again, by several users, from several
//! folders, on drives of one kind: no byte that is to stay is lost behind an exit
//! code of 0, and no word about the flash or a backup is untrue.
//!
//! 10 000 sequences; millions:
//!
//! ```text
//! MTKFLASH_SEQUENCES=2000000 cargo test --test property -- --ignored
//! MTKFLASH_SEQUENCES=1 MTKFLASH_SEED=1234 cargo test --test property -- --ignored --nocapture
//! ```

// A test that cannot go on has failed, helpers and all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod drive;
mod random;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use world::{Seen, World};

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().expect("a number"))
}

#[test]
#[ignore = "finds sequences that are not mended yet: drives without serial numbers in each other's places"]
fn whatever_happens_no_byte_is_lost_and_no_word_is_untrue() {
    world::quiet_kills();
    let sequences = number("MTKFLASH_SEQUENCES", 10_000);
    let first = number("MTKFLASH_SEED", 1);
    let next = AtomicU64::new(0);
    let work = || {
        let mut seen = Seen::default();
        let folders = world::folders();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= sequences {
                return seen;
            }
            let seed = first + number;
            let ran = catch_unwind(AssertUnwindSafe(|| {
                World::new(seed, folders.path()).live(&mut seen);
            }));
            if let Err(panic) = ran {
                eprintln!("MTKFLASH_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let seen = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let seen = threads.into_iter().map(|thread| thread.join());
        seen.fold(Seen::default(), |all, one| match one {
            Ok(one) => all.and(one),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    });
    println!("{seen:?}");
    // A test that never gets where it hurts shows nothing.
    if sequences >= 10_000 {
        for (what, count) in seen.counts() {
            assert!(count > sequences / 200, "{what}: {count}");
        }
    }
}
