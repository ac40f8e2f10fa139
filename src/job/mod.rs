//! (module: job)
