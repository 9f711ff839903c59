//! [`Server`]: the process of a real server.

mod command;
mod missing;
mod port;
mod spawn;

pub(crate) use command::output;
pub use missing::{Installed, is_strict, skip};
pub(crate) use missing::{find, without};
pub use port::Port;

use crate::DEADLINE;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::{Child, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

type Ready = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The process of a real server, which a test can kill, pause and restart, on the same ports and data.
///
/// It is killed when this is dropped, also if the test panics. With util-linux's `setpriv` (part of every Debian), it
/// also ends with the process of the tests, however that ends.
pub struct Server {
    name: String,
    program: PathBuf,
    args: Mutex<Vec<String>>,
    log: PathBuf,
    ready: Ready,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// A server that is not started yet. Its output goes to the file `log`; `ready` returns why it is not ready yet,
    /// and must return quickly.
    pub(crate) fn new(
        name: impl Into<String>,
        program: &Path,
        args: Vec<String>,
        log: PathBuf,
        ready: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Server {
        let (name, args, child) = (name.into(), Mutex::new(args), Mutex::new(None));
        Server { name, program: program.to_path_buf(), args, log, ready: Box::new(ready), child }
    }

    /// Its name in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of its process; `None` if it does not run.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let mut child = self.child();
        let running = child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        running.then(|| child.as_ref().map(Child::id)).flatten()
    }

    /// Whether its process exists. It may be paused.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.pid().is_some()
    }

    /// Everything that it has written so far, also in earlier runs.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map_or_else(|error| error.to_string(), |text| String::from_utf8_lossy(&text).into_owned())
    }

    /// Kills it at once (SIGKILL), and waits until it has ended. Does nothing if it does not run.
    pub fn kill(&self) {
        if let Some(mut child) = self.child().take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to end (SIGTERM), waits until it has ended, and returns its exit status; `None` if it did not run. A
    /// paused server is resumed.
    ///
    /// # Panics
    /// It does not end in time.
    pub fn terminate(&self) -> Option<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.signal(Signal::CONT);
        let mut child = self.child();
        let until = Instant::now() + DEADLINE;
        loop {
            match child.as_mut()?.try_wait() {
                Ok(Some(status)) => {
                    *child = None;
                    return Some(status);
                }
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                other => panic!("{} does not end: {other:?}; its log:\n{}", self.name, self.tail()),
            }
        }
    }

    /// Pauses it (SIGSTOP), and waits until it has stopped: connections stay open, and nothing is answered.
    ///
    /// # Panics
    /// It does not run, or does not stop in time.
    pub fn pause(&self) {
        assert!(self.signal(Signal::STOP).is_some(), "{} does not run: {}", self.name, self.tail());
        let until = Instant::now() + DEADLINE;
        while !self.is_stopped() {
            assert!(self.is_running() && Instant::now() < until, "{} does not stop: {}", self.name, self.tail());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether all its threads have stopped. `NOWAIT` leaves the status in place, so that it can be queried again.
    fn is_stopped(&self) -> bool {
        let child = self.child();
        let Some(child) = child.as_ref() else { return false };
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        matches!(waitid(WaitId::Pid(Pid::from_child(child)), options), Ok(Some(status)) if status.stopped())
    }

    /// Resumes it (SIGCONT).
    ///
    /// # Panics
    /// It does not run.
    pub fn resume(&self) {
        assert!(self.signal(Signal::CONT).is_some(), "{} does not run: {}", self.name, self.tail());
    }

    /// Kills it if it runs, starts it again on the same ports and data, and waits until it is ready.
    ///
    /// # Panics
    /// It is not ready in time.
    pub fn restart(&self) {
        self.kill();
        self.start();
        self.wait();
    }

    /// Starts it if it does not run, without waiting until it is ready.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(&self) {
        if self.is_running() {
            return;
        }
        let args = self.args.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match spawn::spawn(&self.program, &args, &self.log) {
            Ok(child) => *self.child() = Some(child),
            Err(error) => panic!("{}: {}: {error}", self.name, self.program.display()),
        }
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// It is not ready in time, or it ends.
    pub fn wait(&self) {
        if let Err(failure) = self.wait_ready() {
            panic!("{failure}");
        }
    }

    /// Like [`wait`](Server::wait); the error has the reason and the end of the log.
    pub(crate) fn wait_ready(&self) -> Result<(), String> {
        let until = Instant::now() + DEADLINE;
        loop {
            let Err(why) = (self.ready)() else { return Ok(()) };
            let problem = if !self.is_running() {
                "has ended"
            } else if Instant::now() > until {
                "does not serve in time"
            } else {
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            return Err(format!("{} {problem}: {why}; its log:\n{}", self.name, self.tail()));
        }
    }

    /// Sets other arguments for the next start.
    pub(crate) fn set_args(&self, args: Vec<String>) {
        *self.args.lock().unwrap_or_else(PoisonError::into_inner) = args;
    }

    /// The end of its log.
    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn signal(&self, signal: Signal) -> Option<()> {
        let mut child = self.child();
        let child = child.as_mut()?;
        // After `wait`, the process id is free, and may belong to another process.
        let Ok(None) = child.try_wait() else { return None };
        kill_process(Pid::from_child(child), signal).ok()
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}, process {:?})", self.name, self.pid())
    }
}

