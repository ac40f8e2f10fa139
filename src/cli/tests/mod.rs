//! What the tests of several parts of the command line share.

pub mod every;
