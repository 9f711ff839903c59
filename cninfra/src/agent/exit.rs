//! The exit codes of an agent's process.

/// The start or the run failed.
pub(super) const FAILED: u8 = 1;
/// The command line or the config is not valid.
pub(super) const INVALID: u8 = 2;
/// The stop failed.
pub(super) const NOT_STOPPED: u8 = 3;
