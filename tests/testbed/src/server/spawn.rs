//! Starts servers such that they end with the tests, however those end.

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

/// Starts the program with an empty environment; its output is appended to the file `log`.
pub(super) fn spawn(program: &Path, args: &[String], log: &Path) -> io::Result<Child> {
    let file = File::options().create(true).append(true).open(log)?;
    let mut command = match setpriv() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            // `setpriv` executes the server in the same process.
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.args(args).env_clear().stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    if cfg!(target_arch = "aarch64") {
        // Without it, old versions of etcd do not start on this architecture.
        command.env("ETCD_UNSUPPORTED_ARCH", "arm64");
    }
    let (answer, child) = sync_channel(1);
    starter()?.send((command, answer)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}

/// Linux kills the server when the *thread* that started it ends, and each test has its own thread. A server may
/// outlive a test, so it is started by a thread that lives as long as the process.
fn starter() -> io::Result<&'static SyncSender<Order>> {
    static STARTER: OnceLock<SyncSender<Order>> = OnceLock::new();
    if let Some(starter) = STARTER.get() {
        return Ok(starter);
    }
    let (starter, orders) = sync_channel::<Order>(16);
    thread::Builder::new().name("servers".to_string()).spawn(move || {
        for (mut command, answer) in orders {
            // The caller may be gone.
            let _ = answer.send(command.spawn());
        }
    })?;
    // If another thread was faster, ours ends, since its channel has no sender.
    Ok(STARTER.get_or_init(|| starter))
}

/// The program that has a process killed when its parent ends, if it is available.
fn setpriv() -> Option<&'static PathBuf> {
    static SETPRIV: OnceLock<Option<PathBuf>> = OnceLock::new();
    let works = |path: &PathBuf| {
        let mut tried = Command::new(path);
        tried.args(["--pdeathsig", "KILL", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null());
        tried.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    SETPRIV.get_or_init(|| find("setpriv").filter(works)).as_ref()
}
