//! How a stream of watches is opened: on a connection that answers.

use super::run::Watcher;
use crate::{convert::bounds, core::Core, failure::Failure, wire::Wire};
use cninfra::keyval::{KeyRange, Reason};
use etcd_client::{Error, WatchOptions, WatchRequestSender, WatchResponse, WatchResponseStream};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// All attempts together have so long: then it is told that the connection is lost.
const WITHIN: Duration = Duration::from_secs(3);
/// So much later another one begins beside it, on a new connection: one that was made while the network or the server hung may stay dead.
const BESIDE: Duration = Duration::from_millis(600);

/// A part of what is watched, by a watch of etcd's.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) range: KeyRange,
    pub(super) id: i64,
    /// From this state on, itself included.
    pub(super) from: i64,
}

pub(super) struct Opened {
    pub(super) wire: Arc<Wire>,
    pub(super) sender: WatchRequestSender,
    pub(super) responses: WatchResponseStream,
    pub(super) first: WatchResponse,
}

impl Watcher {
    /// Opens a stream of these, of which one has answered.
    pub(super) async fn open(&self, parts: &[Part]) -> Result<Opened, String> {
        let late = |_| Err(format!("{}: no answer within {WITHIN:?}", self.core.watches.endpoint()));
        timeout(WITHIN, self.open_somehow(parts)).await.unwrap_or_else(late)
    }

    async fn open_somehow(&self, parts: &[Part]) -> Result<Opened, String> {
        let mut attempts = FuturesUnordered::new();
        loop {
            let wire = self.core.watches.get().await.map_err(|(error, endpoint)| format!("{endpoint}: {error}"))?;
            attempts.push(open(wire.clone(), parts, self.options.previous));
            tokio::select! {
                Some(opened) = attempts.next() => return opened.map_err(|(wire, error)| {
                    let text = format!("{}: {error}", wire.endpoint);
                    let failure = Failure::of(error, None);
                    // one that is cut off from the others says so: the next one may not be
                    if failure.breaks || failure.reason == Reason::Unavailable {
                        self.core.watches.replace(&wire);
                        self.core.suspect.notify_one();
                    }
                    text
                }),
                () = sleep(BESIDE) => self.core.silent(&wire),
            }
        }
    }
}

impl Core {
    /// A connection for watches does not answer: that for calls may be as dead, without knowing.
    pub(crate) fn silent(&self, wire: &Arc<Wire>) {
        if self.watches.replace(wire) {
            self.calls.renew();
            self.suspect.notify_one();
        }
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
        Ok((sender, responses, first)) => Ok(Opened { wire, sender, responses, first }),
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
