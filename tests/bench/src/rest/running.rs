//! Servers that run in processes of their own.

use std::{
    fs,
    io::{self, BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

/// A kind of server.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub what: &'static str,
}

const fn kind(name: &'static str, what: &'static str) -> Kind {
    Kind { name, what }
}

pub const KINDS: [Kind; 8] = [
    kind("bare", "axum::serve"),
    kind("again", "axum::serve, once more"),
    kind("times", "the library, without times"),
    kind("library", "the library"),
    kind("counted", "the library, requests counted"),
    kind("all", "the library, all limits, access"),
    kind("uncounted", "in an agent, requests not counted"),
    kind("agent", "in an agent"),
];

/// A running server, which is killed when this is dropped.
pub struct Running {
    child: Child,
    addr: SocketAddr,
    /// It serves as long as this is open.
    _stdin: Option<ChildStdin>,
}

impl Running {
    /// `program` is the path of the benchmark `rest`.
    pub fn start(program: &Path, kind: &str) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", kind]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.as_mut() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let addr = line.trim().parse().map_err(|error| io::Error::other(format!("`{kind}`: {error}: `{line}`")))?;
        let stdin = child.stdin.take();
        Ok(Running { child, addr, _stdin: stdin })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The CPU time of its threads so far, in nanoseconds.
    pub fn cpu(&self) -> u64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).into_iter().flatten().flatten();
        let used = |text: String| text.split(' ').next().and_then(|used| used.parse::<u64>().ok());
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok().and_then(used)).sum()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
