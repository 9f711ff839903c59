//! Reads the config of an agent that is embedded, on a thread apart: a file system may not answer.

use super::{Cause, Phase, PluginError, StartError, apart, prepare::Prepared, settings::Settings};
use crate::{Error, config::At, graph::Graph};
use std::{
    sync::mpsc::{RecvTimeoutError, sync_channel},
    time::{Duration, Instant},
};
use tokio::task::spawn_blocking;

/// What starts the flavor of this graph, with its files read.
///
/// # Errors
/// They are not read within the limit of the start; or the agent was asked to stop until then.
pub(super) async fn read(settings: Settings, graph: &'static Graph) -> Result<Prepared, StartError> {
    if settings.files.is_none() {
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
            Err(error) => vec![PluginError::of_flavor(graph, Phase::Create, Cause::Config(error))],
        },
        () = stop.stopping() => Vec::new(),
    };
    Err(StartError { errors: failed, rollback: Vec::new(), events: Vec::new(), took: began.elapsed(), graph })
}

/// Reads, and waits for it no longer than this, by the wall clock. A thread that does not come back is left to itself: nothing can end it, and
/// a runtime would wait for one of its own when it is dropped.
async fn within<T: Send + 'static>(
    limit: Duration,
    at: At,
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let waits = move || {
        let (done, result) = sync_channel(1);
        let reads = at.clone();
        let read = apart::spawn("cninfra-config", move || {
            // who waited may have gone
            let _ = done.send(reads.during(read));
        });
        read.map_err(|error| Error::from(error).context("there is no thread to read the config files on"))?;
        result.recv_timeout(limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                let path = at.path();
                let what = format_args!("{} is not read within {limit:?}", path.display());
                Error::msg(what).with_help("look at the file system that it is on: it does not answer")
            }
            RecvTimeoutError::Disconnected => {
                Error::msg("reading the config files panicked").with_help("it is a defect")
            }
        })
    };
    // time that is paused stands still meanwhile
    spawn_blocking(waits).await.unwrap_or_else(|error| Err(Error::from(error).context("reading the config files")))
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
        // as if the file system did not answer, where it is left
        let (_answer, answered) = channel::<()>();
        let began = tokio::time::Instant::now();
        let read = within(Duration::from_millis(100), At::default(), move || {
            let _ = config.section::<Store>("store").map(|store| store.password);
            let _ = answered.recv();
        });
        let error = read.await.unwrap_err();
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
        assert_eq!(read.await.err().unwrap().to_string(), "reading the config files panicked");
    }
}