/// Starts the servers that `make` makes with free ports, and makes them again if they fail since another process has
/// taken a port.
///
/// # Panics
/// They do not become ready.
pub(crate) fn started<T>(make: impl Fn() -> T, servers: impl Fn(&T) -> Vec<&Server>) -> T {
    for attempt in 0.. {
        let made = make();
        servers(&made).iter().for_each(|server| server.start());
        let failed = servers(&made).iter().find_map(|server| server.wait_ready().err());
        match failed {
            None => return made,
            Some(failure) if attempt < 3 && failure.to_lowercase().contains("address already in use") => {}
            Some(failure) => panic!("{failure}"),
        }
    }
    unreachable!("it returns or panics")
}

/// Waits until `look` returns a value; its error says why there is none yet.
///
/// # Panics
/// There is none in time.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        match look() {
            Ok(value) => return value,
            Err(why) if Instant::now() > until => panic!("{what}: not in time: {why}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Whether something accepts connections there.
pub(crate) fn accepts(addr: std::net::SocketAddr) -> io::Result<()> {
    std::net::TcpStream::connect_timeout(&addr, Duration::from_secs(1)).map(drop)
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;
    use crate::Folder;
    use std::process::Command;

    /// A server that runs this in a shell, and its folder.
    fn shell(script: &str) -> (Server, Folder) {
        let folder = Folder::new();
        let args = vec!["-c".to_string(), script.to_string()];
        let server = Server::new("shell", Path::new("/bin/sh"), args, folder.path().join("log"), || Ok(()));
        server.start();
        (server, folder)
    }

    fn state(pid: u32) -> char {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }

    #[test]
    fn one_that_is_paused_has_stopped() {
        let (busy, _folder) = shell("while :; do :; done");
        let pid = busy.pid().unwrap();
        for _ in 0..200 {
            busy.pause();
            assert_eq!(state(pid), 'T');
            busy.resume();
        }
        busy.pause();
        // Twice is as good as once.
        busy.pause();
        assert!(busy.terminate().is_some());
    }

    #[test]
    fn one_that_has_ended_gets_no_signal() {
        let (ended, _folder) = shell("exit 7");
        let pid = ended.child().as_ref().unwrap().id();
        wait_until("it ends", || if state(pid) == 'Z' { Ok(()) } else { Err(state(pid).to_string()) });
        assert!(ended.signal(Signal::CONT).is_none());
        // Its id may belong to another process by now, since it was waited for.
        assert!(ended.signal(Signal::CONT).is_none() && ended.terminate().is_none());
        let alive = Command::new("kill").args(["-0", &pid.to_string()]).output().unwrap();
        assert!(!alive.status.success());
    }
}
