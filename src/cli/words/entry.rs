//! A drive that is not in vendor mode: what it answered, and what its user can
//! do about it.

use super::super::advice::{Advice, Line};
use super::super::args::{Request, Verb, Via};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::session::{label, on_the_device};
use super::terms;
use crate::protocol::DeviceError;
use crate::protocol::packet::Family;
use crate::protocol::vendor_mode::reported;
use crate::scsi::Identity;
use crate::session::{Label, NotEntered};

/// A way to bring a drive into vendor mode, and how to type while it is tried.
pub struct Preparation {
    pub deed: &'static str,
    then: &'static str,
}

/// What people have done, the easiest first (reports of club.myce.com).
pub const PREPARATIONS: [Preparation; 4] = [
    Preparation {
        deed: "Switch the drive off, and hold its eject button for about 10 seconds while you \
               switch it on.",
        then: "Type this, and do that while it asks:",
    },
    Preparation {
        deed: "Set a jumper on two of the six pins beside master and slave, which two differs from \
               model to model; then off and on.",
        then: "Type this, and switch the drive off and on while it asks:",
    },
    Preparation {
        deed: "Set its channel to none in the computer's setup, and give the drive power after the \
               system is up.",
        then: "Type this when the system is up, and switch the drive on while it asks:",
    },
    Preparation {
        deed: "Put a good drive of its kind and jumper setting in its place, start the computer \
               with it, and swap the two.",
        then: "Type this when they are swapped:",
    },
];

/// Why a drive is not in vendor mode.
pub fn not_entered(failed: NotEntered, typed: &Request) -> Failure {
    let typed = &match failed.by_ports {
        // The kernel has given its path up, and may give it to another one.
        true => typed.of(failed.label.called.clone()),
        false => typed.clone(),
    };
    let advice = advice(&failed, typed);
    let NotEntered {
        label: drive,
        identity,
        source,
        ..
    } = failed;
    let mut failure = on_the_device(source, typed);
    failure.next = advice.unwrap_or(failure.next);
    named(failure, &drive, identity.as_ref())
}

/// `None` where what helps has nothing to do with the mode.
fn advice(failed: &NotEntered, typed: &Request) -> Option<Advice> {
    let family = failed.identity.as_ref().and_then(Family::by_identity);
    match (&failed.source, family) {
        (DeviceError::EntryRefused { .. }, Some(family)) => {
            let by_packets = by_packets(family, answers(failed), typed);
            // What reads here was led into vendor mode because packets cannot.
            let reads = matches!(typed.command.verb(), Some(Verb::Read | Verb::Verify));
            Some(match answers(failed) {
                true if reads => ladder(ANSWERS, failed, typed),
                true => by_packets.and(ladder(ANSWERS, failed, typed)),
                false => by_packets,
            })
        }
        (DeviceError::EntryRefused { .. }, _) => Some(ladder(ALIKE, failed, typed)),
        (DeviceError::NoDriveThere { .. }, _) => Some(nobody(failed, typed)),
        (
            DeviceError::EntryBusy { .. }
            | DeviceError::EntryUnclear { .. }
            | DeviceError::EntryUnanswered { .. },
            _,
        ) => Some(perhaps_entered(failed, typed)),
        _ => None,
    }
}

/// Whether the drive is reported to answer vendor mode, whatever else it takes.
fn answers(failed: &NotEntered) -> bool {
    let reported = failed.identity.as_ref().and_then(reported::of);
    reported.is_some_and(|report| report.answers)
}

/// Who meant another drive must see it here.
fn named(mut failure: Failure, drive: &Label, identity: Option<&Identity>) -> Failure {
    if let (Some(who), Exit::FailedUnchanged) = (identity, failure.exit) {
        failure.what += &format!(" This is {}: {}.", label(drive), terms::identity(who));
    }
    failure
}

fn by_packets(family: &Family, answers_vendor_mode: bool, typed: &Request) -> Advice {
    let not_so = match answers_vendor_mode {
        true => "",
        false => ", not in vendor mode",
    };
    Advice::of(format!(
        "It is a {} drive, which is flashed by packets{not_so}:",
        family.name
    ))
    .then(typed.by_its_name())
}

