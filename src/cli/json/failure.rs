//! What failed, what became of the flash, and what to do next.

use serde_json::{Map, Value, json};

use super::{fields, numbers, text};
use crate::cli::advice::{Advice, Command, Line};
use crate::cli::caller::Caller;
use crate::cli::failure::{Failure, Flash};
use crate::job::FlashState;

/// `error`, `flash` and `next` of a failure.
pub fn of_failure(failure: &Failure, caller: &Caller) -> Map<String, Value> {
    let details = failure.details.to_string();
    fields(json!({
        "error": {
            "message": failure.what,
            "details": details.lines().map(str::trim).collect::<Vec<_>>(),
        },
        "flash": flash(&failure.flash),
        "backup_kept": failure.kept.as_ref().map(text),
        "next": next(&failure.next, caller),
    }))
}

fn flash(flash: &Flash) -> Value {
    let Flash::Holds {
        state,
        wrong,
        old_content,
        ..
    } = flash
    else {
        return Value::Null;
    };
    let mut object = fields(match state {
        FlashState::Unchanged => json!({"state": "unchanged"}),
        FlashState::Written if wrong.is_empty() => json!({"state": "unconfirmed"}),
        FlashState::Written => json!({"state": "wrong", "banks": numbers(wrong)}),
        FlashState::InDoubt { taken, of } => {
            json!({"state": "in-doubt", "banks_taken": taken, "banks": of})
        }
        FlashState::Partly {
            written,
            begun,
            untouched,
        } => json!({
            "state": "partly-written",
            "written": numbers(written),
            "perhaps_half_written": numbers(begun),
            "as_before": numbers(untouched),
        }),
    });
    let old_content = old_content.as_ref().map(text);
    object.insert("old_content".to_owned(), old_content.into());
    object.insert("text".to_owned(), flash.lines().join("\n").into());
    object.into()
}

/// Advice, line by line: `{"say": words}` or `{"type": [a program and its
/// arguments]}`.
pub fn next(advice: &Advice, caller: &Caller) -> Vec<Value> {
    let line = |line: &Line| match line {
        Line::Say(words) => json!({"say": words}),
        Line::Type(command) => {
            let argv = caller.argv(command);
            json!({"type": argv.iter().map(text).collect::<Vec<_>>()})
        }
        Line::Again(same) => {
            let argv = caller.argv(&Command::Flash(same.clone()));
            let argv: Vec<String> = argv.iter().map(text).collect();
            json!({"type": argv, "again": true})
        }
    };
    advice.lines().iter().map(line).collect()
}
