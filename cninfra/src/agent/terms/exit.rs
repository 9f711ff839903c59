//! The exit codes of an agent's process.

/// The start or the run failed.
pub(in crate::agent) const FAILED: u8 = 1;
/// The command line or the config is not valid.
pub(in crate::agent) const INVALID: u8 = 2;
/// The stop failed.
pub(in crate::agent) const NOT_STOPPED: u8 = 3;
