//! What a process does before its agent begins: it reads the config, for as long as the start may take and it is wanted.

use super::{
    StartError,
    cli::Cli,
    configure::Report,
    own::AgentConfig,
    reading::{Reading, Unread},
    settings::Settings,
    supervise::{Ears, Ground, Prepares},
};
use crate::{Logger, config::At, graph::Graph};
use std::{
    sync::mpsc::sync_channel,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, oneshot};

/// Files that answer are read within it, whatever the limit is: what is wrong with that is told.
const LEAST: Duration = Duration::from_millis(500);

/// What became of it.
pub(super) enum Configured {
    Done(Box<Settings>, Report),
    Unread(Report),
    Interrupted(StartError),
}

impl From<Result<(Settings, Report), Unread>> for Configured {
    fn from(read: Result<(Settings, Report), Unread>) -> Self {
        match read {
            Ok((settings, report)) => Configured::Done(Box::new(settings), report),
            Err(unread) => Configured::Unread(Report { odd: Vec::new(), wrong: vec![unread.into()] }),
        }
    }
}

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
    let (began, at, stop) = (Instant::now(), At::default(), settings.stop.clone());
    let said = (settings.own.clone(), settings.config.clone());
    // what the files say of it is not known yet
    let limit = move || {
        let (own, config) = said;
        AgentConfig::of(&own.under(config)).unwrap_or_default().limits().start.max(LEAST)
    };
    let read = move || {
        let mut settings = settings;
        let report = settings.configure(graph, cli);
        (settings, report)
    };
    let interrupted =
        || StartError { errors: Vec::new(), rollback: Vec::new(), events: Vec::new(), took: began.elapsed(), graph };
    let Some(hangup) = live else {
        let (done, heard) = sync_channel(1);
        // who waited may have gone
        let reading = Reading::begin(at, read, move |read| drop(done.send(read)));
        let limit = limit();
        let read = reading.and_then(|reading| match heard.recv_timeout(limit) {
            Ok(read) => read.map_err(Unread::Panicked),
            Err(_) => Err(reading.unanswered(limit)),
        });
        return Ok((read.into(), None));
    };
    // first, so that no signal is missed
    let ears = Ears::new()?;
    let (done, heard) = oneshot::channel();
    let reading = Reading::begin(at, read, move |read| drop(done.send(read)));
    let mut ground = Ground::new(ears)?;
    let configured = match reading {
        Err(error) => Err(error).into(),
        Ok(reading) => {
            let limit = limit();
            match ground.prepare(log, &stop, hangup, limit, heard) {
                Prepares::Done(read) => read.map_err(Unread::Panicked).into(),
                Prepares::Late => Err(reading.unanswered(limit)).into(),
                Prepares::Stopped => Configured::Interrupted(interrupted()),
            }
        }
    };
    Ok((configured, Some(ground)))
}
