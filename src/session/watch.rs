//! Every command to a drive seen by whoever wants to look on, also after the
//! drive has come back under another node.

use std::sync::Arc;

use super::machine::Held;
use crate::protocol::packet::Reopen;
use crate::transport::{Clock, TaskFile, Watch, Watched};

/// The same drive, looked at by `watch`.
pub fn held(held: Held, watch: Option<Arc<dyn Watch>>) -> Held {
    let Some(watch) = watch else {
        return held;
    };
    let clock = &held.clock;
    Held {
        packets: Box::new(Watched::new(
            held.packets,
            Arc::clone(clock),
            Arc::clone(&watch),
        )),
        reopen: again(held.reopen, Arc::clone(clock), watch),
        ..held
    }
}

/// The same task file, looked at by `watch`.
pub fn task_file(
    task_file: impl TaskFile + Send + 'static,
    clock: &Arc<dyn Clock>,
    watch: Option<Arc<dyn Watch>>,
) -> Box<dyn TaskFile + Send> {
    match watch {
        Some(watch) => Box::new(Watched::new(task_file, Arc::clone(clock), watch)),
        None => Box::new(task_file),
    }
}

fn again(mut reopen: Reopen, clock: Arc<dyn Clock>, watch: Arc<dyn Watch>) -> Reopen {
    Box::new(move || {
        let (clock, watch) = (Arc::clone(&clock), Arc::clone(&watch));
        Ok(Box::new(Watched::new(reopen()?, clock, watch)))
    })
}
