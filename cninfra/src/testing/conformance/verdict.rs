//! Judges calls and states in a [`Trial`].

use super::{
    Violation,
    life::Life,
    trial::{LOOK, SLACK, Trial},
};
use crate::{
    Agent, Error,
    foreign::guard,
    status::{PluginStatus, State},
};
use futures_util::future::select;
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// The minimum and maximum time for which a state is observed that should not change. In between it is the time in
/// which the plugin promises to be back, which is also the longest pause between two of its attempts.
pub(super) const STEADY: [Duration; 2] = [Duration::from_millis(1500), Duration::from_secs(3)];

/// Words that only say who or where, or that there is an error.
const WHO: [&str; 28] = [
    "address", "an", "and", "at", "backend", "by", "call", "client", "endpoint", "error", "failed", "failure", "for",
    "from", "host", "in", "of", "on", "plugin", "port", "server", "service", "store", "the", "this", "to", "via",
    "with",
];

/// A call that has ended, or was given up.
pub(super) struct Called {
    /// `None` if it did not end in time.
    pub(super) answer: Option<Result<(), String>>,
    /// The longest time for which it blocked its thread.
    pub(super) longest: Duration,
    /// It panicked; the answer is then the panic's message.
    pub(super) panicked: bool,
    /// What is missing in its error.
    lacks: Option<&'static str>,
}

/// What is missing in an error of this plugin for someone who has to act on it.
fn lacks(error: &Error, plugin: &str, endpoint: &str) -> Option<&'static str> {
    let text = error.chain().join(" ").replace(endpoint, "").to_lowercase();
    let words = || text.split(|char: char| !char.is_alphabetic()).filter(|word| word.len() > 1);
    let is_who = |word: &str| WHO.contains(&word) || plugin.split('-').any(|name| name == word);
    if words().count() < 2 || words().all(is_who) {
        return Some("says who, and not what went wrong: put the cause into it");
    }
    let has_more = error.chain().len() > 1 || error.help().is_some();
    (!has_more).then_some("tells neither a cause nor a mend: use `context` or `help`")
}

fn is_bad(state: State) -> bool {
    matches!(state, State::Degraded | State::Error)
}

impl<F: 'static> Trial<'_, F> {
    /// Checks a call while nothing is broken.
    pub(super) async fn check_call(&self, agent: &Agent<F>, life: &mut Life) {
        let called = self.call(agent).await;
        if self.check_panic("while all is well", &called, life) {
            return;
        }
        self.check_blocking("while all is well", &called, life);
        let what = match called.answer {
            Some(Ok(())) => return,
            Some(Err(error)) => format!("while all is well, a call fails: {error}"),
            None => format!("while all is well, a call does not end within {:?}", self.outside.call_within),
        };
        self.add(life, 0, what);
    }

    /// Checks a call that cannot get an answer.
    pub(super) fn check_failure(&self, while_: &str, called: Called, life: &mut Life) {
        if self.check_panic(while_, &called, life) {
            return;
        }
        self.check_blocking(while_, &called, life);
        let within = self.outside.call_within;
        match called.answer {
            None => {
                let help = "give each call to the outside a time-out";
                self.add(life, 3, format!("{while_}: a call does not end within {within:?}: {help}"));
            }
            Some(Ok(())) => {
                let help = "say so when the server has answered, and not before";
                self.add(life, 6, format!("{while_}: a call says that all is well, and may be lost: {help}"));
            }
            Some(Err(text)) => {
                if !self.is_named_in(&text) {
                    self.add(life, 7, self.unnamed(&format!("{while_}: the error of a call"), &text));
                } else if let Some(lacks) = called.lacks {
                    self.add(life, 7, format!("{while_}: the error of a call {lacks}: {text}"));
                }
                life.texts.push(text);
            }
        }
    }

    /// Returns whether the call panicked. The panic is then the only violation that is reported for it.
    pub(super) fn check_panic(&self, while_: &str, called: &Called, life: &mut Life) -> bool {
        if let (true, Some(Err(panic))) = (called.panicked, &called.answer) {
            let help = "return an error, which names the endpoint, the cause and the mend";
            self.add(life, 7, format!("{while_}: a call panicked: {panic}: {help}"));
        }
        called.panicked
    }

    fn check_blocking(&self, while_: &str, called: &Called, life: &mut Life) {
        if called.longest > self.kit.blocks_after {
            let (longest, help) = (called.longest, "what blocks belongs in `tokio::task::spawn_blocking`");
            life.calls_block = true;
            self.add(life, 3, format!("{while_}: a call kept its thread for {longest:.1?}: {help}"));
        }
    }

    /// Checks that the plugin reports a bad state, with the reason.
    pub(super) async fn check_reported(&self, while_: &str, agent: &Agent<F>, life: &mut Life) {
        let within = self.outside.lost_within;
        let status = self.status_when(agent, within, |status| is_bad(status.state)).await;
        let Some(PluginStatus { state, reason, .. }) = status else { return };
        let reason = reason.unwrap_or_default();
        if !is_bad(state) {
            let help = "report `Degraded` or `Error`, or have the plugin asked by `Context::probe`";
            self.add(life, 4, format!("{while_}: its state is still `{state}` after {within:?}: {help}"));
        } else if !self.is_named_in(&reason) {
            self.add(life, 4, self.unnamed(&format!("{while_}: the reason of its state"), &reason));
        }
        life.texts.push(reason);
    }

