//! Looks at an agent from outside: what blocks it is seen and named.

pub(super) mod beside;
pub(super) mod embedded;
pub(super) mod lookout;
pub(super) mod watchdog;
