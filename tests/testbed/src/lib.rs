//! What the tests of several crates share: agents as processes, and a plain HTTP/1 client that knows nothing of the
//! server's libraries, and the graph of the fault matrices. Whatever waits has a deadline, and fails with what was seen until then.

mod folder;
mod http;
mod process;
mod silent;
mod ten;

pub use folder::Folder;
pub use http::{Answer, request, request_json, request_with, send};
pub use process::{Ended, Process, Program};
pub use silent::Silent;
pub use ten::{TEN_EDGES, TEN_LEVELS, level_of_ten};

use std::time::Duration;

/// How long anything may take before a test gives it up: much more than it takes on a loaded machine.
pub const DEADLINE: Duration = Duration::from_secs(60);
