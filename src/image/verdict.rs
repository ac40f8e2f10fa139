//! What is to be thought of an image, in one word.

use super::Report;
use super::damage::Certainty;
use super::soundness::Problem;
use crate::flash::Offset;

/// The end of an examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It names its drive, and nothing speaks against it but what whole firmware
    /// may have, too.
    Whole {
        /// How much of that there is.
        warnings: usize,
    },
    /// No drive should get it.
    Damaged {
        /// The first place, where it is no matter of all of it.
        at: Option<Offset>,
        certainty: Certainty,
    },
    /// Blank, or text.
    NotFirmware,
    /// It has the size of a flash and no damage, and nothing says what it is.
    NotRecognised,
}

impl Verdict {
    pub fn of(report: &Report) -> Verdict {
        let problem = report.problems.first();
        let finding = report.findings.first();
        match (problem, finding) {
            (Some(Problem::Empty | Problem::Blank { .. } | Problem::Text), _) => {
                Verdict::NotFirmware
            }
            (_, Some(finding)) if problem.is_some() || finding.certainty > Certainty::Possible => {
                let is_all = finding.range.len() >= report.size;
                Verdict::Damaged {
                    at: Some(Offset(finding.range.start())).filter(|_| !is_all),
                    certainty: match problem {
                        Some(_) => Certainty::Certain,
                        None => finding.certainty,
                    },
                }
            }
            (Some(problem), _) => Verdict::Damaged {
                at: match problem {
                    Problem::BluRay(finding) => Some(finding.at()),
                    _ => None,
                },
                certainty: Certainty::Certain,
            },
            _ if report.identities.is_empty() => Verdict::NotRecognised,
            _ => Verdict::Whole {
                warnings: report.findings.len(),
            },
        }
    }
}
