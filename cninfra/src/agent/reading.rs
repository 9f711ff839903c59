//! Reads the config on a thread apart: a file system may not answer. Nothing waits for it for longer than it may.

use super::{Cause, Phase, PluginError, StartError, apart, prepare::Prepared, settings::Settings};
use crate::{
    Error,
    config::At,
    foreign::{Panic, guard},
    graph::Graph,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::task::spawn_blocking;

/// Why nothing came of reading.
#[derive(Debug)]
pub(super) enum Unread {
    /// This file did not answer within its time, and the thread waits for it still.
    Silent {
        path: PathBuf,
        limit: Duration,
        reading: Reading,
    },
    Panicked(Panic),
    NoThread(io::Error),
    /// The runtime ends.
    GivenUp,
}

/// A file does not answer.
pub(super) fn silent(path: &Path, limit: Duration) -> Error {
    Error::msg(format_args!("{} is not read within {limit:?}", path.display()))
        .with_help("look at the file system that it is on: it does not answer")
}

impl From<Unread> for Error {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Silent { path, limit, .. } => silent(&path, limit),
            Unread::Panicked(panic) => {
                Error::msg(format_args!("reading the config files panicked: {panic}")).with_help("it is a defect")
            }
            Unread::NoThread(error) => Error::from(error).context("there is no thread to read the config files on"),
            Unread::GivenUp => Error::msg("reading the config files was given up, since the runtime ends"),
        }
    }
}

/// What reads.
#[derive(Debug)]
pub(super) struct Reading {
    at: At,
    thread: JoinHandle<()>,
}

impl Reading {
    /// Reads, and says what came of it. A thread that does not come back is left to itself: nothing can end it, and a runtime would wait for
    /// one of its own when it is dropped.
    ///
    /// # Errors
    /// There is no thread.
    pub(super) fn begin<T>(
        at: At,
        read: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Result<T, Panic>) + Send + 'static,
    ) -> Result<Self, Unread> {
        let reads = at.clone();
        let thread = apart::spawn("cninfra-config", move || done(guard(|| reads.during(read))));
        Ok(Reading { at, thread: thread.map_err(Unread::NoThread)? })
    }

    /// It was waited for as long as this.
    pub(super) fn unanswered(self, limit: Duration) -> Unread {
        Unread::Silent { path: self.at.path(), limit, reading: self }
    }

    /// The file that it waits for; `None` where it has come back.
    pub(super) fn waits_for(&self) -> Option<PathBuf> {
        (!self.thread.is_finished()).then(|| self.at.path())
    }
}

/// What starts the flavor of this graph, with its files read.
///
/// # Errors
/// They are not read within the limit of the start; or the agent was asked to stop until then.
pub(super) async fn read(settings: Settings, graph: &'static Graph) -> Result<Prepared, StartError> {
    // of what has been checked, all has been read
    if settings.is_checked || (settings.files.is_none() && !settings.config.may_name_files()) {
        return Ok(settings.runner(graph));
    }
    let (began, stop) = (Instant::now(), settings.stop.clone());
    // what the files say of it is not known yet
    let limit = settings.own.limits.unwrap_or_default().start;
    let at = At::default();
    let reading = within(limit, at.clone(), move || settings.runner(graph));
    let failed = tokio::select! {
        read = reading => match read {
            Ok(prepared) => return Ok(prepared),
            Err(error) => vec![PluginError::of_flavor(graph, Phase::Create, Cause::Config(error.into()))],
        },
        () = stop.stopping() => Vec::new(),
    };
    Err(StartError::before_all(graph, failed, began))
}

/// Reads, and waits for it no longer than this, by the wall clock.
///
/// # Cancel safety
/// It may be dropped: nothing waits for it any more.
pub(super) async fn within<T: Send + 'static>(
    limit: Duration,
    at: At,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unread> {
    let (says, heard) = sync_channel(2);
    let _given_up = GivenUp(says.clone());
    let waits = move || {
        // who waited may have gone
        let done = move |read| drop(says.send(Heard::Read(read)));
        let reading = Reading::begin(at, read, done)?;
        match heard.recv_timeout(limit) {
            Ok(Heard::Read(read)) => read.map_err(Unread::Panicked),
            Err(RecvTimeoutError::Timeout) => Err(reading.unanswered(limit)),
            Ok(Heard::GivenUp) | Err(RecvTimeoutError::Disconnected) => Err(Unread::GivenUp),
        }
    };
    // time that is paused stands still meanwhile
    spawn_blocking(waits).await.unwrap_or(Err(Unread::GivenUp))
}

enum Heard<T> {
    Read(Result<T, Panic>),
    GivenUp,
}

/// Ends the wait when it is dropped: a runtime that is dropped would sit it out.
struct GivenUp<T>(SyncSender<Heard<T>>);

impl<T> Drop for GivenUp<T> {
    fn drop(&mut self) {
        // there is room for both
        let _ = self.0.try_send(Heard::GivenUp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use cninfra_testbed::Folder;
    use std::{fs, sync::mpsc::channel};

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_not_read_in_time_is_named() {
        let folder = Folder::new();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2").unwrap();
        let config = Config::new().set("store", "password-file", path.display().to_string());
        // as if the file system did not answer, where it is left; who waits longer than he should fails, and does not hang
        let (answer, answered) = channel::<()>();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(20));
            drop(answer);
        });
        let began = tokio::time::Instant::now();
        let read = within(Duration::from_millis(100), At::default(), move || {
            let _ = config.section::<Store>("store").map(|store| store.password);
            let _ = answered.recv();
        });
        let error = Error::from(read.await.unwrap_err());
        assert_eq!(error.to_string(), format!("{} is not read within 100ms", path.display()));
        assert!(error.help().is_some_and(|help| help.contains("file system")) && began.elapsed().is_zero());
    }

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    #[serde(default)]
    struct Store {
        password: crate::config::Secret,
    }

    #[tokio::test]
    async fn what_panics_is_told() {
        let read = within(Duration::from_secs(60), At::default(), || panic!("in pieces"));
        let told = Error::from(read.await.err().unwrap()).to_string();
        assert_eq!(told, "reading the config files panicked: in pieces");
    }

    #[test]
    fn a_runtime_that_is_dropped_does_not_wait_for_it() {
        use tokio::runtime::Builder;
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder.enable_all().build().unwrap();
            let ((begins, begun), (_answer, answered)) = (channel(), channel::<()>());
            runtime.spawn(within(Duration::from_secs(60), At::default(), move || {
                begins.send(()).unwrap();
                let _ = answered.recv();
            }));
            runtime.block_on(async {
                while begun.try_recv().is_err() {
                    tokio::task::yield_now().await
                }
            });
            let began = Instant::now();
            drop(runtime);
            assert!(began.elapsed() < Duration::from_secs(20), "it was waited for: {:?}", began.elapsed());
        }
    }
}
