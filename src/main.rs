use std::process::ExitCode;

fn main() -> ExitCode {
    mtkflash::cli::run(std::env::args_os())
}
