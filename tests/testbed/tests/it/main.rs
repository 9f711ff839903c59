//! The servers of the testbed, as they are used by tests: each comes up, answers, and breaks in the ways that it is told to. And the checker of histories.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod etcd;
mod history;
mod ports;
mod process;
mod redis;

use std::time::Duration;

/// How long a call to a server that is paused may take.
const SHORT: Duration = Duration::from_millis(500);

/// Whether a process of this number runs. One that has ended, and whose new parent has not yet asked for that, does not.
fn is_there(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}
