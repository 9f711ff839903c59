//! Opens a stream of watches, on a connection that answers.

use super::{gate::Pass, run::Watcher, vigil::Vigil};
use crate::{convert::bounds, core::Core, failure::Failure, pulse::sleep_with_grace, wire::Wire};
use cninfra::keyval::{KeyRange, Reason};
use etcd_client::{Error, WatchOptions, WatchRequestSender, WatchResponse, WatchResponseStream};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The limit of all attempts together. After it, the watch counts as lost.
pub(super) const WITHIN: Duration = Duration::from_secs(3);
/// If nothing has arrived on the connection for this long, another attempt begins in parallel, on a new connection: one
/// that was made while the network or the server hung may stay dead.
const BESIDE: Duration = Duration::from_millis(600);
/// If a call was answered within this time, the connection for calls is not dead.
const FRESH: Duration = Duration::from_millis(1500);

/// A part of the watched keys that has one etcd watch.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) range: KeyRange,
    pub(super) id: i64,
    /// The first revision to report.
    pub(super) from: i64,
}

pub(super) struct Opened {
    pub(super) vigil: Vigil,
    pub(super) sender: WatchRequestSender,
    pub(super) responses: WatchResponseStream,
    pub(super) first: WatchResponse,
}

impl Watcher {
    /// Opens a stream with these parts. Returns it with the server's first answer.
    pub(super) async fn open(&self, parts: &[Part]) -> Result<Opened, String> {
        let Core { gate, watches, .. } = &*self.core;
        let late = || format!("{}: no answer within {WITHIN:?}", watches.endpoint());
        let mut until = None;
        loop {
            let mut pass = gate.enter(watches).await.ok_or_else(late)?;
            let until = *until.get_or_insert_with(|| Instant::now() + WITHIN);
            let opened = timeout_at(until, self.open_somehow(&mut pass, parts)).await;
            gate.record_attempt(pass, matches!(opened, Ok(Some(Ok(_)))));
            match opened {
                Ok(Some(opened)) => return opened,
                // The connection was known to answer, but no longer does: find out again.
                Ok(None) => {}
                Err(_) => return Err(late()),
            }
        }
    }

    /// `None` if the connection of this turn is dead.
    async fn open_somehow(&self, pass: &mut Pass<'_>, parts: &[Part]) -> Option<Result<Opened, String>> {
        let mut attempts = FuturesUnordered::new();
        loop {
            let wire = match pass {
                Pass::Turn(wire, _) => wire.clone(),
                Pass::Scout(_) => match self.core.watches.get().await {
                    Ok(wire) => wire,
                    Err((error, endpoint)) => return Some(Err(format!("{endpoint}: {error}"))),
                },
            };
            wire.pulse.record_question(Instant::now());
            attempts.push(open(wire.clone(), parts, self.options.previous));
            loop {
                tokio::select! {
                    biased;
                    Some(opened) = attempts.next() => {
                        return Some(opened.map_err(|(wire, error)| self.core.replace_failed(&wire, error)));
                    }
                    () = sleep_with_grace(Instant::now() + BESIDE) => {
                        let pulse = &wire.pulse;
                        // If there are other streams on the connection, their signs of life decide whether it is dead.
                        if pulse.quiet() >= BESIDE && (pulse.streams() == 0 || pulse.is_dead()) {
                            break;
                        }
                    }
                }
            }
            self.core.replace_silent(&wire);
            if let Pass::Turn(..) = pass {
                return None;
            }
        }
    }
}

impl Core {
    /// A connection for watches does not answer. The connection for calls may be dead too, without having noticed.
    pub(crate) fn replace_silent(&self, wire: &Arc<Wire>) {
        if self.watches.replace(wire) {
            if self.probed.quiet() >= FRESH {
                self.calls.drop_current();
            }
            self.suspect.notify_one();
        }
    }

    /// A stream could not be opened.
    fn replace_failed(&self, wire: &Arc<Wire>, error: Error) -> String {
        let text = format!("{}: {error}", wire.endpoint);
        let failure = Failure::of(error, None);
        // A member without a quorum says so itself: the next member may answer.
        if failure.is_connection_lost || failure.reason == Reason::Unavailable {
            self.watches.replace(wire);
            self.suspect.notify_one();
        }
        text
    }
}

async fn open(wire: Arc<Wire>, parts: &[Part], previous: bool) -> Result<Opened, (Arc<Wire>, Error)> {
    let opening = async {
        let ended = || Error::WatchError("the server has ended the stream".to_string());
        let mut parts = parts.iter();
        let Part { range, id, from } = parts.next().ok_or_else(ended)?;
        let (key, options) = request(range, *id, *from, previous);
        let (mut sender, mut responses) = wire.watch.clone().watch(key, Some(options)).await?.split();
        for Part { range, id, from } in parts {
            let (key, options) = request(range, *id, *from, previous);
            sender.watch(key, Some(options)).await?;
        }
        let first = responses.message().await?.ok_or_else(ended)?;
        Ok((sender, responses, first))
    };
    match opening.await {
        Ok((sender, responses, first)) => Ok(Opened { vigil: Vigil::begin(wire), sender, responses, first }),
        Err(error) => Err((wire, error)),
    }
}

/// Asks for fragments, since a transaction may be larger than a message.
fn request(range: &KeyRange, id: i64, from: i64, previous: bool) -> (Vec<u8>, WatchOptions) {
    let (key, end) = bounds(range);
    // 0 is no revision: it would mean "from now on".
    let options =
        WatchOptions::new().with_range(end).with_start_revision(from.max(1)).with_watch_id(id).with_fragment();
    (key, if previous { options.with_prev_key() } else { options })
}
