//! How a server is started: so that it ends with the tests, however they end.

use super::missing::find;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
};

type Order = (Command, SyncSender<io::Result<Child>>);

/// Starts it with nothing in its environment; what it writes is added to the file `log`.
pub(super) fn spawn(program: &Path, args: &[String], log: &Path) -> io::Result<Child> {
    let file = File::options().create(true).append(true).open(log)?;
    let mut command = match setpriv() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            // it becomes the server: the process is the same
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(args).env_clear().stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    if cfg!(target_arch = "aarch64") {
        // else old versions of etcd do not start there
        command.env("ETCD_UNSUPPORTED_ARCH", "arm64");
    }
    let (answer, child) = sync_channel(1);
    starter()?.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}

/// Linux kills the server when the *thread* that started it ends, and each test has a thread of its own: a server that outlives a test is started by a thread that is there as long as
/// the process.
fn starter() -> io::Result<&'static SyncSender<Order>> {
    static STARTER: OnceLock<SyncSender<Order>> = OnceLock::new();
    if let Some(starter) = STARTER.get() {
        return Ok(starter);
    }
    let (starter, orders) = sync_channel::<Order>(16);
    thread::Builder::new().name("servers".to_string()).spawn(move || {
        for (mut command, answer) in orders {
            // who asked may have gone
            let _ = answer.send(command.spawn());
        }
    })?;
    // if another one was faster, ours ends, since nobody can send to it
    Ok(STARTER.get_or_init(|| starter))
}

/// The program that has a process killed with the one that started it, where there is one that can.
fn setpriv() -> Option<&'static PathBuf> {
    static SETPRIV: OnceLock<Option<PathBuf>> = OnceLock::new();
    let works = |path: &PathBuf| {
        let mut tried = Command::new(path);
        tried.args(["--pdeathsig", "KILL", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null());
        tried.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    SETPRIV.get_or_init(|| find("setpriv").filter(works)).as_ref()
}
