//! Listens to the servers, on one connection to each, with the patterns of all watches.

use super::{
    hub::{Listener, channel},
    notify::{self, Notifies},
};
use crate::{
    call::{Origin, To},
    command::Command,
    core::{Core, PATIENCE},
    failure::{Asked, Failure},
    glob::literal,
    node::require_master,
    script,
    wire::{Hint, Hints, Wire},
};
use bytes::Bytes;
use cninfra::client::Pauses;
use cninfra::keyval::{KeyRange, KvError, Reason};
use std::{
    collections::{BTreeSet, HashMap},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::oneshot,
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

/// How often the connection is checked.
const PING: Duration = Duration::from_secs(1);
/// The limit for the answer to that.
const ANSWER: Duration = Duration::from_millis(1500);
/// How often to check whether the server still notifies.
const ASK: Duration = Duration::from_secs(5);
/// How long to wait before a server that refuses is asked again.
const REFUSED: Duration = Duration::from_secs(1);

/// Listens to all servers until the store is closed.
pub(crate) async fn run(core: Arc<Core>) {
    let mut servers = core.hub.servers();
    let mut listeners = JoinSet::new();
    let mut running: HashMap<Arc<str>, AbortHandle> = HashMap::new();
    let following = async {
        loop {
            let wanted = servers.borrow_and_update().clone();
            running.retain(|endpoint, listener| {
                let is_wanted = wanted.contains(endpoint);
                if !is_wanted {
                    listener.abort();
                }
                is_wanted
            });
            for endpoint in wanted {
                let listen = || listeners.spawn(listen(core.clone(), endpoint.clone()));
                running.entry(endpoint.clone()).or_insert_with(listen);
            }
            while listeners.try_join_next().is_some() {}
            if servers.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = following => {}
    }
    listeners.shutdown().await;
}

/// Why a server is no longer listened to.
enum Ended {
    /// The server or the connection failed.
    Down(String),
    Refused(String),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Ended::Down(failure.to_string())
    }
}

impl From<KvError> for Ended {
    fn from(error: KvError) -> Self {
        Ended::Down(format!("{error:#}"))
    }
}

async fn listen(core: Arc<Core>, endpoint: Arc<str>) {
    let mut pauses = Pauses::default();
    let mut is_logged = false;
    loop {
        // While there is no watch, there is no need to listen.
        let mut wanted = core.hub.wanted();
        while core.hub.patterns().1.is_empty() {
            if wanted.changed().await.is_err() {
                return;
            }
        }
        let (mut is_up, mut begun) = (false, core.hub.begun());
        let ended = session(&core, &endpoint, &mut is_up).await;
        if is_up {
            pauses.reset();
            is_logged = false;
        }
        let Err(ended) = ended;
        let is_refused = matches!(ended, Ended::Refused(_));
        let wait = match ended {
            Ended::Down(why) => {
                // Logged once, until the server is back.
                if !std::mem::replace(&mut is_logged, true) {
                    tracing::warn!("watches hear nothing of redis at {endpoint}: {why}");
                }
                core.hub.set_listener(&endpoint, Listener::Down);
                pauses.next()
            }
            Ended::Refused(why) => {
                if !std::mem::replace(&mut is_logged, true) {
                    tracing::warn!("watches hear nothing: {why}");
                }
                core.hub.set_listener(&endpoint, Listener::Refused(why));
                REFUSED
            }
        };
        core.probe_now.notify_one();
        core.refresh_topology.notify_one();
        tokio::select! {
            () = sleep(wait) => {}
            // A watch that begins is not refused for what was found earlier.
            Ok(()) = begun.changed(), if is_refused => {}
        }
    }
}

async fn session(core: &Core, endpoint: &Arc<str>, is_up: &mut bool) -> Result<std::convert::Infallible, Ended> {
    let notifies = check_notifies(core, endpoint).await?;
    let (wire, hints) = Wire::dial_for_hints(&core.dial, endpoint).await?;
    let session = Session { core, endpoint, wire };
    if matches!(core.kind, crate::config::Kind::Sentinel { .. }) {
        require_master(&session.wire).await?;
    }
    let ended = session.run(hints, notifies == Notifies::Unknown, is_up).await;
    // The connection is closed completely before another one is made.
    session.wire.close().await;
    ended
}

/// Checks whether the server notifies. An error if it is known that it does not.
async fn check_notifies(core: &Core, endpoint: &Arc<str>) -> Result<Notifies, Ended> {
    match notify::check_server(core, endpoint).await? {
        Notifies::No(why) => Err(Ended::Refused(why)),
        notifies => Ok(notifies),
    }
}

struct Session<'c> {
    core: &'c Core,
    endpoint: &'c Arc<str>,
    wire: Wire,
}

