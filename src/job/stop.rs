//! The user's wish that a job end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by a signal handler, looked at by a job between device commands. Before
/// the first change it ends the job; afterwards the job finishes first.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// The flag itself, for whoever sets it.
    pub fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// What was asked to stop has stopped: what comes next need not.
    pub fn forget(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
