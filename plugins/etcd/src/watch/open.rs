//! How a stream of watches is opened: on a connection that answers.

use super::{gate::Pass, run::Watcher, vigil::Vigil};
use crate::{convert::bounds, core::Core, failure::Failure, pulse::patiently, wire::Wire};
use cninfra::keyval::{KeyRange, Reason};
use etcd_client::{Error, WatchOptions, WatchRequestSender, WatchResponse, WatchResponseStream};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// All attempts together have so long: then it is told that the connection is lost.
pub(super) const WITHIN: Duration = Duration::from_secs(3);
/// So much later, where nothing has come over the connection, another one begins beside it, on a new connection: one that was made while the network or the server hung may stay dead.
const BESIDE: Duration = Duration::from_millis(600);
/// A call that was answered within so long shows that the connection for calls is not dead.
const FRESH: Duration = Duration::from_millis(1500);

/// A part of what is watched, by a watch of etcd's.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) range: KeyRange,
    pub(super) id: i64,
    /// From this state on, itself included.
    pub(super) from: i64,
}

pub(super) struct Opened {
    pub(super) vigil: Vigil,
    pub(super) sender: WatchRequestSender,
    pub(super) responses: WatchResponseStream,
    pub(super) first: WatchResponse,
}

impl Watcher {
    /// Opens a stream of these, of which one has answered.
    pub(super) async fn open(&self, parts: &[Part]) -> Result<Opened, String> {
        let Core { gate, watches, .. } = &*self.core;
        let late = || format!("{}: no answer within {WITHIN:?}", watches.endpoint());
        let mut until = None;
        loop {
            let mut pass = gate.enter(watches).await.ok_or_else(late)?;
            let until = *until.get_or_insert_with(|| Instant::now() + WITHIN);
            let opened = timeout_at(until, self.open_somehow(&mut pass, parts)).await;
            gate.leave(pass, matches!(opened, Ok(Some(Ok(_)))));
            match opened {
                Ok(Some(opened)) => return opened,
                // it was known to answer, and does not any more: to be found out anew
                Ok(None) => {}
                Err(_) => return Err(late()),
            }
        }
    }

    /// `None` where the connection of this turn is of no use.
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
            wire.pulse.asks(Instant::now());
            attempts.push(open(wire.clone(), parts, self.options.previous));
            loop {
                tokio::select! {
                    biased;
                    Some(opened) = attempts.next() => {
                        return Some(opened.map_err(|(wire, error)| self.core.failed(&wire, error)));
                    }
                    () = patiently(Instant::now() + BESIDE) => {
                        let pulse = &wire.pulse;
                        // where others are on it, they say whether it is dead
                        if pulse.quiet() >= BESIDE && (pulse.streams() == 0 || pulse.is_dead()) {
                            break;
                        }
                    }
                }
            }
            self.core.silent(&wire);
            if let Pass::Turn(..) = pass {
                return None;
            }
        }
    }
}

impl Core {
    /// A connection for watches does not answer: that for calls may be as dead, without knowing.
    pub(crate) fn silent(&self, wire: &Arc<Wire>) {
        if self.watches.replace(wire) {
            if self.probed.quiet() >= FRESH {
                self.calls.renew();
            }
            self.suspect.notify_one();
        }
    }

    /// A stream could not be opened.
    fn failed(&self, wire: &Arc<Wire>, error: Error) -> String {
        let text = format!("{}: {error}", wire.endpoint);
        let failure = Failure::of(error, None);
        // one that is cut off from the others says so: the next one may not be
        if failure.breaks || failure.reason == Reason::Unavailable {
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

/// A transaction may be larger than a message: in parts, it comes nevertheless.
fn request(range: &KeyRange, id: i64, from: i64, previous: bool) -> (Vec<u8>, WatchOptions) {
    let (key, end) = bounds(range);
    // no state is 0: that would be "from now on"
    let options =
        WatchOptions::new().with_range(end).with_start_revision(from.max(1)).with_watch_id(id).with_fragment();
    (key, if previous { options.with_prev_key() } else { options })
}
