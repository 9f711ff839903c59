//! [`Process`]: an agent as a process of its own.

use crate::{DEADLINE, Folder};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// A program to start, in a temporary folder of its own, and with only those environment variables that are set here.
#[derive(Debug)]
pub struct Program {
    command: Command,
    folder: Folder,
}

impl Program {
    /// The program at this path: `Program::new(env!("CARGO_BIN_EXE_simple-agent"))`.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let folder = Folder::new();
        let mut command = Command::new(path.as_ref());
        command.current_dir(folder.path()).env_clear().stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // If the coverage of the tests is measured, that of the processes they start is measured, too.
        for name in ["LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Program { command, folder }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.command.arg(arg);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file in the folder in which it is started.
    #[must_use]
    pub fn file(self, name: &str, text: &str) -> Self {
        self.folder.write(name, text);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(mut self) -> Process {
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{:?}: {error}", self.command),
        };
        let (stdout, stderr) = (child.stdout.take().map(ended_lines), child.stderr.take().map(lines));
        Process {
            child,
            stdout,
            stderr,
            output: String::new(),
            log: Vec::new(),
            signalled: RefCell::default(),
            _folder: self.folder,
        }
    }

    /// Starts it, and waits until it ends.
    ///
    /// # Panics
    /// It does not end in time.
    #[must_use]
    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

/// An agent treats the same signal within 200 ms as one.
const ECHO: Duration = Duration::from_millis(500);

/// A process, which is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Option<Receiver<String>>,
    stderr: Option<Receiver<String>>,
    /// What was read from standard output.
    output: String,
    log: Vec<String>,
    /// The signals that were sent.
    signalled: RefCell<BTreeSet<String>>,
    _folder: Folder,
}

/// Waits until the process with this id handles SIGTERM and SIGHUP: before that, these signals kill it.
///
/// # Panics
/// It does not handle them in time.
pub fn wait_for_signal_handlers(process: u32) {
    // Bits are counted from 1.
    const BOTH: u64 = (1 << 15 | 1 << 1) >> 1;
    let until = Instant::now() + DEADLINE;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
        if u64::from_str_radix(caught.trim(), 16).is_ok_and(|caught| caught & BOTH == BOTH) {
            return;
        }
        assert!(Instant::now() < until, "it handles no signals:\n{status}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether one of its threads is running, or would be if a processor were free.
fn has_running_thread(process: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    // A thread that has ended meanwhile is ignored. The state follows the name, which may contain any characters.
    let states = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    states.into_iter().any(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['R', 'D'])))
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Process {
    /// Waits for a line on standard error that contains `part`, and returns it. Earlier lines are not searched again.
    ///
    /// # Panics
    /// There is none in time, or the process ends before.
    pub fn wait_for(&mut self, part: &str) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            match next(self.stderr.as_ref(), until) {
                Ok(line) => {
                    self.log.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with `{part}`: {error}; the log:\n{}", self.log.join("\n")),
            }
        }
    }

    /// Waits for a line on standard output that contains `part`, after those of earlier calls.
    ///
    /// # Panics
    /// There is none in time, or the process ends before.
    pub fn wait_for_output(&mut self, part: &str) {
        let until = Instant::now() + DEADLINE;
        loop {
            match next(self.stdout.as_ref(), until) {
                Ok(line) => {
                    self.output.push_str(&line);
                    if line.contains(part) {
                        return;
                    }
                }
                Err(error) => panic!("no output with `{part}`: {error}; there is:\n{}", self.output),
            }
        }
    }

    /// Waits until its HTTP server listens, and returns the address at which a test reaches it.
    ///
    /// # Panics
    /// It does not listen in time.
    pub fn http_addr(&mut self) -> SocketAddr {
        let line = self.wait_for("listens on ");
        let addr = line.split("listens on ").nth(1).and_then(|rest| rest.split(' ').next());
        let Some(Ok(mut addr)) = addr.map(str::parse::<SocketAddr>) else { panic!("no address in `{line}`") };
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv4() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { IpAddr::V6(Ipv6Addr::LOCALHOST) });
        }
        addr
    }

    /// Waits until it handles SIGTERM and SIGHUP: before that, these signals kill it.
    ///
    /// # Panics
    /// It does not handle them in time.
    pub fn wait_for_signal_handlers(&self) {
        wait_for_signal_handlers(self.child.id());
    }

    /// Waits until none of its threads is running, or the process has ended.
    ///
    /// # Panics
    /// One is still running at the deadline.
    pub fn wait_until_idle(&self) {
        let until = Instant::now() + DEADLINE;
        while has_running_thread(self.child.id()) {
            assert!(Instant::now() < until, "it does not rest; the log:\n{}", self.log.join("\n"));
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Sends it a signal: `TERM`, `INT`. The same signal is sent again only after a pause, since an agent treats two in
    /// a short time as one, and what counts is when it notices the first. A test has to wait for evidence of that
    /// first. The pause begins with this call, since on a busy machine that evidence may come late.
    ///
    /// # Panics
    /// It cannot be sent.
    pub fn signal(&self, name: &str) {
        if !self.signalled.borrow_mut().insert(name.to_string()) {
            thread::sleep(ECHO);
        }
        let kill = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(kill.as_ref().is_ok_and(ExitStatus::success), "kill -{name}: {kill:?}");
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// It does not end in time.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        let until = Instant::now() + DEADLINE;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                other => panic!("it does not end: {other:?}; the log:\n{}", self.log.join("\n")),
            }
        };
        // Its pipes are closed, so the reading threads end.
        self.log.extend(self.stderr.take().into_iter().flatten());
        self.output.extend(self.stdout.take().into_iter().flatten());
        Ended { code: status.code(), stdout: std::mem::take(&mut self.output), stderr: self.log.join("\n") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line, if there is one until then.
fn next(lines: Option<&Receiver<String>>, until: Instant) -> Result<String, RecvTimeoutError> {
    let left = until.saturating_duration_since(Instant::now());
    lines.map_or(Err(RecvTimeoutError::Disconnected), |lines| lines.recv_timeout(left))
}

/// Reads in a thread, so that a full pipe never blocks the process.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (to, lines) = channel();
    thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
    lines
}

/// The same, with the line endings.
fn ended_lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (to, lines) = channel();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            let sent = match from.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => to.send(String::from_utf8_lossy(&line).into_owned()),
                Err(error) => to.send(error.to_string()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    lines
}
