//! What a process does before its agent begins: it reads the config, for as long as the start may take and it is wanted.

use super::{
    StopHandle,
    cli::Cli,
    configure::Report,
    own::{AgentConfig, Own},
    reading::{Reading, Unread},
    settings::Settings,
};
use crate::{
    config::{At, Config},
    graph::Graph,
};
use std::{
    future::pending,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::AcqRel},
        mpsc::sync_channel,
    },
    time::Duration,
};
use tokio::{sync::Notify, time::sleep};

/// Files that answer are read within it, whatever the limit is: what is wrong with that is told.
const LEAST: Duration = Duration::from_millis(500);

/// How long is waited for the files.
#[derive(Clone, Default)]
pub(super) struct Limit(Own, Config);

impl Limit {
    pub(super) fn of(settings: &Settings) -> Self {
        Limit(settings.own.clone(), settings.config.clone())
    }

    /// What the files say of it is not known yet.
    fn get(self) -> Duration {
        let Limit(own, config) = self;
        AgentConfig::of(&own.under(config)).unwrap_or_default().limits().start.max(LEAST)
    }
}

/// Puts command line, environment and files together, where no agent shall live.
///
/// # Errors
/// Nothing came of reading.
pub(super) fn configure(settings: Settings, graph: &'static Graph, cli: Cli) -> Result<(Settings, Report), Unread> {
    let limit = Limit::of(&settings);
    let read = move || {
        let mut settings = settings;
        let report = settings.configure(graph, cli);
        (settings, report)
    };
    let (done, heard) = sync_channel(1);
    // who waited may have gone
    let reading = Reading::begin(At::default(), read, move |read| drop(done.send(read)))?;
    let limit = limit.get();
    match heard.recv_timeout(limit) {
        Ok(read) => read.map_err(Unread::Panicked),
        Err(_) => Err(reading.unanswered(limit)),
    }
}

/// The wait for an agent that reads its config on a thread of its own. Either it begins, or nobody waits for it any more: who is first decides that.
#[derive(Clone, Default)]
pub(super) struct Wait {
    /// Signals are heard.
    heard: Arc<Notify>,
    is_decided: Arc<AtomicBool>,
    at: At,
    limit: Limit,
}

/// Why an agent has not begun.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// Signals can not be heard: why, in words.
    Deaf(String),
    /// It was asked to stop before that.
    Stopped,
    /// This file did not answer within its time.
    Silent { path: PathBuf, limit: Duration },
}

impl Wait {
    pub(super) fn new(settings: &Settings) -> Self {
        Wait { limit: Limit::of(settings), ..Wait::default() }
    }

    /// Reads, and notes which file is looked at.
    pub(super) fn during<T>(&self, read: impl FnOnce() -> T) -> T {
        self.at.during(read)
    }

    /// From here on signals do not end the process by themselves.
    pub(super) fn hears(&self) {
        // it is kept for an agent that comes later
        self.heard.notify_one();
    }

    /// Waits until signals are heard: before that no agent begins, since it would not be closed.
    pub(super) async fn heard(&self) {
        self.heard.notified().await;
    }

    /// The agent is about to begin. Is it still waited for?
    pub(super) fn begins(&self) -> bool {
        !self.is_decided.swap(true, AcqRel)
    }

    /// Comes to an end where the agent has not begun in time, or is not wanted any more. Nothing has to be undone then.
    pub(super) async fn in_vain(&self, stop: &StopHandle) -> NotBegun {
        let why = tokio::select! {
            () = stop.stopping() => NotBegun::Stopped,
            limit = self.over() => NotBegun::Silent { path: self.at.path(), limit },
        };
        if self.begins() { why } else { pending().await }
    }

    /// Waits until its time is over. How long that is, is asked only where it takes long.
    async fn over(&self) -> Duration {
        sleep(LEAST).await;
        let limit = self.limit.clone().get();
        sleep(limit - LEAST).await;
        limit
    }
}
