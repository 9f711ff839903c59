//! Runs client commands of servers (`etcdctl`, `redis-cli`), with a time limit.

use std::{
    io::Read,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// Runs the command until it ends, and returns its standard output. The error contains standard output and standard
/// error.
pub(crate) fn output(mut command: Command, limit: Duration) -> Result<String, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
    let (stdout, stderr) = (child.stdout.take().map(text), child.stderr.take().map(text));
    let until = Instant::now() + limit;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(2)),
            Ok(None) => break Err(format!("no answer within {limit:?}")),
            Err(error) => break Err(error.to_string()),
        }
    };
    if status.is_err() {
        // It may have ended just now.
        let _ = child.kill();
        let _ = child.wait();
    }
    let all = |text: Option<Receiver<String>>| text.and_then(|text| text.recv().ok()).unwrap_or_default();
    let (stdout, stderr) = (all(stdout), all(stderr));
    match status {
        Ok(status) if status.success() => Ok(stdout),
        Ok(status) => Err(format!("{name}: {status}: {stdout}{stderr}")),
        Err(error) => Err(format!("{name}: {error}: {stdout}{stderr}")),
    }
}

/// Reads in a thread, so that a full pipe never blocks the process.
fn text(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (to, all) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = from.read_to_string(&mut text);
        // The receiver is gone if the caller has given up.
        let _ = to.send(read.map_or_else(|error| error.to_string(), |_| text));
    });
    all
}