const ANSWERS: &str = "It is reported to answer vendor mode as well, and drives refuse that until \
                       they are prepared. One way more is shown each time it is refused.";

const ALIKE: &str = "Drives that are dead and drives that work refuse alike until they are prepared. \
                     One way more is shown each time it is refused.";

/// One way more each time; all of them where it is not known how often.
fn ladder(head: impl Into<Line>, failed: &NotEntered, typed: &Request) -> Advice {
    let last = PREPARATIONS.len();
    let shown = match failed.refusals {
        Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        None => last,
    };
    let mut advice = Advice::of(head);
    for (number, rung) in (1..).zip(PREPARATIONS.iter().take(shown)) {
        advice.push(format!("{number}  {}", rung.deed));
    }
    if let (true, Some(rung)) = (shown <= last, PREPARATIONS.get(shown.saturating_sub(1))) {
        return advice.then(rung.then).then(waiting(typed));
    }
    let number = last + 1;
    let begin_again = |advice: Advice| {
        advice
            .then(
                "All of them were shown. What is left are other pins for the jumper, and a \
                 programmer that reads and writes the flash chip itself. To begin again at 1:",
            )
            .then(waiting(typed))
    };
    if failed.by_ports {
        return begin_again(advice);
    }
    let advice = match &failed.ports {
        Some(ports) => advice
            .then(format!(
                "{number}  By the ports of its channel, past the kernel, as root:"
            ))
            .then(typed.of(ports.clone()).by(Via::Port).as_root()),
        None => advice
            .then(format!(
                "{number}  Put it on an IDE port of a computer; there --via port reaches it past \
                 the kernel. Which drives have such a port:"
            ))
            .then(typed.list()),
    };
    match shown > number {
        true => begin_again(advice),
        false => advice,
    }
}

fn nobody(failed: &NotEntered, typed: &Request) -> Advice {
    let positions = match failed.by_ports {
        true => " The positions 1 and 3 are masters, 2 and 4 slaves.",
        false => "",
    };
    let head = format!(
        "That is what a place without a drive shows, and one whose drive has no power: look at \
         power, cable and jumper.{positions}"
    );
    ladder(head, failed, typed)
}

/// The drive may be in the mode, and who asked through the kernel may not hear
/// of it: a drive that raises no interrupt there is reset and given up by the
/// kernel.
fn perhaps_entered(failed: &NotEntered, typed: &Request) -> Advice {
    let off = "Switching the drive off and on ends the mode, whatever it is in.";
    match (failed.by_ports, &failed.ports) {
        // It may be one that is flashed by packets, and was too busy to say so.
        (false, Some(ports)) if failed.identity.is_none() => Advice::of(
            "It has not said what it is. Switch it off and on, which ends the mode, and see \
                 whether it does now: then its own protocol is known:",
        )
        .then(typed.list())
        .then(
            "If it is as silent there, it may be a dead one, which can be read and written in \
                 vendor mode. By the ports of its channel it can be told:",
        )
        .then(typed.of(ports.clone()).by(Via::Port).as_root()),
        (false, Some(ports)) => Advice::of(
            "Through the kernel it cannot be told. By the ports of its channel it can, and \
                 there such a drive can be read and written:",
        )
        .then(typed.of(ports.clone()).by(Via::Port).as_root())
        .then(off),
        (false, None) => Advice::of(format!(
            "Through the kernel it cannot be told. On an IDE port of a computer it can, by \
                 --via port as root. {off} Then type the same again:"
        ))
        .then(typed.same()),
        (true, _) => Advice::of(format!("{off} Then type the same again:")).then(typed.same()),
    }
}

