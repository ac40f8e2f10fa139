//! ATA commands by the registers of a legacy IDE channel, without a kernel
//! driver: what MTKFLASH does under DOS.
//!
//! Sources: JungleFlasher 0.1.96 behaviour for the sequence of register
//! accesses and the number of status reads; measurements on Linux 6.1 with an
//! emulated IDE drive for nIEN and for `/dev/port`. Never tried on a real drive.
//!
//! What this needs and does not see to: no kernel device on the channel, master
//! and slave, since they share the registers; and the controller in
//! compatibility mode, with its channels at 0x1F0 and 0x170.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use super::signals::HeldSignals;
use super::{
    Answer, Clock, Expect, Register, RegisterAccess, Registers, TaskFile, TaskFileError,
    TransportError, Unit,
};

/// Reads of Status after which a drive that does not show the expected one is
/// given up (JungleFlasher 0.1.96 behaviour).
pub const STATUS_READS: u32 = 327_680;

/// Device Control with nIEN set: the drive leaves its interrupt line alone.
const INTERRUPTS_QUIET: u8 = 0x02;
const INTERRUPTS_ON: u8 = 0x00;

/// One drive's task file by the registers of its channel.
///
/// Restores the channel's interrupts when dropped, if they are quiet by then.
pub struct PortTaskFile<R: RegisterAccess> {
    registers: R,
    unit: Unit,
    clock: Arc<dyn Clock>,
    quiet: bool,
}

impl<R: RegisterAccess> PortTaskFile<R> {
    pub fn new(registers: R, unit: Unit, clock: Arc<dyn Clock>) -> PortTaskFile<R> {
        PortTaskFile {
            registers,
            unit,
            clock,
            quiet: false,
        }
    }

    /// Sets nIEN. To be called before the first command: interrupts that no
    /// driver claims make the kernel disable the channel's interrupt for good
    /// ("nobody cared", measured).
    ///
    /// # Errors
    /// Where the register cannot be reached.
    pub fn quiet_interrupts(&mut self) -> Result<(), TransportError> {
        let _held = HeldSignals::new();
        // First: a write that failed may still have been carried out.
        self.quiet = true;
        self.registers
            .write(Register::DeviceControl, INTERRUPTS_QUIET)
    }

    /// Clears nIEN. To be called after vendor mode has been left. Reads Status
    /// before, which takes back an interrupt that the drive still holds. Does
    /// nothing where interrupts are not quiet.
    ///
    /// # Errors
    /// Where the registers cannot be reached; interrupts then count as quiet
    /// still, and the next call tries again.
    pub fn restore_interrupts(&mut self) -> Result<(), TransportError> {
        if !self.quiet {
            return Ok(());
        }
        let _held = HeldSignals::new();
        self.registers.read(Register::Command)?;
        self.registers
            .write(Register::DeviceControl, INTERRUPTS_ON)?;
        self.quiet = false;
        Ok(())
    }

    fn write_device(&mut self, bits: u8) -> Result<(), TransportError> {
        self.registers
            .write(Register::Device, self.unit.device() | (bits & 0x0F))
    }

    fn issue(&mut self, registers: &Registers) -> Result<(), TransportError> {
        self.write_device(0)?;
        for (register, value) in [
            (Register::Features, registers.features),
            (Register::Count, registers.count),
            (Register::LbaLow, registers.lba_low),
            (Register::LbaMid, registers.lba_mid),
            (Register::LbaHigh, registers.lba_high),
        ] {
            if let Some(value) = value {
                self.registers.write(register, value)?;
            }
        }
        if registers.device_bits & 0x0F != 0 {
            self.write_device(registers.device_bits)?;
        }
        self.registers.write(Register::Command, registers.command)
    }

    fn wait_for(&mut self, expected: u8) -> Result<u8, TaskFileError> {
        let mut found = 0;
        for _ in 0..STATUS_READS {
            found = self.registers.read(Register::Command)?;
            if found == expected {
                return Ok(found);
            }
        }
        Err(TaskFileError::Status { expected, found })
    }
}

