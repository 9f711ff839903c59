//! What a process does before its agent begins: it reads the config, for as long as the start may take and it is wanted.

use super::{
    cli::Cli,
    configure::{Reads, Report},
    own::AgentConfig,
    reading::{Reading, Unread, wait},
    search::{Again, Search, tick},
    settings::Settings,
    supervise::{Ears, Ground},
};
use crate::{Logger, config::At, graph::Graph};
use std::{sync::mpsc::sync_channel, time::Duration};
use tokio::{
    sync::{Notify, oneshot},
    time::{sleep, timeout},
};

/// Files that answer are read within it, whatever the limit is: what is wrong with that is told.
const LEAST: Duration = Duration::from_millis(500);

/// What became of it; `None` where nobody wants it any more.
pub(super) type Configured = Option<Result<(Settings, Report), Unread<Report>>>;

/// Puts command line, environment and files together. `live` is given where an agent shall live: what it lives in is made meanwhile, and hears
/// of signals.
///
/// # Errors
/// In words: there is nothing to live in.
pub(super) fn configure(
    settings: Settings,
    graph: &'static Graph,
    cli: Cli,
    log: &Logger,
    live: Option<&Notify>,
) -> Result<(Configured, Option<Ground>), String> {
    let (at, stop) = (At::default(), settings.stop.clone());
    let said = (settings.own.clone(), settings.config.clone());
    // what the files say of it is not known yet
    let limit = move || {
        let (own, config) = said;
        AgentConfig::of(&own.under(config)).unwrap_or_default().limits().start.max(LEAST)
    };
    let reads = Reads::of(&settings, graph, &cli);
    let again: Again<Report> = Box::new(move |without| {
        let reads = reads.clone();
        Some((At::without(without), Box::new(move || reads.report())))
    });
    let mut search = Search::new(at.clone(), again);
    let read = move || {
        let mut settings = settings;
        let report = settings.configure(graph, cli);
        (settings, report)
    };
    let Some(hangup) = live else {
        let (done, heard) = sync_channel(1);
        // who waited may have gone
        let reading = Reading::begin(at, read, move |read| drop(done.send(read)));
        let limit = limit();
        let read = reading.map_err(Unread::no_thread).and_then(|reading| match wait(&heard, limit, &mut search) {
            Ok(read) => read.map_err(Unread::panicked),
            Err(_) => Err(reading.unanswered(limit, search)),
        });
        return Ok((Some(read), None));
    };
    // first, so that no signal is missed
    let ears = Ears::new()?;
    let (done, mut heard) = oneshot::channel();
    let reading = Reading::begin(at, read, move |read| drop(done.send(read)));
    let mut ground = Ground::new(ears)?;
    let reading = match reading {
        Ok(reading) => reading,
        Err(error) => return Ok((Some(Err(Unread::no_thread(error))), Some(ground))),
    };
    let limit = limit();
    let heard = async {
        loop {
            tokio::select! {
                biased;
                read = &mut heard => return read,
                () = sleep(tick(limit)) => search.look(),
            }
        }
    };
    let read = ground.prepare(log, &stop, hangup, async { timeout(limit, heard).await });
    let configured = read.map(|read| match read {
        Ok(Ok(read)) => read.map_err(Unread::panicked),
        // the thread says what came of it, whatever that is
        Ok(Err(_)) => Err(Unread::given_up()),
        Err(_) => Err(reading.unanswered(limit, search)),
    });
    Ok((configured, Some(ground)))
}
