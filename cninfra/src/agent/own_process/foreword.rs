//! What a process does before its agent begins: it reads the config, until the start's limit or until it is asked to
//! stop.

use crate::{
    Error,
    agent::{
        command_line::{
            configure::{Reads, Report},
            said::Cli,
        },
        files::{
            reading::Reading,
            search::{Again, Search, tick},
            within::{Unread, not_read, wait},
        },
        setup::settings::Settings,
    },
    config::At,
    graph::Graph,
    stop::StopHandle,
};
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Acquire},
        },
        mpsc::sync_channel,
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, sleep_until},
};

/// The files have at least this long, whatever the limit of the start: so files that answer are read, and a wrong limit
/// is reported.
const LEAST: Duration = Duration::from_millis(500);

/// How long to wait for the files. The limit that the files may set is not known yet.
fn limit(reads: &Reads) -> Duration {
    reads.own().limits().start.max(LEAST)
}

/// Checks the config without the files that do not answer.
fn again(reads: Reads) -> Again<Report> {
    Box::new(move |without| {
        let reads = reads.clone();
        Some((At::without(without), Box::new(move || reads.report())))
    })
}

/// Combines command line, environment and files when the process does not run the agent, but only checks or prints.
///
/// # Errors
/// The config was not read.
pub(super) fn configure(
    settings: Box<Settings>,
    graph: &'static Graph,
    cli: Cli,
) -> Result<(Box<Settings>, Report), Unread<Report>> {
    let (at, reads) = (At::default(), Reads::of(&settings, graph, &cli));
    let read = move || {
        let mut settings = settings;
        let report = settings.configure(graph, cli);
        (settings, report)
    };
    let (done, heard) = sync_channel(1);
    // The receiver may be gone.
    let reading = Reading::begin(at.clone(), read, move |read| drop(done.send(read))).map_err(Unread::no_thread)?;
    let limit = limit(&reads);
    let mut search = Search::new(at, again(reads));
    match wait(&heard, limit, &mut search) {
        Ok(read) => read.map_err(Unread::panicked),
        Err(_) => Err(Unread::of(reading, limit, search)),
    }
}

/// The wait for an agent that reads its config on another thread. Either the agent begins, or the wait is given up:
/// whichever is first sets `is_decided`.
#[derive(Clone)]
pub(super) struct Wait {
    /// Notified when signals are handled.
    heard: Arc<Notify>,
    is_decided: Arc<AtomicBool>,
    at: At,
    reads: Arc<Reads>,
}

/// Why an agent has not begun.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// Signals cannot be handled: the reason.
    Deaf(String),
    /// The agent was asked to stop before it began.
    Stopped,
    /// Files did not answer within the limit: the errors, and the report without these files, if there is one.
    Silent(Vec<Error>, Option<Report>),
}

impl Wait {
    pub(super) fn new(reads: Reads) -> Self {
        Wait { heard: Arc::default(), is_decided: Arc::default(), at: At::default(), reads: Arc::new(reads) }
    }

    /// Calls `read`, and notes which file it is looking at.
    pub(super) fn during<T>(&self, read: impl FnOnce() -> T) -> T {
        self.at.during(read)
    }

    /// Notes that signals are handled: from now on they do not end the process by themselves.
    pub(super) fn hears(&self) {
        // The permit is kept until the agent waits for it.
        self.heard.notify_one();
    }

    /// Waits until signals are handled. No agent begins before that, since a signal would end it without closing it.
    pub(super) async fn heard(&self) {
        self.heard.notified().await;
    }

    /// Marks the agent as begun. Returns false if the wait has been given up.
    pub(super) fn begins(&self) -> bool {
        !self.is_decided.swap(true, AcqRel)
    }

    /// Returns when the agent has not begun in time, or was asked to stop before. Nothing has to be undone then.
    pub(super) async fn in_vain(&self, stop: &StopHandle) -> NotBegun {
        let why = tokio::select! {
            () = stop.stopping() => NotBegun::Stopped,
            why = self.over() => why,
        };
        if self.begins() { why } else { pending().await }
    }

    /// Waits until the limit has passed, and searches for other files that do not answer. It prepares nothing before a
    /// first tick: most starts have begun by then.
    async fn over(&self) -> NotBegun {
        let (began, first) = (Instant::now(), tick(LEAST));
        sleep(first).await;
        let limit = limit(&self.reads);
        let (mut search, ends) = (Search::new(self.at.clone(), again((*self.reads).clone())), began + limit);
        while Instant::now() < ends {
            if self.is_decided.load(Acquire) {
                return pending().await;
            }
            search.look();
            sleep_until(ends.min(Instant::now() + tick(limit))).await;
        }
        let (waits, path) = (self.at.waits_for(), self.at.path());
        let (others, said) = search.end(&path);
        let others = others.into_iter().map(|other| other.path);
        NotBegun::Silent(not_read(waits.into_iter().chain(others), limit), said)
    }
}