impl<R: RegisterAccess> TaskFile for PortTaskFile<R> {
    fn select(&mut self) -> Result<(), TaskFileError> {
        let _held = HeldSignals::new();
        Ok(self.write_device(0)?)
    }

    /// The sequence as documented: Device, the other registers, Device with its
    /// address bits where there are any, Command; then Device, and Status until
    /// it is the expected one. A drive that has not shown it after
    /// [`STATUS_READS`] reads gets [`TaskFileError::Status`] with the last value.
    fn execute(
        &mut self,
        registers: &Registers,
        expect: Expect,
        want_lba_low: bool,
    ) -> Result<Answer, TaskFileError> {
        let _held = HeldSignals::new();
        self.issue(registers)?;
        let status = match expect {
            Expect::Status(expected) => {
                self.write_device(0)?;
                self.wait_for(expected)?
            }
            Expect::Any { after } => {
                if after > Duration::ZERO {
                    self.clock.sleep(after);
                }
                self.write_device(0)?;
                self.registers.read(Register::Command)?
            }
        };
        let lba_low = if want_lba_low {
            self.registers.read(Register::LbaLow)?
        } else {
            0
        };
        Ok(Answer { status, lba_low })
    }

    fn way(&self) -> &'static str {
        "legacy ports"
    }
}

impl<R: RegisterAccess> Drop for PortTaskFile<R> {
    fn drop(&mut self) {
        // Who wants to know of a failure has called it before.
        let _ = self.restore_interrupts();
    }
}

/// A legacy IDE channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Ports 0x1F0–0x1F7 and 0x3F6.
    Primary,
    /// Ports 0x170–0x177 and 0x376.
    Secondary,
}

impl Channel {
    /// The port of the channel's first register.
    pub fn base(self) -> u16 {
        match self {
            Channel::Primary => 0x1F0,
            Channel::Secondary => 0x170,
        }
    }

    fn port(self, register: Register) -> u16 {
        self.base()
            + match register {
                Register::Features => 1,
                Register::Count => 2,
                Register::LbaLow => 3,
                Register::LbaMid => 4,
                Register::LbaHigh => 5,
                Register::Device => 6,
                Register::Command => 7,
                Register::DeviceControl => 0x206,
            }
    }
}

/// Why `/dev/port` could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PortOpenError {
    /// No such node, or a kernel without it.
    #[error("/dev/port does not exist here")]
    Missing,
    #[error("/dev/port is not a character device")]
    NotADevice,
    /// The node's permissions (EACCES).
    #[error("no permission to open /dev/port for reading and writing")]
    NotPermitted,
    /// The kernel itself (EPERM): CAP_SYS_RAWIO is lacking, or the kernel is
    /// locked down.
    #[error("the kernel does not permit access to I/O ports")]
    KernelRefuses,
    #[error("/dev/port cannot be opened: {0}")]
    Io(#[source] io::Error),
}

/// The registers of one legacy channel through `/dev/port`.
///
/// The one place of this program that touches I/O ports. It can reach the seven
/// registers and Device Control of its channel and no other port.
#[derive(Debug)]
pub struct DevPort {
    file: File,
    channel: Channel,
}

impl DevPort {
    /// # Errors
    /// [`PortOpenError`], by cause.
    pub fn open(channel: Channel) -> Result<DevPort, PortOpenError> {
        DevPort::open_node(Path::new("/dev/port"), channel)
    }

    fn open_node(path: &Path, channel: Channel) -> Result<DevPort, PortOpenError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(open_error)?;
        let is_device = file
            .metadata()
            .is_ok_and(|metadata| metadata.file_type().is_char_device());
        if is_device {
            Ok(DevPort { file, channel })
        } else {
            Err(PortOpenError::NotADevice)
        }
    }

    fn place(&self, register: Register) -> u64 {
        u64::from(self.channel.port(register))
    }
}

