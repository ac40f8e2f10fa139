//! A folder with benches and images, and the binary run in it.

#[path = "agreement.rs"]
pub mod agreement;

use std::fmt;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use mtkflash::sim::{Bench, Counters, Firmware};
use nix::pty::openpty;
use tempfile::{NamedTempFile, TempDir};

pub const KIB: u32 = 1024;
pub const BANK: usize = 0x1_0000;

/// The folder of one test; it goes when the test ends.
pub struct Folder(TempDir);

/// What a run of the binary left behind.
pub struct Run {
    line: String,
    /// `None` for a process that a signal ended.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Folder {
        // In memory where that is possible: the tool waits for the disk with
        // every file that it makes, and here dozens of runs would do so at once.
        let in_memory = TempDir::new_in("/dev/shm");
        Folder(in_memory.or_else(|_| TempDir::new()).unwrap())
    }

    /// A folder with one of the benches of the repository in it.
    pub fn with_bench(name: &str) -> Folder {
        let folder = Folder::new();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/benches");
        fs::copy(fixture.join(name), folder.path("bench.toml")).unwrap();
        folder
    }

    /// As [`Folder::with_bench`], with more keys for the last drive.
    pub fn with_bench_and(name: &str, more: &str) -> Folder {
        let folder = Folder::with_bench(name);
        let bench = fs::read_to_string(folder.path("bench.toml")).unwrap();
        folder.write("bench.toml", format!("{bench}{more}\n"));
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn holds(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// All files but the bench and its state, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("bench."))
            .collect();
        names.sort();
        names
    }

    /// The binary in this folder, with nobody at a terminal and these words,
    /// split at blanks. `--sim bench.toml` is added where the folder has one.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtkflash"));
        command.current_dir(self.0.path()).args(self.words(line));
        // As found by PATH: commands in messages have that name then.
        command.arg0("mtkflash");
        command.stdin(Stdio::null());
        // Whatever terminal the tests are run from.
        command.env("NO_COLOR", "1");
        command
    }

    pub fn words(&self, line: &str) -> Vec<String> {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let needs_bench = self.holds("bench.toml") && !words.contains(&"--sim".to_owned());
        if needs_bench {
            words.extend(["--sim".to_owned(), "bench.toml".to_owned()]);
        }
        words
    }

    /// Runs a line; what the text says has to be what the object of the same run says.
    pub fn run(&self, line: &str) -> Run {
        let beside = NamedTempFile::new().unwrap();
        let mut command = self.command(line);
        command.env("MTKFLASH_TEST_OBJECT", beside.path());
        let run = Run::of(line, command.output().unwrap());
        let is_told_in_words = !line.contains("--events") && !line.contains("--quiet --json");
        if cfg!(debug_assertions) && is_told_in_words {
            let object = fs::read(beside.path()).unwrap();
            let object = serde_json::from_slice(&object).unwrap_or_else(|error| {
                panic!("there is no object beside the text ({error}): {run}");
            });
            let text = match line.contains("--json") {
                true => run.stderr.clone(),
                false => format!("{}\n{}", run.stdout, run.stderr),
            };
            agreement::agree(&run.to_string(), run.code, &text, &object);
        }
        run
    }

    /// What is on the terminal in the end, and the exit code, where this is typed.
    pub fn at_terminal(&self, line: &str, typed: &str) -> (String, Option<i32>) {
        let pair = openpty(None, None).unwrap();
        let mut command = self.command(line);
        command.stdin(File::from(pair.slave.try_clone().unwrap()));
        command.stderr(File::from(pair.slave));
        let mut terminal = File::from(pair.master);
        let mut screen = terminal.try_clone().unwrap();
        let shown = thread::spawn(move || {
            let mut shown = Vec::new();
            // Ends with an error when nobody has the other side any more.
            let _ = screen.read_to_end(&mut shown);
            String::from_utf8_lossy(&shown).into_owned()
        });
        terminal.write_all(typed.as_bytes()).unwrap();
        let mut child = command.spawn().unwrap();
        // With it goes the last handle to the other side that is ours.
        drop(command);
        let code = child.wait().unwrap().code();
        (shown.join().unwrap(), code)
    }

    /// Runs a line that has to end with 0.
    pub fn done(&self, line: &str) -> Run {
        let run = self.run(line);
        assert_eq!(run.code, Some(0), "{run}");
        run
    }

    /// Runs a line that has to end with this code.
    pub fn fails(&self, line: &str, code: i32) -> Run {
        let run = self.run(line);
        assert_eq!(run.code, Some(code), "{run}");
        run
    }

    /// The memory of the drive at position 3, as no host reads it.
    pub fn flash(&self) -> Vec<u8> {
        self.flash_of(3)
    }

    pub fn flash_of(&self, position: u8) -> Vec<u8> {
        let bench = Bench::open(&self.path("bench.toml")).unwrap();
        bench.drive(position).unwrap().flash()
    }

    pub fn flash_at(&self, path: &str) -> Vec<u8> {
        let bench = Bench::open(&self.path("bench.toml")).unwrap();
        bench.drive_at(Path::new(path)).unwrap().flash()
    }

    /// What the last run asked of the drive at position 3.
    pub fn counters(&self) -> Counters {
        toml::from_str(&self.text("bench.state/position-3.counters.toml")).unwrap()
    }

    /// Where the drive at position 3 keeps its flash while a run is going on.
    pub fn flash_file(&self) -> PathBuf {
        self.path("bench.state/position-3.flash")
    }

    /// The one backup that a write made by itself.
    pub fn backup(&self) -> String {
        let mut backups = self.files();
        backups.retain(|name| name.starts_with("backup-") && name.ends_with(".bin"));
        assert_eq!(backups.len(), 1, "{backups:?}");
        backups.remove(0)
    }
}

