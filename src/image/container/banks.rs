//! A file per bank, in an archive as beside each other on a disk.

use std::path::{Path, PathBuf};

use super::{Found, Step};
use crate::flash::{BANK_SIZE, Bank};
use crate::image::bank_names::numbered;
use crate::image::{Arrangement, is_flash_size};

/// The name of a bank's file: `d.bin` and 1 for `d.01.bin`, in its folder and container.
#[derive(PartialEq, Eq)]
struct Name {
    outer: Vec<Step>,
    base: PathBuf,
    bank: Bank,
}

impl Name {
    fn of(found: &Found) -> Option<Name> {
        let (last, outer) = found.path.split_last()?;
        let (base, bank) = numbered(Path::new(&last.name))?;
        Some(Name {
            outer: outer.to_vec(),
            base,
            bank,
        })
    }

    fn is_beside(&self, other: &Name) -> bool {
        (&self.outer, &self.base) == (&other.outer, &other.base)
    }
}

/// The images, of which those are one that are called as the banks of one flash and make
/// all of it.
pub(super) fn joined(images: Vec<Found>) -> Vec<Found> {
    let names: Vec<Option<Name>> = images.iter().map(Name::of).collect();
    let mut images: Vec<Option<Found>> = images.into_iter().map(Some).collect();
    for name in names.iter().flatten().filter(|name| name.bank == Bank(0)) {
        let place_of = |bank: Bank| {
            let mut names = names.iter().map(Option::as_ref);
            names.position(|other| {
                other.is_some_and(|other| name.is_beside(other) && other.bank == bank)
            })
        };
        let group: Vec<usize> = (0..).map(Bank).map_while(place_of).collect();
        let beside = names.iter().flatten().filter(|other| name.is_beside(other));
        let is_each_once = beside.count() == group.len();
        let mut sizes = group
            .iter()
            .filter_map(|at| images.get(*at)?.as_ref())
            .map(|found| found.image.bytes().len());
        let are_banks = sizes.all(|size| size == BANK_SIZE as usize);
        if is_each_once && are_banks && is_flash_size(group.len() * BANK_SIZE as usize) {
            join(&mut images, &group, &name.base);
        }
    }
    images.into_iter().flatten().collect()
}

/// The first of a group becomes all of it.
fn join(images: &mut [Option<Found>], group: &[usize], base: &Path) {
    let mut banks: Vec<Found> = group
        .iter()
        .filter_map(|at| images.get_mut(*at)?.take())
        .collect();
    let others = banks.split_off(banks.len().min(1));
    let (Some(mut whole), Some(at)) = (banks.pop(), group.first()) else {
        return;
    };
    for bank in others {
        whole.image.append(bank.image);
    }
    whole.image.format.arrangement = Arrangement::PerBank;
    if let Some(step) = whole.path.last_mut() {
        step.name = base.to_string_lossy().into_owned();
    }
    if let Some(place) = images.get_mut(*at) {
        *place = Some(whole);
    }
}
