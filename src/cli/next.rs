//! What to do after a command that went well.

use std::path::Path;

use super::advice::Advice;
use super::args::{DriveName, Request};
use crate::flash::FlashRange;
use crate::job::record::Record;
use crate::job::{Check, backup};
use crate::protocol::packet::Family;
use crate::protocol::vendor_mode::reported;
use crate::protocol::{Capabilities, Reading};
use crate::scsi::Identity;

/// What is blank of a flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    All,
    /// What the user selected, or all but what was to be kept.
    Part,
}

/// After an erase. A drive without firmware is open for as long as it is on, and
/// perhaps not again: `backup` is the file with what was in it, if there is one.
///
/// `says_who_it_is`: by its boot code, also when its flash is blank.
pub fn after_erase(
    blank: Blank,
    says_who_it_is: bool,
    backup: Option<&Path>,
    request: &Request,
) -> Advice {
    let request = &request.of_blank();
    let (what, write) = match blank {
        // A blank flash is no backup: a write would refuse to make one.
        Blank::All => ("The flash is blank", request.write_unread()),
        Blank::Part => ("That part of the flash is blank", request.write_any()),
    };
    let advice = Advice::of(format!(
        "{what}: leave the drive on, and write firmware now:"
    ))
    .then(write);
    let advice = match backup {
        Some(backup) => advice
            .then("Or put back what was in it before:")
            .then(request.restore(backup).without_backup()),
        None => advice,
    };
    match blank {
        Blank::All if !says_who_it_is => advice.then(
            "A blank drive cannot say its model: before it writes, the tool stops at the check \
             called model, and you compare the image with the label of the drive.",
        ),
        Blank::All | Blank::Part => advice,
    }
}

/// What was in the flash before a write, into it again.
pub fn way_back(backup: &Path, request: &Request) -> Advice {
    back(Advice::default(), backup, request)
}

/// The same of a backup that may lie without its record: what it holds of the flash is
/// said beside it.
pub fn way_back_to(backup: &Path, part: &[FlashRange], request: &Request) -> Advice {
    match Record::beside(backup).is_none() && !part.is_empty() {
        true => Advice::of(WAY_BACK).then(request.restore(backup).of_part(part)),
        false => way_back(backup, request),
    }
}

/// The same behind other advice. That a file was read at this place makes it no
/// file of the drive that is there now: whoever names the check has to know that.
fn back(advice: Advice, backup: &Path, request: &Request) -> Advice {
    let written = request.command.file();
    if written.is_some_and(|file| backup::holds_the_same(file, backup)) {
        return advice.then(format!(
            "That is what was in it before, as {} has it: there is nothing left to go back to.",
            backup.display()
        ));
    }
    if backup::looks_damaged(backup) {
        return advice.then(format!(
            "What was in the flash before looks damaged: {} keeps it, and is no way back.",
            backup.display()
        ));
    }
    let advice = advice.then(WAY_BACK).then(request.restore(backup));
    let force = &request.options.force;
    if backup::names_nobody(backup) {
        advice.then(NAMES_NOBODY)
    } else if force.contains(&Check::Model) || force.contains(&Check::Family) {
        advice.then(CALLED_OTHERWISE)
    } else {
        advice
    }
}

const NAMES_NOBODY: &str = "That file names no drive: before it writes, the tool stops at the check \
                            called model. It was read from this drive: name the check only while that \
                            is the drive that is there.";

const CALLED_OTHERWISE: &str = "With firmware of another model the drive calls itself otherwise: \
                                before it writes that file, the tool may stop at the check that you \
                                have named just now. It was read from this drive.";

const WAY_BACK: &str = "To go back to what was in the flash before:";

/// After a write in place; `backup` is the file with what was in it, if there is
/// one, and `brings_revision` whether another revision is in it now.
pub fn after_write(
    brings_revision: bool,
    is_by_ports: bool,
    backup: Option<&Path>,
    request: &Request,
) -> Advice {
    let advice = Advice::of(match brings_revision {
        true => {
            "Take a jumper out if you have set one, and switch the drive off and on. Then this \
                 lists it with its new revision:"
        }
        false => {
            "Take a jumper out if you have set one, and switch the drive off and on. Then this \
                 lists it:"
        }
    })
    .then(request.list());
    let advice = match request.options.keep.is_empty() {
        true => advice,
        false => advice
            .then("Whoever compares it later leaves out what was kept:")
            .then(request.verify_part()),
    };
    let advice = match is_by_ports {
        true => advice.then("If not, restart the computer: the kernel looks for IDE drives then."),
        false => advice,
    };
    match backup {
        Some(backup) => back(advice, backup, request),
        None => advice,
    }
}

/// After a drive has taken a whole image and is back, where nothing was read before.
pub fn after_download(request: &Request) -> Advice {
    Advice::of("How it is listed now:").then(request.list())
}

/// After a read of all of a flash, or of a part of it. `is_mixture`: a change that was
/// not finished has left what was read.
pub fn after_read(is_mixture: bool, request: &Request) -> Advice {
    let is_in_some_files = !request.merged && !request.selection().is_everything();
    match is_mixture {
        false if is_in_some_files => {
            Advice::of("To compare the flash with what is in them:").then(request.verify_part())
        }
        false => Advice::of("To look at what is in it:").then(request.inspect()),
        true => Advice::of("For the drive, get firmware for this very model, and look at it:")
            .then(Request::inspect_any()),
    }
}

