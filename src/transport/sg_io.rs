//! SCSI commands to `/dev/sgN` and `/dev/srN` by the kernel's SG_IO ioctl.
//!
//! The only unsafe code of this program is the ioctl call in here.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_uchar, c_uint, c_ushort, c_void};
use nix::sys::stat::major;

use super::signals::HeldSignals;
use super::{Completion, Data, PacketTransport, TransportError};

/// Most bytes that one command may move, 64 KiB. Adapters and bridges differ in
/// what they take beyond, and the documented protocols stay below.
pub const MAX_TRANSFER: usize = 64 * 1024;

/// Most bytes that a command block may have here, those of ATA PASS-THROUGH(16).
const MAX_CDB: usize = 16;

/// The kernel keeps no more sense bytes than this (SCSI_SENSE_BUFFERSIZE).
const MAX_SENSE: usize = 96;

/// Character devices `/dev/sgN` and block devices `/dev/srN` (Linux,
/// `Documentation/admin-guide/devices.txt`).
const SG_MAJOR: u64 = 21;
const SR_MAJOR: u64 = 11;

/// A device node that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub struct SgOpenError {
    pub path: PathBuf,
    pub why: NotOpened,
}

/// Why a device node could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{self:?}")]
pub enum NotOpened {
    Missing,
    /// The node is there and the driver has no device for it.
    NoDevice,
    NotPermitted,
    /// Mounted, claimed, or open in another program.
    Busy,
    NotScsi,
    Io(io::Error),
}

impl NotOpened {
    pub fn of(self, path: &Path) -> SgOpenError {
        SgOpenError {
            path: path.to_owned(),
            why: self,
        }
    }
}

/// An open drive that takes SCSI commands.
///
/// On `/dev/srN` the kernel lets through only the commands of its own list, but
/// to CAP_SYS_RAWIO, and rounds time-outs up to 7 s. `/dev/sgN` opened for
/// writing takes everything.
#[derive(Debug)]
pub struct SgDevice {
    file: File,
}

impl SgDevice {
    /// Opens a node for reading and writing, without waiting for a medium.
    /// Symbolic links are followed. Nothing but `/dev/sgN` and `/dev/srN` is
    /// opened at all: merely opening a tape rewinds it.
    ///
    /// `exclusive` (O_EXCL) fails where the node is open elsewhere and keeps
    /// others out: on `/dev/sgN` other users of the node, on `/dev/srN` mounts,
    /// other exclusive users and the kernel's media polling.
    ///
    /// # Errors
    /// `SgOpenError`, by cause.
    pub fn open(path: &Path, exclusive: bool) -> Result<SgDevice, SgOpenError> {
        let failed = |source| open_error(path, source);
        let check = |metadata: Metadata| match is_scsi_node(&metadata) {
            true => Ok(()),
            false => Err(NotOpened::NotScsi.of(path)),
        };
        check(fs::metadata(path).map_err(failed)?)?;
        // The standard library adds O_CLOEXEC.
        let flags = libc::O_NONBLOCK | if exclusive { libc::O_EXCL } else { 0 };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(path)
            .map_err(failed)?;
        check(file.metadata().map_err(failed)?)?;
        Ok(SgDevice { file })
    }
}

fn is_scsi_node(metadata: &Metadata) -> bool {
    let (kind, major) = (metadata.file_type(), major(metadata.rdev()));
    (kind.is_char_device() && major == SG_MAJOR) || (kind.is_block_device() && major == SR_MAJOR)
}

fn open_error(path: &Path, source: io::Error) -> SgOpenError {
    match source.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT | Errno::ENOTDIR) => NotOpened::Missing,
        Some(Errno::ENODEV | Errno::ENXIO) => NotOpened::NoDevice,
        Some(Errno::EACCES | Errno::EPERM | Errno::EROFS) => NotOpened::NotPermitted,
        Some(Errno::EBUSY) => NotOpened::Busy,
        _ => NotOpened::Io(source),
    }
    .of(path)
}

/// `struct sg_io_hdr` of the kernel's `include/scsi/sg.h`, version 3.
#[repr(C)]
struct SgIoHdr {
    interface_id: c_int,
    dxfer_direction: c_int,
    cmd_len: c_uchar,
    mx_sb_len: c_uchar,
    iovec_count: c_ushort,
    dxfer_len: c_uint,
    dxferp: *mut c_void,
    cmdp: *const c_uchar,
    sbp: *mut c_uchar,
    timeout: c_uint,
    flags: c_uint,
    pack_id: c_int,
    usr_ptr: *mut c_void,
    answer: SgIoAnswer,
}