impl Session<'_> {
    async fn run(
        &self,
        mut hints: Hints,
        mut is_unproved: bool,
        is_up: &mut bool,
    ) -> Result<std::convert::Infallible, Ended> {
        let hub = &self.core.hub;
        let mut wanted = hub.wanted();
        let mut subscribed: BTreeSet<Arc<str>> = BTreeSet::new();
        loop {
            wanted.borrow_and_update();
            let (version, patterns) = hub.patterns();
            let echo = if is_unproved { self.echo(&patterns) } else { None };
            let (heard, mut echoed) = oneshot::channel();
            let mut listens_for = echo.as_ref().map(|echo| (echo.key.clone(), heard));
            let subscribing = async {
                self.subscribe(patterns.difference(&subscribed), true).await?;
                self.subscribe(subscribed.difference(&patterns), false).await?;
                if let Some(echo) = &echo {
                    self.prove(echo, &mut echoed).await?;
                }
                Ok::<_, Ended>(())
            };
            // Hints are taken all the time, so that none is lost.
            tokio::select! {
                biased;
                subscribed_all = subscribing => subscribed_all?,
                ended = self.pass_hints(&mut hints, &mut listens_for) => return ended,
            }
            is_unproved &= echo.is_none();
            subscribed = patterns;
            hub.set_listener(self.endpoint, Listener::Up(version));
            *is_up = true;
            let mut nothing = None;
            tokio::select! {
                ended = self.pass_hints(&mut hints, &mut nothing) => return ended,
                ended = self.ping_regularly() => return ended,
                ended = self.wait_until_refused() => return Err(ended),
                changed = wanted.changed() => if changed.is_err() {
                    return Err(Ended::Down("the store is gone".to_string()));
                },
            }
        }
    }

    /// Passes hints on, as long as the connection lives.
    async fn pass_hints(
        &self,
        hints: &mut Hints,
        echo: &mut Option<(Bytes, oneshot::Sender<()>)>,
    ) -> Result<std::convert::Infallible, Ended> {
        let mut gone = pin!(self.wire.ended());
        loop {
            let hint = tokio::select! {
                biased;
                hint = hints.next() => hint,
                // The channel of hints does not end with the connection.
                () = &mut gone => None,
            };
            match hint {
                Some(Hint::Dirty(key, expired)) => {
                    if let Some((_, echo)) = echo.take_if(|(wanted, _)| *wanted == key) {
                        // The receiver may be gone.
                        let _ = echo.send(());
                    }
                    self.core.hub.hint(&key, expired);
                }
                Some(Hint::Lost) => self.core.hub.mark_hints_lost(),
                None => return Err(Ended::Down("the connection was lost".to_string())),
            }
        }
    }

    /// Checks the connection regularly.
    async fn ping_regularly(&self) -> Result<std::convert::Infallible, Ended> {
        loop {
            sleep(PING).await;
            self.ping().await?;
        }
    }

    /// Checks regularly whether the server still notifies. An error of that check does not end this connection.
    async fn wait_until_refused(&self) -> Ended {
        loop {
            sleep(ASK).await;
            if let Err(refused @ Ended::Refused(_)) = check_notifies(self.core, self.endpoint).await {
                return refused;
            }
        }
    }

    async fn ping(&self) -> Result<(), Failure> {
        let answer = timeout(ANSWER, self.wire.call(&Command::bare("PING"))).await;
        answer.unwrap_or_else(|_| Err(Failure::lost("no answer to PING"))).map(drop)
    }

    /// Subscribes to patterns, or unsubscribes.
    async fn subscribe(&self, patterns: impl Iterator<Item = &Arc<str>>, wanted: bool) -> Result<(), Ended> {
        let patterns: Vec<String> = patterns.map(ToString::to_string).collect();
        if patterns.is_empty() {
            return Ok(());
        }
        let asked = timeout(PATIENCE, self.wire.subscribe(patterns, wanted)).await;
        match asked.unwrap_or_else(|_| Err(Failure::lost("no answer to PSUBSCRIBE"))) {
            Err(failure) if failure.is_denied() => {
                Err(Ended::Refused(notify::advice_if_refused(self.core, self.endpoint, &failure)))
            }
            other => Ok(other?),
        }
    }

    /// Proves that the server notifies, if the user may not read its config: a key is made and deleted in one step, so
    /// that nobody ever reads it, and the hint of that has to arrive.
    async fn prove(&self, echo: &Echo, echoed: &mut oneshot::Receiver<()>) -> Result<(), Ended> {
        self.subscribe(echo.pattern.iter(), true).await?;
        let asked = || Asked::to_write("notifications", Some(KeyRange::key(&echo.key)));
        let command = Command::new("EVAL", [Bytes::from_static(script::ECHO.as_bytes()), "1".into(), echo.key.clone()]);
        match self.core.call(self.core.to_write(Origin::Own), &asked, &To::Node(self.endpoint.clone()), &command).await
        {
            Ok(_) => {}
            Err(error) if *error.reason() == Reason::Denied => {
                return Err(Ended::Refused(notify::advice_if_unproved(self.core, self.endpoint, &error)));
            }
            Err(error) => return Err(error.into()),
        }
        let heard = timeout(PATIENCE, echoed).await.is_ok_and(|heard| heard.is_ok());
        if !heard {
            return Err(Ended::Refused(notify::advice_if_unheard(self.core, self.endpoint)));
        }
        self.subscribe(echo.pattern.iter(), false).await
    }

    /// The key for that, matching these patterns; `None` if this server has no such key.
    fn echo(&self, patterns: &BTreeSet<Arc<str>>) -> Option<Echo> {
        let channel = channel(self.core.config.db);
        let prefix = |pattern: &Arc<str>| Some(pattern.strip_prefix(&channel)?.strip_suffix('*')?.to_string());
        let of_prefix = patterns.iter().find_map(prefix);
        let base = of_prefix.clone().or_else(|| Some(patterns.first()?.strip_prefix(&channel)?.to_string()))?;
        let base = unescaped(&base);
        let slots = self.core.slots.borrow().clone();
        let candidates = (0..TRIES).map(|_| Bytes::from(format!("{base}cninfra-echo-{:016x}", fastrand::u64(..))));
        let key = candidates.into_iter().find(|key| slots.owner(key) == Some(self.endpoint))?;
        let pattern = match of_prefix {
            Some(_) => None,
            None => Some(format!("{channel}{}", literal(std::str::from_utf8(&key).ok()?)).into()),
        };
        Some(Echo { key, pattern })
    }
}

/// A key that is made and deleted, to see whether the hint of it arrives.
struct Echo {
    key: Bytes,
    /// Its pattern, if none of a watch matches it.
    pattern: Option<Arc<str>>,
}

/// How many names are tried to find one in a slot of this server.
const TRIES: usize = 1000;

/// Removes the escapes of [`literal`].
fn unescaped(pattern: &str) -> String {
    let mut chars = pattern.chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_escaped_is_found() {
        let text = "a*c/[x-^]?\\é";
        assert_eq!(super::unescaped(&super::literal(text)), text);
    }
}