impl Run {
    pub fn of(line: &str, output: Output) -> Run {
        Run {
            line: line.to_owned(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn wait_for(line: &str, child: Child) -> Run {
        Run::of(line, child.wait_with_output().unwrap())
    }

    /// What the failed run said about it: standard error without the lines of
    /// progress.
    pub fn message(&self) -> String {
        let at = self.stderr.find("mtkflash: ").unwrap_or_default();
        format!(
            "$ mtkflash {}\nexit {}\n{}",
            self.line,
            self.exit(),
            masked(&self.stderr[at..])
        )
    }

    /// The warnings among the results.
    pub fn warning(&self) -> String {
        let mut is_warning = false;
        let warnings = self.stdout.lines().filter(|line| {
            is_warning = line.starts_with("Warning") || is_warning && line.starts_with(' ');
            is_warning
        });
        masked(&warnings.collect::<Vec<_>>().join("\n"))
    }

    fn exit(&self) -> String {
        self.code
            .map_or_else(|| "by a signal".to_owned(), |code| code.to_string())
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "$ mtkflash {}\nexit {}\n\n--- standard output\n{}\n--- standard error\n{}",
            self.line,
            self.exit(),
            masked(&self.stdout),
            masked(&self.stderr)
        )
    }
}

/// Says why a part of a test is left out for want of something. What
/// `MTKFLASH_MUST_RUN` names, separated by blanks, must not be wanting.
pub fn left_out(wanting: &str, why: &str) {
    let must = std::env::var("MTKFLASH_MUST_RUN").unwrap_or_default();
    let must = must.split_whitespace().any(|name| name == wanting);
    assert!(!must, "{wanting} must be here, and is not: {why}");
    eprintln!("skipped for want of {wanting}: {why}");
}

/// A text in which the dates of today are those of every day.
pub fn masked(text: &str) -> String {
    // Every failure ends in it, and `log.rs` sees to that.
    let text = text.replace("Log       bench.state/log/mtkflash.log\n", "");
    let text = mask(&text, "0000-00-00 00:00:00 UTC");
    mask(&text, "-00000000-000000.bin")
}

/// Replaces whatever looks like `pattern`, in which 0 is any digit, by it.
fn mask(text: &str, pattern: &str) -> String {
    let fits = |part: &str| {
        part.bytes()
            .zip(pattern.bytes())
            .all(|(found, wanted)| match wanted {
                b'0' => found.is_ascii_digit(),
                other => found == other,
            })
    };
    let mut masked = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match rest.get(..pattern.len()).filter(|part| fits(part)) {
            Some(_) => {
                masked.push_str(pattern);
                rest = &rest[pattern.len()..];
            }
            None => {
                masked.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    masked
}

/// What the drive of `sst39sf020.toml` holds at first.
pub fn old_image() -> Vec<u8> {
    image_256k("SIM1", 20)
}

/// Another firmware for that drive.
pub fn new_image() -> Vec<u8> {
    image_256k("SIM2", 61)
}

/// An image of the same size for another drive.
pub fn image_of(vendor: &str, product: &str, revision: &str) -> Vec<u8> {
    Firmware::new(256 * KIB, 77)
        .identified(vendor, product, revision)
        .bytes()
}

fn image_256k(revision: &str, seed: u64) -> Vec<u8> {
    Firmware::new(256 * KIB, seed)
        .identified("LITE-ON", "DVD-ROM SIM-256P", revision)
        .bytes()
}

/// What that drive holds at first, with another byte here and there: an update
/// that takes next to no time.
pub fn patched_image() -> Vec<u8> {
    let mut image = old_image();
    for at in [0x0_1234, 0x2_2345] {
        image[at] = !image[at];
    }
    image
}

/// What the drive of `dw-d22a.toml` holds at first.
pub fn bys1() -> Vec<u8> {
    Firmware::new(1024 * KIB, 22)
        .identified("SONY", "DVD RW DW-D22A", "BYS1")
        .bytes()
}

/// A sum over all bytes as the tool prints it.
pub fn sum(bytes: &[u8]) -> String {
    mtkflash::image::Checksum::of(bytes).to_string()
}