    /// Runs `does` while the server is lost, and watches the state: once it is bad, it has to stay bad for as long as
    /// the server cannot have answered. Each change is seen, however short.
    pub(super) async fn check_stays_reported(
        &self,
        while_: &str,
        agent: &Agent<F>,
        life: &mut Life,
        does: impl AsyncFnOnce(&mut Life),
    ) {
        let (steady, lost, is_back) =
            (self.outside.back_within.clamp(STEADY[0], STEADY[1]), Cell::new(None), Cell::new(false));
        let looks = async {
            let mut changes = agent.status_changes();
            let mut status = Some(changes.current());
            while let Some(now) = status {
                let state = now.plugins.iter().find(|one| one.name == self.kit.plugin).map(|one| one.state);
                match lost.get() {
                    // A plugin whose first probe has not answered yet has reported nothing.
                    None if state.is_some_and(is_bad) => lost.set(Some(Instant::now())),
                    Some(_) if state == Some(State::Ok) => is_back.set(true),
                    _ => {}
                }
                status = changes.next().await;
            }
        };
        let does = async {
            does(life).await;
            let left = lost.get().map(|since| steady.saturating_sub(since.elapsed()));
            sleep(left.unwrap_or_default()).await;
        };
        // `looks` does not end while the agent runs, so this waits for `does`.
        select(pin!(looks), pin!(does)).await;
        if is_back.get() {
            let help = "report `Ok` when the server has answered, and not when it is tried again";
            self.add(life, 4, format!("{while_}: its state goes back to `ok`, within {steady:?}: {help}"));
        }
    }

    /// Checks that the plugin works again and reports it after the server is back.
    pub(super) async fn check_recovery(&self, after: &str, agent: &Agent<F>, life: &mut Life) {
        let (within, began) = (self.outside.back_within, Instant::now());
        self.outside.link.restore();
        let mut answer = self.call(agent).await.answer;
        while !matches!(answer, Some(Ok(()))) && began.elapsed() < within {
            sleep(LOOK).await;
            answer = self.call(agent).await.answer;
        }
        if !matches!(answer, Some(Ok(()))) {
            let error = answer.and_then(Result::err).unwrap_or_else(|| "it does not end".to_string());
            let help = "let the plugin connect again by itself";
            self.add(
                life,
                6,
                format!("{after}: a call still fails {within:?} after the server is back: {error}: {help}"),
            );
            return;
        }
        let left = within.saturating_sub(began.elapsed());
        let status = self.status_when(agent, left, |status| status.state == State::Ok).await;
        if let Some(status) = status.filter(|status| status.state != State::Ok) {
            let (state, help) = (status.state, "report `Ok` when the connection is back");
            self.add(
                life,
                4,
                format!("{after}: its state is still `{state}` {within:?} after the server is back: {help}"),
            );
        }
    }

    /// Makes one call, which is given up when it takes far too long.
    pub(super) fn call(&self, agent: &Agent<F>) -> impl Future<Output = Called> + use<F> {
        let call = guard(|| (self.outside.call)(agent));
        let (limit, endpoint) = (self.outside.call_within + SLACK, self.outside.link.addr().to_string());
        let plugin = self.kit.plugin.clone();
        async move {
            let (mut longest, mut panicked, mut missed) = (Duration::ZERO, false, None);
            let mut call = match call {
                Ok(call) => call,
                Err(panic) => {
                    return Called { answer: Some(Err(panic.to_string())), longest, panicked: true, lacks: None };
                }
            };
            let watched = poll_fn(|task| {
                let began = Instant::now();
                let polled = guard(|| call.as_mut().poll(task));
                longest = began.elapsed().max(longest);
                match polled {
                    Ok(polled) => polled.map_err(|error| {
                        missed = lacks(&error, &plugin, &endpoint);
                        format!("{error:?}")
                    }),
                    Err(panic) => {
                        panicked = true;
                        Poll::Ready(Err(panic.to_string()))
                    }
                }
            });
            let answer = timeout(limit, watched).await.ok();
            Called { answer, longest, panicked, lacks: missed }
        }
    }

    pub(super) fn status(&self, agent: &Agent<F>) -> Option<PluginStatus> {
        agent.status().plugins.into_iter().find(|status| status.name == self.kit.plugin)
    }

    /// The plugin's status as soon as `is` holds, or when the time is over.
    async fn status_when(
        &self,
        agent: &Agent<F>,
        within: Duration,
        is: impl Fn(&PluginStatus) -> bool,
    ) -> Option<PluginStatus> {
        let began = Instant::now();
        loop {
            let status = self.status(agent)?;
            if is(&status) || began.elapsed() > within {
                return Some(status);
            }
            sleep(LOOK).await;
        }
    }

    /// Whether the text names the endpoint, by its port: the host may be written in more than one way.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        text.contains(&format!(":{}", self.outside.link.addr().port()))
    }

    pub(super) fn unnamed(&self, what: &str, text: &str) -> String {
        format!("{what} does not name the endpoint, {}: {text}", self.outside.link.addr())
    }

    pub(super) fn add(&self, life: &mut Life, point: u8, what: String) {
        life.violations.push(Violation { point, what });
    }
}
