//! Who uses a drive, as far as it can be seen.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::system::{System, attribute, attribute_bytes, names};
use super::topology::Located;

/// A user of a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Mounted in this mount namespace.
    Mount { at: PathBuf },
    /// Another block device on top of it (device mapper).
    Device { name: String },
    /// A process that has a node of it open.
    Process { pid: u32, name: String },
}

/// The users of a drive. Open files of other users' processes are seen by the
/// superuser only, so that an empty answer does not mean that nobody uses it.
pub fn holders(system: &System, drive: &Located) -> Vec<Holder> {
    let mut holders = mounts(system, drive);
    if let Some(block) = drive.block() {
        let above = names(&block.join("holders")).into_iter();
        holders.extend(above.map(|name| Holder::Device { name }));
    }
    let nodes: Vec<&Path> = [&drive.sr, &drive.sg]
        .into_iter()
        .filter_map(|node| node.as_deref())
        .collect();
    holders.extend(processes(system, &nodes));
    holders
}

/// Where the drive is mounted, by its device number: the mount may have been
/// made under any name.
pub fn mounts(system: &System, drive: &Located) -> Vec<Holder> {
    let number = drive
        .block()
        .and_then(|block| attribute(&block.join("dev")));
    let mountinfo = attribute_bytes(&system.proc("self/mountinfo"));
    let (Some(number), Some(mountinfo)) = (number, mountinfo) else {
        return Vec::new();
    };
    mount_points(&mountinfo, &number)
        .into_iter()
        .map(|at| Holder::Mount { at })
        .collect()
}

/// The mount points of a device number in `/proc/self/mountinfo`: field 3 is
/// the number, field 5 the mount point with blanks and the like as `\040`
/// (Linux, `Documentation/filesystems/proc.rst`).
fn mount_points(mountinfo: &[u8], number: &str) -> Vec<PathBuf> {
    mountinfo
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|&byte| byte == b' ').skip(2);
            let found = fields.next()?;
            let point = fields.nth(1)?;
            (found == number.as_bytes()).then(|| unescaped(point))
        })
        .collect()
}

fn unescaped(field: &[u8]) -> PathBuf {
    let mut parts = field.split(|&byte| byte == b'\\');
    let mut bytes = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let digits = part
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part[3..]);
            }
            None => {
                bytes.push(b'\\');
                bytes.extend(part);
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

fn processes(system: &System, nodes: &[&Path]) -> Vec<Holder> {
    let mut pids: Vec<u32> = names(&system.proc(""))
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    pids.sort_unstable();
    pids.into_iter()
        .filter(|pid| {
            let files = system.proc(format!("{pid}/fd"));
            names(&files).iter().any(|file| {
                fs::read_link(files.join(file)).is_ok_and(|open| nodes.contains(&open.as_path()))
            })
        })
        .map(|pid| Holder::Process {
            pid,
            name: attribute(&system.proc(format!("{pid}/comm"))).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mount_is_found_by_device_number_and_its_point_is_unescaped() {
        let mountinfo = b"\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
61 22 11:0 / /media/My\\040Disc\\134 ro,nosuid - iso9660 /dev/cdrom ro
62 22 11:1 / /mnt ro - udf /dev/sr1 ro
";
        assert_eq!(
            mount_points(mountinfo, "11:0"),
            [PathBuf::from("/media/My Disc\\")]
        );
        assert!(mount_points(mountinfo, "11:7").is_empty());
    }

    proptest! {
        #[test]
        fn no_mountinfo_makes_the_reader_fail(bytes in proptest::collection::vec(
            prop_oneof![Just(b' '), Just(b'\n'), Just(b'\\'), Just(b'1'), Just(b':'), any::<u8>()], 0..80)) {
            mount_points(&bytes, "1:1");
        }
    }
}
