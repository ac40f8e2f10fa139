use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::drive::channel::ChannelState;
use crate::scsi::Identity;
use crate::sim::Bench;
use crate::transport::Watch;
use crate::transport::watched::{Exchange, Time};

/// Hears everything and says no to every question.
#[derive(Default)]
struct Listener {
    heard: Vec<&'static str>,
    ends: Arc<EndsOfPrograms>,
}

/// How often FF was written to the chip's first byte, which ends a byte program that
/// was begun.
#[derive(Default)]
struct EndsOfPrograms(AtomicUsize);

impl Watch for EndsOfPrograms {
    fn saw(&self, exchange: &Exchange<'_>, _: Time) {
        let Exchange::TaskFile { registers, .. } = exchange else {
            return;
        };
        let address = (registers.lba_mid, registers.lba_high);
        if (registers.command, registers.lba_low, address) == (1, Some(0xFF), (Some(0), Some(0))) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl User for Listener {
    fn tell(&mut self, event: Event) {
        self.heard.push(match event {
            Event::Settled(_) => "settled",
            Event::Guessed { .. } => "guessed",
            Event::PollingLeftOn(_) => "polling left on",
            Event::Detected(_) => "detected",
            Event::GivenUp(_) => "given up",
            Event::TakenOver => "taken over",
            Event::Said(_) => "said",
            Event::OnAList(_) => "on a list",
            Event::Waiting(_) => "waiting",
            Event::WaitingEnded => "waiting ended",
            Event::NotGivenBack(_) => "not given back",
        });
    }

    fn may_take(&mut self, _: &ChannelState) -> Answer {
        Answer::No
    }

    fn watch(&self) -> Option<Arc<dyn Watch>> {
        Some(Arc::clone(&self.ends) as Arc<dyn Watch>)
    }

    fn wants_to_stop(&self) -> bool {
        false
    }
}

fn bench(lines: &str) -> OnBench {
    let text = format!(
        "[[drive]]\nposition = 3\nvendor = \"SONY\"\nproduct = \"DVD RW DW-D22A\"\n\
         revision = \"BYS1\"\nchip = \"SST39SF020\"\n{lines}"
    );
    Bench::from_text(&text).unwrap().into()
}

fn opened(machine: &OnBench, wish: &Wish) -> (Result<Session, OpenError>, Vec<&'static str>) {
    let mut user = Listener::default();
    let session = open(machine, &DriveName::Index(3), wish, &mut user);
    (session, user.heard)
}

#[test]
fn what_happens_on_the_way_is_told_in_the_order_that_is_written_down() {
    let (session, heard) = opened(&bench(""), &Wish::default());
    assert_eq!(heard, ["detected", "said"]);
    assert!(session.unwrap().leave().is_empty());
    let by_ports = Wish {
        via: Some(Via::Port),
        patience: Patience::Named(std::time::Duration::from_secs(10)),
        ..Wish::default()
    };
    let reluctant = bench("entry = \"after-power-cycles\"\npower_cycles = 2\n");
    let (session, heard) = opened(&reluctant, &by_ports);
    assert_eq!(heard, ["said", "waiting", "waiting", "waiting ended"]);
    assert!(session.is_ok());
}

#[test]
fn a_drive_that_was_left_is_not_in_vendor_mode() {
    let machine = bench("");
    let (session, _) = opened(&machine, &Wish::default());
    let session = session.unwrap();
    assert_eq!(session.place, "position-3");
    assert!(!session.is_off_kernel());
    assert!(session.leave().is_empty());
    let (again, _) = opened(&machine, &Wish::default());
    assert!(again.is_ok());
}

#[test]
fn a_packet_protocol_and_registers_do_not_go_together() {
    let wish = Wish {
        via: Some(Via::Ata),
        protocol: Some(crate::protocol::Protocol::Btc),
        ..Wish::default()
    };
    let (session, heard) = opened(&bench(""), &wish);
    assert!(matches!(session.err(), Some(OpenError::OverSgOnly { .. })));
    assert_eq!(heard, [""; 0]);
}

#[test]
fn a_dead_drive_is_unknown_to_the_kernel_and_is_reached_by_the_ports() {
    let dead = bench("dead = true\n");
    let (session, _) = opened(&dead, &Wish::default());
    assert!(matches!(
        session.err(),
        Some(OpenError::UnknownToKernel { .. })
    ));
    let wish = Wish {
        via: Some(Via::Port),
        ..Wish::default()
    };
    assert!(opened(&dead, &wish).0.is_ok());
}

#[test]
fn a_byte_program_is_ended_in_the_drive_that_was_left_and_in_no_other_at_its_place() {
    let ends_in = |machine: &OnBench, place: &str, product: Option<&str>| {
        let wish = Wish {
            via: Some(Via::Port),
            left_programming: vec![LeftProgramming {
                place: place.to_owned(),
                identity: product.map(|product| Identity {
                    vendor: "SONY".to_owned(),
                    product: product.to_owned(),
                    ..Identity::default()
                }),
            }],
            ..Wish::default()
        };
        let mut user = Listener::default();
        let session = open(machine, &DriveName::Index(3), &wish, &mut user);
        assert!(session.unwrap().leave().is_empty());
        user.ends.0.load(Ordering::Relaxed)
    };
    let (there, silent) = (bench(""), bench("dead = true\n"));
    assert_eq!(ends_in(&there, "position-3", Some("DVD RW DW-D22A")), 1);
    assert_eq!(ends_in(&there, "position-3", None), 1);
    assert_eq!(ends_in(&there, "position-3", Some("DVD RW DW-U18A")), 0);
    assert_eq!(ends_in(&there, "position-1", Some("DVD RW DW-D22A")), 0);
    assert_eq!(ends_in(&silent, "position-3", Some("DVD RW DW-U18A")), 1);
}

#[test]
fn a_serial_number_of_two_drives_is_taken_for_neither_by_either_way() {
    let other = "\n[[drive]]\nposition = 4\nvendor = \"SONY\"\nproduct = \"DVD RW DW-D22A\"\n\
                 revision = \"BYS1\"\nchip = \"SST39SF020\"\nserial = \"S1\"\n";
    let machine = bench(&format!("serial = \"S1\"\n{other}"));
    let name = DriveName::Serial("s1".to_owned());
    let refusals = [
        machine.locate(&name).err(),
        machine.ports(&name, &Wish::default()).err(),
    ];
    for refused in refusals {
        let Some(OpenError::NotBySerial { found, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(found, [DriveName::Index(3), DriveName::Index(4)]);
    }
}
