//! Starts a program once, and measures the time until it answers, and its memory then.

use super::programs::Program;
use crate::error::{During as _, Error, Result};
use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// The pause between two attempts: short compared with a start, but long enough that the client does not take a core
/// from the program.
const PAUSE: Duration = Duration::from_micros(50);
/// A program that has not answered by then counts as failed.
const LIMIT: Duration = Duration::from_secs(20);
/// How long after the first answer the memory is read.
const SETTLES: Duration = Duration::from_millis(150);

/// The figures of one start.
#[derive(Clone, Copy)]
pub struct Figures {
    /// From just before the process is created to the end of the first response with 200, in milliseconds.
    pub answer: f64,
    pub memory: Memory,
}

/// The resident memory of a process, in MB (10^6 bytes).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Memory {
    /// All of it, including pages of the program's and the libraries' files.
    pub all: f64,
    /// Anonymous memory: heap, stacks, and modified pages of the program.
    pub anonymous: f64,
}

/// Ends the process when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program in this directory, measures it, and ends it. Its only environment variable is the port.
pub fn start(program: &Program, dir: &Path, path: &str) -> Result<Figures> {
    let addr = free_port().during(|| "looking for a free port".to_owned())?;
    let mut command = Command::new(&program.path);
    command.current_dir(dir).env_clear().env("HTTP_PORT", addr.port().to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let running = Running(command.spawn().during(|| format!("starting {}", program.path.display()))?);
    while !asks(addr, path).unwrap_or(false) {
        if began.elapsed() > LIMIT {
            return Err(Error::new(format!("{} does not answer `GET {path}` with 200", program.path.display())));
        }
        thread::sleep(PAUSE);
    }
    let answer = began.elapsed().as_secs_f64() * 1000.0;
    thread::sleep(SETTLES);
    let file = format!("/proc/{}/status", running.0.id());
    let status = fs::read_to_string(&file).during(|| format!("reading {file}"))?;
    let memory = memory(&status).ok_or_else(|| Error::new(format!("{file} does not tell of memory")))?;
    Ok(Figures { answer, memory })
}

/// A free port outside of the ephemeral range (from 32768 on, by default): if a client tries an ephemeral port until
/// someone listens there, it may be assigned that very port, and is then connected to itself.
fn free_port() -> io::Result<SocketAddr> {
    const FIRST: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let port = FIRST + NEXT.fetch_add(1, Relaxed) % 10_000;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound?.local_addr(),
        }
    }
}

/// Whether the response is a 200.
fn asks(addr: SocketAddr, path: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(is_well(&answer))
}

fn is_well(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 200 ")
}

/// Reads `/proc/PID/status`.
fn memory(status: &str) -> Option<Memory> {
    let of = |name: &str| {
        let kib = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.strip_suffix("kB")?;
        Some(kib.trim().parse::<f64>().ok()? * 1024.0 / 1e6)
    };
    Some(Memory { all: of("VmRSS")?, anonymous: of("RssAnon")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_memory() {
        let status = "Name:\tagent\nVmHWM:\t    9000 kB\nVmRSS:\t    6250 kB\nRssAnon:\t     625 kB\nThreads:\t5\n";
        assert_eq!(memory(status), Some(Memory { all: 6.4, anonymous: 0.64 }));
        assert_eq!(memory("VmRSS:\t 6250 kB\n"), None);
        let own = fs::read_to_string("/proc/self/status").unwrap();
        assert!(memory(&own).is_some_and(|memory| memory.all > memory.anonymous && memory.anonymous > 0.0));
    }

    #[test]
    fn only_200_is_an_answer() {
        assert!(is_well(b"HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!is_well(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") && !is_well(b""));
    }
}
