//! Tests that show every message of an enum.

use std::fmt::Debug;

use crate::cli::failure::Failure;

/// Values of an enum by variant. A variant that is missing here does not
/// compile, and a value in the wrong place fails.
macro_rules! every {
    ($enum:ty: $($variant:pat => [$($value:expr),+ $(,)?]),+ $(,)?) => {{
        let _all_variants = |value: &$enum| match value {
            $($variant => ()),+
        };
        let mut all: Vec<$enum> = Vec::new();
        $($(
            all.push($value);
            assert!(matches!(all.last(), Some($variant)), "{:?}", all.last());
        )+)+
        all
    }};
}
pub(crate) use every;

/// What users read of these errors, under the name of the variant each is of.
pub(crate) fn table<E: Debug>(errors: Vec<E>, shown: impl Fn(E) -> String) -> String {
    let told = |error| format!("== {}\n{}\n", variant(&error), shown(error).trim_end());
    errors.into_iter().map(told).collect()
}

/// A failure as a shell shows it.
pub(crate) fn shown(failure: &Failure) -> String {
    format!("{}(exit {})", failure.text(), failure.exit.code())
}

fn variant(error: &impl Debug) -> String {
    let text = format!("{error:?}");
    let end = text.find(|letter: char| !letter.is_alphanumeric());
    text[..end.unwrap_or(text.len())].to_owned()
}