/// With time to do something to the drive.
fn waiting(typed: &Request) -> Line {
    match typed.waiting() {
        same if same == *typed => typed.same(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::args;
    use super::*;
    use crate::cli::tests::every::{shown, table};
    use crate::session::{At, DriveName};
    use crate::transport::TaskFileError;
    use crate::transport::{Instead, Verdict};

    fn typed(line: &str) -> Request {
        args::parse(line.split(' ').map(Into::into)).unwrap()
    }

    fn failed(source: DeviceError) -> NotEntered {
        NotEntered {
            label: Label {
                called: DriveName::Index(3),
                at: At::Node("/dev/sr2".into()),
            },
            identity: None,
            source,
            refusals: Some(1),
            by_ports: false,
            ports: Some(DriveName::Index(3)),
        }
    }

    fn refused(refusals: Option<u32>) -> NotEntered {
        NotEntered {
            refusals,
            ..failed(DeviceError::EntryRefused { status: 0x51 })
        }
    }

    fn told(failed: NotEntered, line: &str) -> String {
        shown(&not_entered(failed, &typed(line)))
    }

    #[test]
    fn each_refusal_shows_one_way_more() {
        let line = "mtkflash 3 r /m /b b.bin --wait 200";
        let told: Vec<String> = (1..=6)
            .map(|count| told(refused(Some(count)), line))
            .collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn the_last_way_is_another_port_or_none() {
        let by_usb = NotEntered {
            ports: None,
            ..refused(Some(5))
        };
        let by_ports = NotEntered {
            by_ports: true,
            ..refused(Some(5))
        };
        let line = "mtkflash 3 c";
        let told = [by_usb, by_ports, refused(None)].map(|failed| told(failed, line));
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn a_drive_flashed_by_packets_is_led_to_them_first_and_then_shown_the_ways() {
        let sd616 = Identity {
            vendor: "SAMSUNG".to_owned(),
            product: "DVD-ROM SD-616T".to_owned(),
            ..Identity::default()
        };
        let failed = NotEntered {
            identity: Some(sd616),
            ..refused(Some(1))
        };
        let by = |line| {
            let identity = failed.identity.clone();
            let failed = NotEntered {
                identity,
                ..refused(Some(1))
            };
            told(failed, line)
        };
        let told = by("mtkflash 3 c --via port");
        let packets = told.find("which is flashed by packets:").unwrap();
        let ways = told.find("1  Switch the drive off").unwrap();
        assert!(packets < ways, "{told}");

        let told = by("mtkflash 3 r /m /b backup.bin --protocol vendor");
        assert!(!told.contains("packets:"), "it is not read by them: {told}");
        assert!(told.contains("1  Switch the drive off"), "{told}");
    }

    #[test]
    fn what_a_line_leaves_out_is_told_once_where_no_drive_answers() {
        let line = "mtkflash 3 c --wait 200 --force=medium";
        let told = told(failed(DeviceError::NoDriveThere { status: 0x7F }), line);
        let left_out = "The check that you have overridden, medium, is left out of that line";
        assert_eq!(told.matches(left_out).count(), 1, "{told}");
    }

    #[test]
    fn what_is_no_known_refusal_may_be_the_mode() {
        let errors = vec![
            DeviceError::EntryUnclear { status: 0x40 },
            DeviceError::EntryBusy { status: 0xF2 },
            DeviceError::EntryUnanswered {
                source: TaskFileError::NoRegisters(Instead::Verdict(Verdict::Status(0x08))),
            },
            DeviceError::NoDriveThere { status: 0x7F },
        ];
        let told = table(errors, |source| {
            let by_ports = NotEntered {
                by_ports: true,
                ..failed(DeviceError::EntryUnclear { status: 0x40 })
            };
            let elsewhere = NotEntered {
                ports: None,
                ..failed(DeviceError::EntryUnclear { status: 0x40 })
            };
            let known = NotEntered {
                identity: Some(Identity {
                    vendor: "LITE-ON".to_owned(),
                    product: "DVD-ROM LTD-163".to_owned(),
                    ..Identity::default()
                }),
                ..failed(DeviceError::EntryUnclear { status: 0x40 })
            };
            match source {
                DeviceError::EntryUnclear { .. } => {
                    let all = [known, failed(source), by_ports, elsewhere];
                    all.map(|failed| told(failed, "mtkflash /dev/sr2 c"))
                        .join("\n\n")
                }
                source => told(failed(source), "mtkflash 3 c"),
            }
        });
        assert!(!told.contains("refused vendor mode"), "{told}");
        insta::assert_snapshot!(told);
    }
}
