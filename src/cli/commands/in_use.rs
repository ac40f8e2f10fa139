//! A drive that is named by its serial number, while another one cannot be asked for its own.

use crate::cli::args::{DriveName, Request};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::user;
use crate::job::journal::Entry;
use crate::session::Machine;

/// A drive that is in use cannot be asked for its serial number, and of some models all
/// say the same one.
///
/// # Errors
/// A drive that is named by its number, while another one may have that, too.
pub fn refuse_unasked(request: &Request, machine: &dyn Machine) -> Result<(), Failure> {
    let named = request.drives.iter().filter_map(|name| match name {
        DriveName::Serial(serial) => Some(serial.as_str()),
        _ => None,
    });
    let named: Vec<&str> = named.collect();
    if named.is_empty() {
        return Ok(());
    }
    let listing = machine.list();
    let entries = user::journal(machine).entries();
    // The note of what is under way in it may say its number.
    let is_another = |name: &DriveName| {
        let place = machine.locate(name).ok().map(|spot| spot.place);
        let mut noted = entries.iter().map(|found| &found.entry);
        let noted = noted.find(|entry| place.is_some() && entry.place == place);
        let noted = noted.and_then(Entry::serial);
        noted.is_some_and(|noted| named.iter().all(|one| !noted.eq_ignore_ascii_case(one)))
    };
    let busy = listing.drives.iter().filter(|listed| listed.is_in_use());
    let mut busy = busy.filter_map(|listed| listed.name(None));
    match busy.find(|name| !is_another(name)) {
        None => Ok(()),
        Some(name) => {
            let failure = Exit::NoDrive.because(format!(
                "Drive {name} is in use and cannot be asked for its serial number: it may say the \
                 same one."
            ));
            let by_place = |name: &DriveName| {
                let mut free = listing.drives.iter().filter(|one| !one.is_in_use());
                free.find(|one| one.is_called(name))?.name(None)
            };
            let by_place: Option<Vec<DriveName>> = request.drives.iter().map(by_place).collect();
            let failure = match by_place {
                Some(drives) => failure
                    .next("By their place, if it is none of that one:")
                    .next(request.of_these(drives)),
                None => failure
                    .next("Which drives there are, and what they are called by their place:")
                    .next(request.list()),
            };
            Err(failure
                .next("Or when it is free again:")
                .next(request.same()))
        }
    }
}
