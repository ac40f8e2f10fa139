//! Where a drive is: its position, its path and its channel.

use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;

use super::file::{DriveSetup, Source};
use super::{BenchError, Wrong};
use crate::sim::channel::SharedChannel;
use crate::transport::Unit;

/// Where a drive is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub position: Option<u8>,
    pub path: Option<PathBuf>,
}

impl Place {
    pub fn of(source: &Source<'_>, setup: &Spanned<DriveSetup>) -> Result<Place, BenchError> {
        let span = setup.span();
        let setup = setup.get_ref();
        if let Some(position) = &setup.position {
            if !(1..=4).contains(position.get_ref()) {
                let wrong = Wrong::Position(*position.get_ref());
                return Err(source.invalid(&position.span(), wrong));
            }
        }
        if setup.position.is_none() && setup.path.is_none() {
            return Err(source.invalid(&span, Wrong::NoPlace));
        }
        Ok(Place {
            position: setup.position.as_ref().map(|spanned| *spanned.get_ref()),
            path: setup.path.as_ref().map(|spanned| spanned.get_ref().clone()),
        })
    }

    pub fn collides(&self, other: &Place) -> bool {
        (self.position.is_some() && self.position == other.position)
            || (self.path.is_some() && self.path == other.path)
            || self.name() == other.name()
    }

    /// For file names and messages.
    pub fn name(&self) -> String {
        match (self.position, &self.path) {
            (Some(position), _) => format!("position-{position}"),
            (None, Some(path)) => path
                .to_string_lossy()
                .trim_matches('/')
                .replace(|c: char| !c.is_ascii_alphanumeric(), "-"),
            (None, None) => "drive".to_owned(),
        }
    }

    /// The drive's channel, one of the two legacy ones or its own.
    pub fn channel(&self, ports: &[SharedChannel; 2]) -> (SharedChannel, Unit) {
        let [primary, secondary] = ports;
        match self.position {
            Some(1) => (Arc::clone(primary), Unit::Master),
            Some(2) => (Arc::clone(primary), Unit::Slave),
            Some(3) => (Arc::clone(secondary), Unit::Master),
            Some(4) => (Arc::clone(secondary), Unit::Slave),
            _ => (SharedChannel::default(), Unit::Master),
        }
    }
}
