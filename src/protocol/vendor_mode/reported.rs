//! Which drives are reported to answer vendor mode, and which not to.
//!
//! Reports of users, gathered in rpc1dev/archive (`etna/samsung`, `etna/mt`); the
//! table beside this file. They decide nothing: a drive is asked all the same.
//! **Never tried on hardware by this project.**

use crate::scsi::Identity;

const TABLE: &str = include_str!("reported.tsv");

/// What is reported of a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// As people call it.
    pub model: &'static str,
    /// Whether it answers MTKFLASH.
    pub answers: bool,
}

/// What is reported of the drive that says this; `None` for nothing.
pub fn of(identity: &Identity) -> Option<Report> {
    rows().find(|report| {
        let mut words = identity.product.split_whitespace();
        words.any(|word| word.eq_ignore_ascii_case(report.model))
    })
}

fn rows() -> impl Iterator<Item = Report> {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let answers = fields.next()? == "yes";
            let _maker = fields.next()?;
            let model = fields.next()?;
            Some(Report { model, answers })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(product: &str) -> Option<(&'static str, bool)> {
        let identity = Identity {
            product: product.to_owned(),
            ..Identity::default()
        };
        of(&identity).map(|report| (report.model, report.answers))
    }

    #[test]
    fn a_drive_is_known_by_the_word_that_names_its_model() {
        assert_eq!(report("CD-R/RW SM-352B"), Some(("SM-352B", true)));
        assert_eq!(report("DVD-ROM SD-616T"), Some(("SD-616T", true)));
        assert_eq!(report("DVD-ROM SH-D162C"), Some(("SH-D162C", false)));
        assert_eq!(report("DVD-ROM SH-D162CX"), None);
        assert_eq!(report(""), None);
    }

    #[test]
    fn every_row_names_a_model_once() {
        let models: Vec<&str> = rows().map(|report| report.model).collect();
        assert_eq!(models.len(), TABLE.lines().count() - 4);
        let distinct: std::collections::BTreeSet<&str> = models.iter().copied().collect();
        assert_eq!(distinct.len(), models.len());
    }
}
