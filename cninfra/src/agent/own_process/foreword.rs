//! What a process does before its agent begins: it reads the config, until the start's limit or until it is asked to
//! stop.

use crate::{
    Error,
    agent::{
        command_line::{
            configure::{CheckInputs, Report},
            said::Cli,
        },
        files::{
            reading::Reading,
            search::{ReadWithout, Search, tick},
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
const MIN_LIMIT: Duration = Duration::from_millis(500);

/// How long to wait for the files. The limit that the files may set is not known yet.
fn limit(inputs: &CheckInputs) -> Duration {
    inputs.own().limits().start.max(MIN_LIMIT)
}

/// Checks the config without the files that do not answer.
fn read_without(inputs: CheckInputs) -> ReadWithout<Report> {
    Box::new(move |without| {
        let inputs = inputs.clone();
        Some((At::without(without), Box::new(move || inputs.report())))
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
    let (at, inputs) = (At::default(), CheckInputs::of(&settings, graph, &cli));
    let read = move || {
        let mut settings = settings;
        let report = settings.configure(graph, cli);
        (settings, report)
    };
    let (done, outcome) = sync_channel(1);
    // The receiver may be gone.
    let reading = Reading::begin(at.clone(), read, move |read| drop(done.send(read))).map_err(Unread::no_thread)?;
    let limit = limit(&inputs);
    let mut search = Search::new(at, read_without(inputs));
    match wait(&outcome, limit, &mut search) {
        Ok(read) => read.map_err(Unread::panicked),
        Err(_) => Err(Unread::of(reading, limit, search)),
    }
}

/// The wait for an agent that reads its config on another thread. Either the agent begins, or the wait is given up:
/// whichever is first sets `is_decided`.
#[derive(Clone)]
pub(super) struct BeginGate {
    /// Notified when signals are handled.
    opened: Arc<Notify>,
    is_decided: Arc<AtomicBool>,
    at: At,
    inputs: Arc<CheckInputs>,
}

/// Why an agent has not begun.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// Signals cannot be handled: the reason.
    NoSignals(String),
    /// The agent was asked to stop before it began.
    Stopped,
    /// Files did not answer within the limit: the errors, and the report without these files, if there is one.
    Unresponsive(Vec<Error>, Option<Report>),
}

impl BeginGate {
    pub(super) fn new(inputs: CheckInputs) -> Self {
        BeginGate { opened: Arc::default(), is_decided: Arc::default(), at: At::default(), inputs: Arc::new(inputs) }
    }

    /// Calls `read`, and notes which file it is looking at.
    pub(super) fn during<T>(&self, read: impl FnOnce() -> T) -> T {
        self.at.during(read)
    }

    /// Notes that signals are handled: from now on they do not end the process by themselves.
    pub(super) fn open(&self) {
        // The permit is kept until the agent waits for it.
        self.opened.notify_one();
    }

    /// Waits until signals are handled. No agent begins before that, since a signal would end it without closing it.
    pub(super) async fn opened(&self) {
        self.opened.notified().await;
    }

    /// Marks the agent as begun. Returns false if the wait has been given up.
    pub(super) fn decide(&self) -> bool {
        !self.is_decided.swap(true, AcqRel)
    }

    /// Returns when the agent has not begun in time, or was asked to stop before. Nothing has to be undone then.
    pub(super) async fn given_up(&self, stop: &StopHandle) -> NotBegun {
        let why = tokio::select! {
            () = stop.stopping() => NotBegun::Stopped,
            why = self.limit_exceeded() => why,
        };
        if self.decide() { why } else { pending().await }
    }

    /// Waits until the limit has passed, and searches for other files that do not answer. It prepares nothing before a
    /// first tick: most starts have begun by then.
    async fn limit_exceeded(&self) -> NotBegun {
        let (began, first) = (Instant::now(), tick(MIN_LIMIT));
        sleep(first).await;
        let limit = limit(&self.inputs);
        let (mut search, ends) = (Search::new(self.at.clone(), read_without((*self.inputs).clone())), began + limit);
        while Instant::now() < ends {
            if self.is_decided.load(Acquire) {
                return pending().await;
            }
            search.look();
            sleep_until(ends.min(Instant::now() + tick(limit))).await;
        }
        let (waits, path) = (self.at.waits_for(), self.at.path());
        let (others, report) = search.end(&path);
        let others = others.into_iter().map(|other| other.path);
        NotBegun::Unresponsive(not_read(waits.into_iter().chain(others), limit), report)
    }
}
