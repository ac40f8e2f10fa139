//! What an output is given to tell a run by.

use super::output::Renderings;
use super::{json, report};

pub const RENDERINGS: Renderings = Renderings {
    finding: report::finding,
    event: json::event,
    object: json::object,
};
