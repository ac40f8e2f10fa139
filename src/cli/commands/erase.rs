//! `e`: the flash as it came from its maker, FF throughout.

use super::change::{self, Change};
use super::run::Context;
use crate::cli::failure::Failure;
use crate::job::change::Content;

pub fn run(context: Context) -> Result<(), Failure> {
    let change = Change {
        content: Content::Blank,
        image: None,
    };
    change::run(context, change)
}