/// The end of that header, which the kernel fills in.
#[repr(C)]
#[derive(Default)]
struct SgIoAnswer {
    status: c_uchar,
    masked_status: c_uchar,
    msg_status: c_uchar,
    sb_len_wr: c_uchar,
    host_status: c_ushort,
    driver_status: c_ushort,
    resid: c_int,
    duration: c_uint,
    info: c_uint,
}

impl PacketTransport for SgDevice {
    fn execute(
        &mut self,
        cdb: &[u8],
        data: Data<'_>,
        timeout: Duration,
    ) -> Result<Completion, TransportError> {
        const SG_IO: u32 = 0x2285;
        const SG_DXFER_NONE: c_int = -1;
        const SG_DXFER_TO_DEV: c_int = -2;
        const SG_DXFER_FROM_DEV: c_int = -3;

        let (dxfer_direction, dxferp, length) = match data {
            Data::None => (SG_DXFER_NONE, ptr::null_mut(), 0),
            Data::In(buffer) => (SG_DXFER_FROM_DEV, buffer.as_mut_ptr().cast(), buffer.len()),
            // The kernel only reads from here; the header has one field for both ways.
            Data::Out(bytes) => (
                SG_DXFER_TO_DEV,
                bytes.as_ptr().cast_mut().cast(),
                bytes.len(),
            ),
        };
        if length > MAX_TRANSFER {
            return Err(refused(format!(
                "a transfer of {length} bytes is more than {MAX_TRANSFER}"
            )));
        }
        if cdb.is_empty() || cdb.len() > MAX_CDB {
            return Err(refused(format!(
                "a command block of {} bytes is not one of 1 to {MAX_CDB}",
                cdb.len()
            )));
        }

        let mut sense = [0_u8; MAX_SENSE];
        let mut header = SgIoHdr {
            interface_id: c_int::from(b'S'),
            dxfer_direction,
            cmd_len: cdb.len() as c_uchar,
            mx_sb_len: MAX_SENSE as c_uchar,
            iovec_count: 0,
            dxfer_len: length as c_uint,
            dxferp,
            cmdp: cdb.as_ptr(),
            sbp: sense.as_mut_ptr(),
            timeout: milliseconds(timeout),
            flags: 0,
            pack_id: 0,
            usr_ptr: ptr::null_mut(),
            answer: SgIoAnswer::default(),
        };

        let held = HeldSignals::new();
        // SAFETY: SG_IO takes a pointer to a version 3 header, which `SgIoHdr` lays
        // out as the kernel does, and uses it during the call only. The pointers in
        // it lead to `cdb`, `sense` and the data buffer, which outlive the call,
        // with their true lengths (`cmd_len`, `mx_sb_len` and `dxfer_len`, checked
        // above to fit). The kernel writes to `sense` and, only where the direction
        // is from the device, to the data buffer: both are borrowed mutably then.
        #[allow(unsafe_code)]
        let outcome =
            unsafe { libc::ioctl(self.file.as_raw_fd(), SG_IO as libc::Ioctl, &raw mut header) };
        // Restoring the signal mask could change errno.
        let outcome = Errno::result(outcome);
        drop(held);

        outcome.map_err(transport_error)?;
        let answer = header.answer;
        let sense_length = usize::from(answer.sb_len_wr).min(MAX_SENSE);
        Ok(Completion {
            status: answer.status,
            host_status: answer.host_status,
            driver_status: answer.driver_status,
            residue: answer.resid,
            sense: sense.iter().take(sense_length).copied().collect(),
        })
    }
}

/// Rounded up, and never 0, which the kernel takes for its own default.
fn milliseconds(timeout: Duration) -> c_uint {
    let milliseconds = timeout.as_nanos().div_ceil(1_000_000).max(1);
    c_uint::try_from(milliseconds).unwrap_or(c_uint::MAX)
}

/// EINTR is no reason to try again: the command may have reached the drive.
fn transport_error(errno: Errno) -> TransportError {
    match errno {
        Errno::EPERM | Errno::EACCES => TransportError::NotPermitted,
        Errno::ENODEV | Errno::ENXIO => TransportError::Vanished,
        other => TransportError::Io(other.into()),
    }
}

