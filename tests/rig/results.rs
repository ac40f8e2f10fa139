//! One boot of one machine, shared by its scenarios, and what came back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use crate::images;
use crate::initramfs::Initramfs;
use crate::machine::{ALWAYS, Machine};
use crate::modules::Modules;
use crate::packages::Packages;

/// Programs of the packages, or of this machine, that scripts may call.
const PROGRAMS: [&str; 15] = [
    "sg_inq",
    "sg_turs",
    "sg_raw",
    "sg_read_buffer",
    "sg_write_buffer",
    "sg_requests",
    "btcflash",
    "setpriv",
    "script",
    "udevadm",
    "kmod",
    "dbus-daemon",
    "systemd-logind",
    "systemd-inhibit",
    "busctl",
];

/// A machine and the scripts that it is to run, booted when the first result
/// is asked for.
pub struct Boot {
    machine: &'static Machine,
    scripts: Vec<&'static str>,
    outcome: OnceLock<Result<PathBuf, String>>,
}

impl Boot {
    pub fn new(machine: &'static Machine, scripts: Vec<&'static str>) -> Self {
        Self {
            machine,
            scripts,
            outcome: OnceLock::new(),
        }
    }

    pub fn machine(&self) -> &'static Machine {
        self.machine
    }

    /// When the script runs in this boot; those that do not run come last.
    pub fn place_of(&self, script: &str) -> usize {
        let place = self.scripts.iter().position(|other| *other == script);
        place.unwrap_or(usize::MAX)
    }

    /// The folder with what the script left, `log` among it.
    ///
    /// # Errors
    /// The machine did not boot, or the script failed: its output is in the message.
    pub fn results_of(&self, script: &str) -> Result<PathBuf, String> {
        let outcome = self.outcome.get_or_init(|| {
            self.run()
                .map_err(|error| format!("machine {}: {error:#}", self.machine.name))
        });
        let folder = outcome.clone()?;
        let left = folder.join(script);
        let log = fs::read_to_string(left.join("log")).unwrap_or_default();
        match fs::read_to_string(left.join("status"))
            .as_deref()
            .map(str::trim)
        {
            Ok("0") => kernel_is_well(&left).map(|()| left),
            Ok(status) => Err(format!("{script}.sh ended with status {status}:\n{log}")),
            Err(_) => {
                let console = fs::read(folder.join("console")).unwrap_or_default();
                let console = String::from_utf8_lossy(&console);
                Err(format!(
                    "{script}.sh did not end; the console says:\n{console}"
                ))
            }
        }
    }

    fn run(&self) -> Result<PathBuf> {
        // Boots side by side share what the first of them unpacks, or why it could not.
        static PACKAGES: OnceLock<Result<Packages, String>> = OnceLock::new();
        let cache = cache()?;
        let packages = PACKAGES
            .get_or_init(|| Packages::ready(&cache).map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow!(error.clone()))?;
        let started = Instant::now();
        let folder = cache.join("results").join(self.machine.name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let initramfs = folder.join("initramfs");
        self.initramfs(packages)?.write(&initramfs)?;

        let (console, sent) = (folder.join("console"), folder.join("sent.tar"));
        let booted = self.machine.boot(packages, &initramfs, &console, &sent);
        fs::remove_file(&initramfs)?;
        // Also after a boot that went wrong: it may have finished some scripts.
        if fs::metadata(&sent).is_ok_and(|sent| sent.len() > 0) {
            // One archive per script, end to end. The guest may be ahead of our clock.
            let status = Command::new("tar")
                .args(["-x", "--touch", "--ignore-zeros", "--no-same-owner", "-f"])
                .arg(&sent)
                .arg("-C")
                .arg(&folder)
                .status()?;
            ensure!(
                status.success() || booted.is_err(),
                "the results are damaged"
            );
        }
        if let Err(error) = booted {
            eprintln!("rig: machine {}: {error:#}", self.machine.name);
        }
        eprintln!(
            "rig: scenarios of machine {}: {}, in {:.1} s",
            self.machine.name,
            self.scripts.len(),
            started.elapsed().as_secs_f32()
        );
        Ok(folder)
    }

    fn initramfs(&self, packages: &Packages) -> Result<Initramfs> {
        let mut root = Initramfs::default();
        for folder in ["dev", "proc", "sys", "tmp", "out", "mnt", "run"] {
            root.directory(folder);
        }
        root.copy("bin/busybox", &packages.program("busybox")?)?;
        root.link("bin/sh", "busybox");
        let libraries = packages.library_path();
        for name in PROGRAMS {
            root.program(name, &packages.program(name)?, &libraries)?;
        }
        let rig = std::env::current_exe().context("cannot find the rig's own program")?;
        root.program("rig", &rig, "")?;
        root.program("mtkflash", Path::new(env!("CARGO_BIN_EXE_mtkflash")), "")?;

        let modules = Modules::of(packages)?;
        let names = [&ALWAYS, self.machine.modules].concat();
        let mut order = String::new();
        for (name, module) in modules.in_load_order(&names)? {
            root.file(&format!("modules/{name}.ko"), &module);
            order.push_str(&name);
            order.push('\n');
        }
        root.file("modules/order", order.as_bytes());

        root.file(
            "etc/passwd",
            b"root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n",
        );
        root.file("etc/group", b"root:x:0:\ncdrom:x:24:\nuser:x:1000:\n");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        root.copy("rig", &sources.join("tests/rig/guest"))?;
        root.copy("init", &sources.join("tests/rig/guest/init.sh"))?;
        let fixtures = sources.join("fixtures");
        if fixtures.is_dir() {
            root.copy("fixtures", &fixtures)?;
        }
        root.copy("udev", &sources.join("udev"))?;
        root.copy("images", &images()?)?;
        root.file("rig/scripts", self.scripts.join("\n").as_bytes());
        let patience = self.machine.clock.patience();
        root.file("rig/patience", patience.to_string().as_bytes());
        root.file(
            "rig/devices",
            self.machine.slots.len().to_string().as_bytes(),
        );
        Ok(root)
    }
}

/// A script that is content while the kernel is not has found a bug of ours or of the kernel.
fn kernel_is_well(left: &Path) -> Result<(), String> {
    let messages = fs::read(left.join("kernel")).unwrap_or_default();
    let messages = String::from_utf8_lossy(&messages);
    match messages.contains("Call Trace:") {
        true => Err(format!("the kernel complains:\n{messages}")),
        false => Ok(()),
    }
}

/// The folder with the images that go with the benches of the fixtures.
fn images() -> Result<PathBuf> {
    static WRITTEN: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let written = WRITTEN.get_or_init(|| {
        let folder = cache()
            .map_err(|error| format!("{error:#}"))?
            .join("images");
        match images::write_all(&folder) {
            Ok(()) => Ok(folder),
            Err(error) => Err(format!("cannot write the images: {error}")),
        }
    });
    written.clone().map_err(|error| anyhow!(error))
}

/// Beside everything else that the build makes.
fn cache() -> Result<PathBuf> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().context("the build has no target folder")?;
    Ok(target.join("rig"))
}