/// After a write that changed nothing, for the flash holds the image.
pub fn after_nothing(request: &Request) -> Advice {
    Advice::of(
        "If the drive runs something else still, switch it off and on. Then this lists it with \
             its revision:",
    )
    .then(request.list())
}

/// After a write that was left out, for the drive says that it has the revision.
pub fn after_skip(request: &Request) -> Advice {
    match request.options.no_backup {
        true => Advice::of("To write all of it once more:").then_nearly(request.without_skip()),
        false => Advice::of("Such a drive is written without a backup only. How it is listed:")
            .then(request.list()),
    }
}

/// After a look at what a change would do.
pub fn after_dry_run(request: &Request) -> Advice {
    Advice::of("To do that:").then_nearly(request.without_dry_run())
}

/// After a list with drives that do not say what they are.
pub fn after_list(nameless: &[DriveName], request: &Request) -> Option<Advice> {
    let of_one = |name: &DriveName| request.of(name.clone()).check();
    let (first, others) = nameless.split_first()?;
    let advice =
        Advice::of("A drive that says nothing is asked in another way:").then(of_one(first));
    Some(others.iter().map(of_one).fold(advice, Advice::then))
}

/// After a check of all drives.
pub fn after_check_of_all(request: &Request) -> Advice {
    Advice::of(
        "To keep what is in the flash of one of them, with its number or path in the place of \
             DRIVE:",
    )
    .then(request.read())
}

/// After a write that was forced over what keeps the drive alive.
pub fn after_danger(backup: Option<&Path>, request: &Request) -> Advice {
    let advice = Advice::of(
        "Leave the drive on: firmware that does not fit may not start again, and as long as \
             the drive is on it can still be written. To look at it:",
    )
    .then(request.check());
    out_of_danger(advice, backup, request)
}

fn out_of_danger(advice: Advice, backup: Option<&Path>, request: &Request) -> Advice {
    match backup {
        Some(backup) => back(advice, backup, request),
        None => advice
            .then("To go back, write firmware that is for this very drive:")
            .then(request.write_unread()),
    }
}

/// After such a write that went wrong.
pub fn after_failed_danger(backup: Option<&Path>, request: &Request) -> Advice {
    let advice = Advice::of(
        "Leave the drive on: as long as it is on, it can perhaps still be written. What you have \
         sent was for other hardware or damaged, and more of it makes nothing better.",
    );
    out_of_danger(advice, backup, request)
}

/// After a write that has left a drive with its boot code alone. The same image would
/// perhaps end the same.
pub fn after_boot_code(backup: Option<&Path>, request: &Request) -> Advice {
    let advice = Advice::of(
        "Leave the drive on: its boot code takes firmware, and what it was sent does not start in \
         it.",
    );
    match backup {
        Some(backup) => back(advice, backup, request),
        None => advice
            .then("Get other firmware, for this very drive and board, and look at it:")
            .then(Request::inspect_any()),
    }
}

/// After a check of a drive that takes whole images, cannot be read and did not answer
/// INQUIRY.
pub fn after_silence(request: &Request) -> Advice {
    beyond_help(
        Advice::default(),
        "It does not say by INQUIRY who it is, so that its firmware does not run, and it is not \
         known to take another then. Switching the drive off and on costs nothing. Then see \
         whether it is listed by its name:",
        request,
    )
}

/// For a drive in which no firmware is left that would take another: there is no way
/// back by its cable that this tool or its sources know.
pub fn beyond_help(advice: Advice, why: &str, request: &Request) -> Advice {
    advice.then(why).then(request.list()).then(
        "If it does not say what it is there, no command is known that brings it back: what \
         remains is an external programmer for its flash chip.",
    )
}

/// After a check: what is in the flash comes first, where it can be had.
pub fn after_check(
    capabilities: &Capabilities,
    identity: Option<&Identity>,
    request: &Request,
) -> Advice {
    let reported = identity.and_then(reported::of);
    if identity.is_some_and(is_boot_loader) {
        return Advice::of(
            "It answers, and no firmware runs in it. Leave it on, and write firmware:",
        )
        .then(request.write_unread());
    }
    match &capabilities.reading {
        Reading::Blocks(_) => {
            Advice::of("It answers. Keep what is in its flash first:").then(request.read())
        }
        Reading::Impossible(_) if capabilities.size == 0 => Advice::of(
            "It answers. If you know the size of its flash, from its marking or a data sheet, \
                 keep what is in it first:",
        )
        .then(request.read().with_a_size()),
        Reading::Impossible(_) if reported.is_some_and(|report| report.answers) => Advice::of(
            "It answers. How it is read by packets is not documented; it is reported to answer \
                     vendor mode. To try to read it there, which changes nothing in it:",
        )
        .then(request.read_in_vendor_mode())
        .then(WRITE_ONLY)
        .then(request.write_unread()),
        Reading::Impossible(_) => Advice::of(WRITE_ONLY).then(request.write_unread()),
    }
}

/// Whether the boot code of a drive says so itself.
fn is_boot_loader(identity: &Identity) -> bool {
    Family::by_identity(identity).is_some_and(|family| family.is_boot_loader(identity))
}

/// About a drive whose flash reads as FF.
pub const LEAVE_ON: &str = "If it has been erased, leave it on, since it may let nobody in again \
                            once it was off, and write firmware:";

/// About a drive that is reported to answer vendor mode, and has packets.
pub const IN_VENDOR_MODE: &str =
    "To try to read it there, which changes nothing in it and was never confirmed:";

/// About a drive of which no way to read it is documented.
pub const WRITE_ONLY: &str = "Its firmware can be written, not read:";
