//! Tests of the testbed: each server starts, answers, and fails in the ways that it is told to. Also tests of the
//! history checker.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod etcd;
mod history;
mod ports;
mod process;
mod redis;

use std::time::Duration;

/// How long a call to a paused server may take.
const SHORT: Duration = Duration::from_millis(500);

/// Whether a process with this id runs. A zombie does not.
fn is_there(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}
