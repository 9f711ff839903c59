//! Watches an agent from outside, and names what blocks it.

pub(super) mod beside;
pub(super) mod embedded;
pub(super) mod lookout;
pub(super) mod watchdog;
