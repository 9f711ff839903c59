//! Calls into code of plugins, whose panics are errors like others.

use super::cause::Cause;
use crate::foreign;

/// Runs code of a plugin; a panic is an error like others.
pub(in crate::agent) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Cause> {
    foreign::guard(run).map_err(Cause::Panicked)
}
