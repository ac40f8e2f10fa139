//! Memory of the built program. A test binary of its own: the kernel counts a
//! child's peak from the memory of the process that started it.

use std::fs;
use std::process::Command;

use mtkflash::sim::Firmware;
use nix::sys::resource::{UsageWho, getrusage};

#[test]
fn reading_and_writing_2_mib_of_flash_takes_less_than_16_mib_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let bench = "[[drive]]\nposition = 3\nvendor = \"LITE-ON\"\nproduct = \"DVD-ROM SIM\"\n\
                 revision = \"SIM1\"\nchip = \"MX25L1605D\"\n\
                 contents = { recipe = \"firmware\", seed = 1 }\n";
    fs::write(folder.path().join("bench.toml"), bench).unwrap();
    let mut image = Firmware::new(2048 * 1024, 1)
        .identified("LITE-ON", "DVD-ROM SIM", "SIM1")
        .bytes();
    // Bits to clear only: the jobs are the same, and the drive has less to do.
    let place = image.iter().rposition(|byte| *byte == 0xFF).unwrap();
    image[place] = 0x0F;
    fs::write(folder.path().join("image.bin"), image).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_mtkflash"))
        .args(["--sim", "bench.toml", "3", "w", "/m", "image.bin"])
        .args(["--yes", "--via", "port"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    println!("{peak} KiB");
    assert!(peak < 16 * 1024, "{peak} KiB");
}
