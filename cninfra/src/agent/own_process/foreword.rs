//! What a process does before its agent begins: it reads the config, for as long as the start may take and it is wanted.

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

/// Files that answer are read within it, whatever the limit is: what is wrong with that is told.
const LEAST: Duration = Duration::from_millis(500);

/// How long is waited for the files: what these say of it is not known yet.
fn limit(reads: &Reads) -> Duration {
    reads.own().limits().start.max(LEAST)
}

/// What the files say that do answer.
fn again(reads: Reads) -> Again<Report> {
    Box::new(move |without| {
        let reads = reads.clone();
        Some((At::without(without), Box::new(move || reads.report())))
    })
}

/// Puts command line, environment and files together, where no agent shall live.
///
/// # Errors
/// Nothing came of reading.
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
    // who waited may have gone
    let reading = Reading::begin(at.clone(), read, move |read| drop(done.send(read))).map_err(Unread::no_thread)?;
    let limit = limit(&reads);
    let mut search = Search::new(at, again(reads));
    match wait(&heard, limit, &mut search) {
        Ok(read) => read.map_err(Unread::panicked),
        Err(_) => Err(Unread::of(reading, limit, search)),
    }
}

/// The wait for an agent that reads its config on a thread of its own. Either it begins, or nobody waits for it any more: who is first decides that.
#[derive(Clone)]
pub(super) struct Wait {
    /// Signals are heard.
    heard: Arc<Notify>,
    is_decided: Arc<AtomicBool>,
    at: At,
    reads: Arc<Reads>,
}

/// Why an agent has not begun.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// Signals can not be heard: why, in words.
    Deaf(String),
    /// It was asked to stop before that.
    Stopped,
    /// Files did not answer within their time: which, and what those say that do, where that is known.
    Silent(Vec<Error>, Option<Report>),
}

impl Wait {
    pub(super) fn new(reads: Reads) -> Self {
        Wait { heard: Arc::default(), is_decided: Arc::default(), at: At::default(), reads: Arc::new(reads) }
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
            why = self.over() => why,
        };
        if self.begins() { why } else { pending().await }
    }

    /// Waits until its time is over, and searches meanwhile. Nothing is worked out for it before it has taken a while: most starts are done by then.
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
