//! Calls code of plugins, and turns its panics into errors.

use super::cause::Cause;
use crate::foreign;

/// Calls code of a plugin. A panic becomes an error.
pub(in crate::agent) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, Cause> {
    foreign::guard(run).map_err(Cause::Panicked)
}
