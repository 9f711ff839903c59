//! Calls into code of plugins, whose panics are errors like others.

use super::Cause;
use crate::foreign;

/// Runs code of a plugin; a panic is an error like others.
pub(super) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Cause> {
    foreign::guard(run).map_err(Cause::Panicked)
}