fn open_error(source: io::Error) -> PortOpenError {
    match source.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => PortOpenError::Missing,
        Some(Errno::EACCES | Errno::EROFS) => PortOpenError::NotPermitted,
        Some(Errno::EPERM) => PortOpenError::KernelRefuses,
        _ => PortOpenError::Io(source),
    }
}

// One system call each, of one byte: the kernel makes as many port accesses as
// there are bytes, at ascending ports, and nothing may be repeated.
impl RegisterAccess for DevPort {
    fn read(&mut self, register: Register) -> Result<u8, TransportError> {
        let mut value = [0];
        let moved = self.file.read_at(&mut value, self.place(register));
        whole(moved)?;
        let [value] = value;
        Ok(value)
    }

    fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
        whole(self.file.write_at(&[value], self.place(register)))
    }
}

fn whole(moved: io::Result<usize>) -> Result<(), TransportError> {
    match moved {
        Ok(1) => Ok(()),
        Ok(_) => Err(TransportError::Io(io::Error::other(
            "/dev/port did not move the byte",
        ))),
        Err(error) => Err(match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EPERM | Errno::EACCES) => TransportError::NotPermitted,
            _ => TransportError::Io(error),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::signals::tests::are_held;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Mutex;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Access {
        Read(Register),
        Write(Register, u8),
    }

    use Access::{Read, Write};

    /// A drive that shows its status only at the n-th read, and the order of all
    /// accesses to it.
    #[derive(Default)]
    struct Log {
        accesses: Vec<Access>,
        status: u8,
        busy_reads: u32,
        fails: bool,
    }

    #[derive(Clone, Default)]
    struct Counting(Rc<RefCell<Log>>);

    impl RegisterAccess for Counting {
        fn read(&mut self, register: Register) -> Result<u8, TransportError> {
            assert!(are_held(), "signals could come in between");
            let mut log = self.0.borrow_mut();
            log.accesses.push(Read(register));
            if log.fails {
                return Err(TransportError::Vanished);
            }
            Ok(match register {
                Register::Command if log.busy_reads > 0 => {
                    log.busy_reads -= 1;
                    0xF0
                }
                Register::Command => log.status,
                _ => 0x5C,
            })
        }

        fn write(&mut self, register: Register, value: u8) -> Result<(), TransportError> {
            assert!(are_held(), "signals could come in between");
            let mut log = self.0.borrow_mut();
            log.accesses.push(Write(register, value));
            if log.fails {
                return Err(TransportError::Vanished);
            }
            Ok(())
        }
    }

    impl Counting {
        fn accesses(&self) -> Vec<Access> {
            std::mem::take(&mut self.0.borrow_mut().accesses)
        }
    }

    #[derive(Default)]
    struct Slept(Mutex<Duration>);

    impl Clock for Slept {
        fn now(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, time: Duration) {
            *self.0.lock().unwrap() += time;
        }
    }

    fn drive(unit: Unit) -> (PortTaskFile<Counting>, Counting, Arc<Slept>) {
        let registers = Counting::default();
        registers.0.borrow_mut().status = 0x70;
        let clock = Arc::new(Slept::default());
        (
            PortTaskFile::new(registers.clone(), unit, clock.clone()),
            registers,
            clock,
        )
    }

    const EXPECT_PARALLEL: Expect = Expect::Status(0x70);

    #[test]
    fn a_byte_read_in_parallel_mode_takes_the_eight_documented_accesses() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        let answer = task_file.execute(
            &Registers {
                lba_mid: Some(0x34),
                lba_high: Some(0x12),
                device_bits: 0x05,
                command: 0x00,
                ..Registers::default()
            },
            EXPECT_PARALLEL,
            true,
        );
        assert_eq!(answer.unwrap().lba_low, 0x5C);
        assert_eq!(
            registers.accesses(),
            [
                Write(Register::Device, 0xA0),
                Write(Register::LbaMid, 0x34),
                Write(Register::LbaHigh, 0x12),
                Write(Register::Device, 0xA5),
                Write(Register::Command, 0x00),
                Write(Register::Device, 0xA0),
                Read(Register::Command),
                Read(Register::LbaLow),
            ]
        );
    }

    #[test]
    fn a_mailbox_command_to_a_slave_sets_every_register_and_device_once() {
        let (mut task_file, registers, _) = drive(Unit::Slave);
        task_file
            .execute(
                &Registers {
                    features: Some(1),
                    count: Some(2),
                    lba_low: Some(0),
                    lba_mid: Some(4),
                    lba_high: Some(5),
                    device_bits: 0,
                    command: 0x04,
                },
                EXPECT_PARALLEL,
                false,
            )
            .unwrap();
        assert_eq!(
            registers.accesses(),
            [
                Write(Register::Device, 0xB0),
                Write(Register::Features, 1),
                Write(Register::Count, 2),
                Write(Register::LbaLow, 0),
                Write(Register::LbaMid, 4),
                Write(Register::LbaHigh, 5),
                Write(Register::Command, 0x04),
                Write(Register::Device, 0xB0),
                Read(Register::Command),
            ]
        );
    }

    #[test]
    fn address_bits_cannot_change_the_unit() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        let command = Registers {
            device_bits: 0x1F,
            ..Registers::default()
        };
        task_file.execute(&command, EXPECT_PARALLEL, false).unwrap();
        assert!(
            registers
                .accesses()
                .contains(&Write(Register::Device, 0xAF))
        );
    }

    #[test]
    fn status_is_read_until_it_is_the_expected_one() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        registers.0.borrow_mut().busy_reads = STATUS_READS - 1;
        let answer = task_file.execute(&Registers::default(), EXPECT_PARALLEL, false);
        assert_eq!(answer.unwrap().status, 0x70);
    }

    #[test]
    fn a_drive_that_never_shows_the_expected_status_is_given_up() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        registers.0.borrow_mut().status = 0x51;
        let error = task_file
            .execute(&Registers::default(), EXPECT_PARALLEL, true)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the drive's status is 51h instead of 70h"
        );
        let reads = registers
            .accesses()
            .iter()
            .filter(|&&access| access == Read(Register::Command))
            .count();
        assert_eq!(reads, 327_680);
    }

    #[test]
    fn any_status_is_read_once_after_the_wait() {
        let (mut task_file, registers, clock) = drive(Unit::Master);
        registers.0.borrow_mut().status = 0x51;
        let after = Duration::from_millis(2);
        let answer = task_file
            .execute(
                &Registers {
                    lba_low: Some(0x2A),
                    command: 0x80,
                    ..Registers::default()
                },
                Expect::Any { after },
                false,
            )
            .unwrap();
        assert_eq!(answer.status, 0x51);
        assert_eq!(clock.now(), after);
        assert_eq!(
            registers.accesses(),
            [
                Write(Register::Device, 0xA0),
                Write(Register::LbaLow, 0x2A),
                Write(Register::Command, 0x80),
                Write(Register::Device, 0xA0),
                Read(Register::Command),
            ]
        );
    }

    #[test]
    fn selecting_a_drive_writes_its_device_register_and_no_command() {
        let (mut task_file, registers, _) = drive(Unit::Slave);
        task_file.select().unwrap();
        assert_eq!(registers.accesses(), [Write(Register::Device, 0xB0)]);
    }

    #[test]
    fn nothing_follows_an_access_that_failed() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        registers.0.borrow_mut().fails = true;
        let outcome = task_file.execute(&Registers::default(), EXPECT_PARALLEL, true);
        assert!(matches!(
            outcome,
            Err(TaskFileError::Transport(TransportError::Vanished))
        ));
        assert_eq!(registers.accesses().len(), 1);
        assert!(!are_held());
    }

    const RESTORED: [Access; 2] = [
        Read(Register::Command),
        Write(Register::DeviceControl, 0x00),
    ];

    #[test]
    fn interrupts_are_quiet_until_they_are_restored_once() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        task_file.quiet_interrupts().unwrap();
        assert_eq!(registers.accesses(), [Write(Register::DeviceControl, 0x02)]);
        task_file.restore_interrupts().unwrap();
        assert_eq!(registers.accesses(), RESTORED);
        task_file.restore_interrupts().unwrap();
        drop(task_file);
        assert_eq!(registers.accesses(), []);
    }

    #[test]
    fn quiet_interrupts_are_restored_on_the_way_out() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        task_file.quiet_interrupts().unwrap();
        registers.accesses();
        drop(task_file);
        assert_eq!(registers.accesses(), RESTORED);
    }

    #[test]
    fn interrupts_that_were_never_quiet_are_left_alone() {
        let (task_file, registers, _) = drive(Unit::Master);
        drop(task_file);
        assert_eq!(registers.accesses(), []);
    }

    #[test]
    fn restoring_interrupts_is_tried_again_after_a_failure() {
        let (mut task_file, registers, _) = drive(Unit::Master);
        task_file.quiet_interrupts().unwrap();
        registers.0.borrow_mut().fails = true;
        task_file.restore_interrupts().unwrap_err();
        registers.0.borrow_mut().fails = false;
        registers.accesses();
        drop(task_file);
        assert_eq!(registers.accesses(), RESTORED);
    }

    #[test]
    fn a_channel_reaches_its_own_ports_and_no_other() {
        let all = [
            Register::Features,
            Register::Count,
            Register::LbaLow,
            Register::LbaMid,
            Register::LbaHigh,
            Register::Device,
            Register::Command,
            Register::DeviceControl,
        ];
        assert_eq!(
            all.map(|register| Channel::Primary.port(register)),
            [0x1F1, 0x1F2, 0x1F3, 0x1F4, 0x1F5, 0x1F6, 0x1F7, 0x3F6]
        );
        assert_eq!(
            all.map(|register| Channel::Secondary.port(register)),
            [0x171, 0x172, 0x173, 0x174, 0x175, 0x176, 0x177, 0x376]
        );
    }

    #[test]
    fn one_access_moves_one_byte_at_the_port_of_its_register() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(0x400).unwrap();
        let mut ports = DevPort {
            file: file.try_clone().unwrap(),
            channel: Channel::Secondary,
        };
        ports.write(Register::LbaLow, 0x2A).unwrap();
        ports.write(Register::DeviceControl, 0x02).unwrap();
        assert_eq!(ports.read(Register::LbaLow).unwrap(), 0x2A);
        let mut all = vec![0; 0x400];
        file.read_exact_at(&mut all, 0).unwrap();
        let written: Vec<_> = (0_usize..)
            .zip(all)
            .filter(|&(_, byte)| byte != 0)
            .collect();
        assert_eq!(written, [(0x173, 0x2A), (0x376, 0x02)]);
    }

    #[test]
    fn a_port_that_gives_no_byte_is_an_error_and_not_a_zero() {
        let mut ports = DevPort {
            file: tempfile::tempfile().unwrap(),
            channel: Channel::Primary,
        };
        assert!(ports.read(Register::Command).is_err());
    }

    #[test]
    fn each_cause_of_a_failed_open_has_its_own_error() {
        for (errno, message) in [
            (Errno::ENOENT, "/dev/port does not exist here"),
            (
                Errno::EACCES,
                "no permission to open /dev/port for reading and writing",
            ),
            (
                Errno::EPERM,
                "the kernel does not permit access to I/O ports",
            ),
            (
                Errno::EMFILE,
                "/dev/port cannot be opened: Too many open files (os error 24)",
            ),
        ] {
            assert_eq!(open_error(errno.into()).to_string(), message);
        }
        assert!(matches!(
            DevPort::open_node(Path::new("/nowhere/port"), Channel::Primary),
            Err(PortOpenError::Missing)
        ));
    }

    #[test]
    fn a_plain_file_in_the_place_of_the_ports_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            DevPort::open_node(file.path(), Channel::Primary),
            Err(PortOpenError::NotADevice)
        ));
    }
}
