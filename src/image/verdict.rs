//! What is to be thought of an image, in one word.

use super::Report;
use super::damage::{Certainty, Finding};
use super::soundness::Problem;
use crate::flash::{FlashRange, Offset};

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
    /// One bank of a flash, or less, and nothing speaks against it.
    Part,
    /// Blank, or text.
    NotFirmware,
    /// It has the size of a flash and no damage, and nothing says what it is.
    NotRecognised,
}

impl Verdict {
    pub fn of(report: &Report) -> Verdict {
        let problem = report.problems.first();
        let finding = report.findings.first();
        let doubt = finding.is_some_and(|finding| finding.certainty > Certainty::Possible);
        match (problem, finding) {
            (Some(Problem::Empty | Problem::Blank { .. } | Problem::Text), _) => {
                Verdict::NotFirmware
            }
            (Some(problem), _) if problem.may_be_part() && !doubt => Verdict::Part,
            (Some(_), _) => {
                let is_place = |range: &FlashRange| range.start() > 0 || range.len() < report.size;
                let is_certain = |finding: &&Finding| finding.certainty == Certainty::Certain;
                let certain = report.findings.iter().filter(is_certain);
                // Where line ends were translated, the end is not where it was.
                let certain = certain.map(|finding| finding.range).find(is_place);
                let of_problems = report.problems.iter().find_map(Problem::range);
                let mut of_findings = report.findings.iter().map(|finding| finding.range);
                Verdict::Damaged {
                    at: certain
                        .or(of_problems)
                        .or_else(|| of_findings.find(is_place))
                        .map(|range| Offset(range.start())),
                    certainty: Certainty::Certain,
                }
            }
            (None, Some(finding)) if doubt => {
                let is_all = finding.range.start() == 0 && finding.range.len() >= report.size;
                Verdict::Damaged {
                    at: Some(Offset(finding.range.start())).filter(|_| !is_all),
                    certainty: finding.certainty,
                }
            }
            _ if report.identities.is_empty() => Verdict::NotRecognised,
            _ => Verdict::Whole {
                warnings: report.findings.len(),
            },
        }
    }
}