fn refused(why: String) -> TransportError {
    TransportError::Io(io::Error::new(io::ErrorKind::InvalidInput, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::words::InWords;
    use std::mem::{offset_of, size_of};

    const SECOND: Duration = Duration::from_secs(1);

    fn null() -> SgDevice {
        SgDevice {
            file: File::open("/dev/null").unwrap(),
        }
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_header_is_laid_out_as_the_kernel_does() {
        assert_eq!(size_of::<SgIoHdr>(), 88);
        for (field, at, offset) in [
            ("dxfer_len", offset_of!(SgIoHdr, dxfer_len), 12),
            ("dxferp", offset_of!(SgIoHdr, dxferp), 16),
            ("cmdp", offset_of!(SgIoHdr, cmdp), 24),
            ("sbp", offset_of!(SgIoHdr, sbp), 32),
            ("timeout", offset_of!(SgIoHdr, timeout), 40),
            ("usr_ptr", offset_of!(SgIoHdr, usr_ptr), 56),
            ("status", offset_of!(SgIoHdr, answer.status), 64),
            ("sb_len_wr", offset_of!(SgIoHdr, answer.sb_len_wr), 67),
            ("host_status", offset_of!(SgIoHdr, answer.host_status), 68),
            (
                "driver_status",
                offset_of!(SgIoHdr, answer.driver_status),
                70,
            ),
            ("resid", offset_of!(SgIoHdr, answer.resid), 72),
        ] {
            assert_eq!(at, offset, "{field}");
        }
    }

    #[test]
    fn a_node_that_does_not_exist_is_missing() {
        for path in ["/nowhere/sg0", "/dev/null/sg0"] {
            let error = SgDevice::open(Path::new(path), true).unwrap_err();
            assert!(matches!(error.why, NotOpened::Missing), "{error}");
        }
    }

    #[test]
    fn what_is_no_sg_or_sr_device_is_not_opened() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [Path::new("/dev/null"), Path::new("/dev"), file.path()] {
            let error = SgDevice::open(path, false).unwrap_err();
            assert!(matches!(error.why, NotOpened::NotScsi), "{error}");
        }
    }

    #[test]
    fn each_cause_of_a_failed_open_has_its_own_error() {
        let text = |errno: Errno| open_error(Path::new("/dev/sg1"), errno.into()).in_words();
        assert_eq!(text(Errno::ENXIO), "there is no device behind /dev/sg1");
        assert_eq!(
            text(Errno::EACCES),
            "no permission to open /dev/sg1 for reading and writing"
        );
        assert_eq!(text(Errno::EBUSY), "/dev/sg1 is in use");
        assert_eq!(
            text(Errno::EMFILE),
            "/dev/sg1 cannot be opened: Too many open files (os error 24)"
        );
    }

    #[test]
    fn a_transfer_beyond_64_kib_is_refused_before_it_is_sent() {
        let error = null()
            .execute(&[0; 12], Data::Out(&[0; MAX_TRANSFER + 1]), SECOND)
            .unwrap_err();
        assert_eq!(
            error.in_words(),
            "the command was not carried out: a transfer of 65537 bytes is more than 65536"
        );
    }

    #[test]
    fn a_command_block_of_impossible_length_is_refused_before_it_is_sent() {
        for cdb in [&[][..], &[0; 17]] {
            let error = null().execute(cdb, Data::None, SECOND).unwrap_err();
            assert!(error.in_words().contains("command block"), "{error}");
        }
    }

    #[test]
    fn a_refused_ioctl_is_an_error_and_the_signal_mask_is_restored() {
        let error = null().execute(&[0; 12], Data::None, SECOND).unwrap_err();
        assert!(matches!(error, TransportError::Io(_)), "{error}");
        assert!(!super::super::signals::tests::are_held());
    }

    #[test]
    fn kernel_errors_are_told_by_what_they_mean_for_the_drive() {
        assert!(matches!(
            transport_error(Errno::EPERM),
            TransportError::NotPermitted
        ));
        assert!(matches!(
            transport_error(Errno::ENODEV),
            TransportError::Vanished
        ));
        assert!(matches!(
            transport_error(Errno::ENXIO),
            TransportError::Vanished
        ));
        assert!(matches!(
            transport_error(Errno::EINTR),
            TransportError::Io(_)
        ));
    }

    #[test]
    fn a_time_out_is_rounded_up_and_never_becomes_the_kernels_default() {
        for (timeout, sent) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(1500), 2),
            (Duration::from_secs(300), 300_000),
            (Duration::MAX, c_uint::MAX),
        ] {
            assert_eq!(milliseconds(timeout), sent);
        }
    }
}
