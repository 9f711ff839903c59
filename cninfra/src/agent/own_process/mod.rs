//! An agent that runs as its own process: logs, signals, panics, exit code.

pub(super) mod backtrace;
pub(super) mod foreword;
pub(super) mod hook;
pub(super) mod ownerless;
pub(super) mod printed;
pub(super) mod process;
pub(super) mod rescue;
pub(super) mod signals;
pub(super) mod supervise;
pub(super) mod teller;
pub(super) mod undone;
