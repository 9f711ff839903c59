//! Calls into code of plugins, whose panics are errors like others.

use super::Cause;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of a plugin; a panic is an error like others.
pub(super) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Cause> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| Cause::Panicked(panic_message(&*payload)))
}

/// The text of a panic, where it has one.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is no text".to_string(),
    }
}
