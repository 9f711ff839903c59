//! The servers of the testbed, as they are used by tests: each comes up, answers, and breaks in the ways that it is told to. And the checker of histories.

mod etcd;
mod ports;
mod process;
mod redis;

use std::time::Duration;

/// How long a call to a server that is paused may take.
const SHORT: Duration = Duration::from_millis(500);

/// Whether there is a process of this number.
fn is_there(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}
