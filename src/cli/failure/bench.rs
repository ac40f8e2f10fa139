//! Benches of simulated drives that cannot be used.

use std::io::{self, ErrorKind};

use nix::errno::Errno;

use super::Failure;
use crate::cli::args::{A_FILE, Request};
use crate::cli::exit::Exit;
use crate::cli::words::{InWords, ended};
use crate::session::{BenchError, WrongBench};

const BEGIN_ANEW: &str = "Move that file away, and the drive begins anew";

impl Failure {
    pub fn bench(error: &BenchError, request: &Request) -> Failure {
        let failure = Exit::Usage.because(ended(error.in_words()));
        match error {
            BenchError::Unreadable { .. } => failure
                .next("Name the file of a bench in the place of FILE:")
                .next(request.on_bench(A_FILE.as_ref())),
            BenchError::Invalid {
                wrong: WrongBench::OtherLength { .. },
                ..
            } => failure.after(BEGIN_ANEW, request),
            BenchError::Invalid { .. } => failure.after("Mend that line", request),
            BenchError::State { source, .. } => failure.of_state(source, request),
        }
    }

    /// What helps where a simulated drive's files cannot be used; a disk is full also of
    /// what other programs have put there.
    pub fn of_state(self, source: &io::Error, request: &Request) -> Failure {
        let errno = source.raw_os_error().map(Errno::from_raw);
        let deed = match (source.kind(), errno) {
            (_, Some(Errno::EMFILE | Errno::ENFILE)) => {
                "Let more files be open at once (ulimit -n)"
            }
            (ErrorKind::StorageFull | ErrorKind::QuotaExceeded, _) => "Make room on that disk",
            (ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem, _) => {
                "Get the permission to write there"
            }
            (ErrorKind::InvalidData, _) => BEGIN_ANEW,
            _ => "Mend that",
        };
        self.after(deed, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;
    use crate::cli::caller::Caller;
    use crate::cli::text::Look;

    fn typed() -> Request {
        args::parse(
            ["mtkflash", "3", "c", "--sim", "b.toml"]
                .map(Into::into)
                .into_iter(),
        )
        .unwrap()
    }

    #[test]
    fn a_bench_whose_files_cannot_be_used_says_what_is_to_be_done_with_them() {
        let of = |source: io::Error| {
            let error = BenchError::State {
                path: "b.toml".into(),
                line: 1,
                file: "b.state/position-3.flash".into(),
                source,
            };
            let failure = Failure::bench(&error, &typed());
            assert!(failure.next.lines().contains(&typed().same()));
            format!("{:?}", failure.next.lines()[0])
        };
        assert!(of(ErrorKind::StorageFull.into()).contains("Make room"));
        assert!(of(ErrorKind::PermissionDenied.into()).contains("permission"));
        assert!(of(Errno::EMFILE.into()).contains("ulimit"));
        assert!(of(ErrorKind::InvalidData.into()).contains("begins anew"));
        let error = BenchError::Invalid {
            path: "b.toml".into(),
            line: 1,
            wrong: WrongBench::OtherLength {
                file: "b.state/position-3.flash".into(),
                length: 5,
                size: 0x4_0000,
            },
        };
        let failure = Failure::bench(&error, &typed());
        assert!(format!("{:?}", failure.next.lines()[0]).contains("begins anew"));
    }

    #[test]
    fn a_file_that_is_no_bench_leads_to_one_that_is() {
        let error = BenchError::Unreadable {
            path: "b.toml".into(),
            source: ErrorKind::NotFound.into(),
        };
        let text = Failure::bench(&error, &typed()).text();
        let lines = text.render(&Caller::ordinary(), Look::PLAIN);
        assert!(lines.contains("mtkflash 3 c --sim FILE"), "{lines}");
    }
}
