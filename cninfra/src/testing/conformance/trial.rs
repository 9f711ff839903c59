//! [`Trial`]: breaks the server of a plugin in several ways, and checks the plugin's calls.

use super::{
    Conformance, Outside, SOON, Violation,
    found::Found,
    life::{Going, Life},
    probe::Ordeal,
    verdict::{Called, STEADY},
};
use crate::{
    Agent, Phase,
    agent::{Builder, Cause, StartPolicy},
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::time::{Duration, Instant};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

/// How much longer than promised something may take on a busy machine.
pub(super) const SLACK: Duration = Duration::from_secs(1);
/// The interval at which something is polled.
pub(super) const LOOK: Duration = Duration::from_millis(5);
/// If nothing has arrived for this long, nothing more will.
const QUIET: Duration = Duration::from_millis(300);
/// A flood is the first number times the size of the queue, but at least the second number of calls.
const FLOOD: (usize, usize) = (4, 256);
/// The number of calls that are in progress when a plugin closes.
const IN_FLIGHT: usize = 4;

pub(super) struct Trial<'a, F> {
    pub(super) kit: &'a Conformance<F>,
    pub(super) outside: &'a Outside<F>,
}

impl<F: 'static> Trial<'_, F> {
    /// Runs each check in an agent of its own.
    pub(super) fn check(&self, found: &mut Found<'_>) {
        let silent =
            self.live(found, "a server that did not answer", async |agent, life| self.check_silence(agent, life).await);
        if silent.calls_block {
            // A flood of such calls would never end, and everything else would be reported as a violation because of
            // it.
            return;
        }
        self.live(found, "a connection that was lost", async |agent, life| self.check_loss(agent, life).await);
        self.live(found, "a flood of calls", async |agent, life| self.check_flood(agent, life).await);
        self.live(found, "a close while the server did not answer", async |agent, life| {
            self.check_close(agent, life).await
        });
        for (does, how) in [("refuses connections", Self::cut as fn(&Self)), ("does not answer", Self::pause)] {
            let policies =
                [("fail", StartPolicy::Fail), ("retry", StartPolicy::Retry(SOON)), ("ignore", StartPolicy::Ignore)];
            for (name, policy) in policies {
                self.check_starts(found, &format!("a start with policy `{name}` while the server {does}"), how, policy);
            }
        }
    }

    fn cut(&self) {
        self.outside.link.cut();
    }

    /// Pauses the link for longer than anything may take meanwhile. It ends by itself, since the plugin may block the
    /// thread that would restore it.
    fn pause(&self) {
        let Outside { link, call_within, start_within, lost_within, .. } = self.outside;
        link.pause_at_most(*start_within + 2 * (*call_within + SLACK) + *lost_within + STEADY[1] + SLACK);
    }

    fn live(
        &self,
        found: &mut Found<'_>,
        what: &str,
        does: impl AsyncFnOnce(&Agent<F>, &mut Life) -> Vec<Going>,
    ) -> Life {
        let life = self.kit.live_through(&self.kit.make, Ordeal::None, does);
        self.outside.link.restore();
        found.of_a_life(what, &life);
        if let unanswered @ 1.. = life.unanswered.get() {
            let help = "end those that wait with an error";
            found.add(3, format!("after {what}: {unanswered} calls did not end: {help}"));
        }
        if !life.started {
            found.add(6, format!("before {what}: the agent does not start: {}", life.texts[0]));
        }
        life
    }

    /// Calls get no answer until the server answers again.
    async fn check_silence(&self, agent: &Agent<F>, life: &mut Life) -> Vec<Going> {
        const WHILE: &str = "while the server does not answer";
        self.check_call(agent, life).await;
        self.pause();
        let calls = async |life: &mut Life| {
            // One on the existing connection, and one on a connection that may replace it.
            for _ in 0..2 {
                let called = self.call(agent).await;
                self.check_failure(WHILE, called, life);
            }
            self.check_reported(WHILE, agent, life).await;
        };
        self.check_stays_reported(WHILE, agent, life, calls).await;
        self.check_recovery("after the server did not answer", agent, life).await;
        Vec::new()
    }

    /// The connection is reset, and new ones are refused until the server is back. No call is made until the loss is
    /// reported.
    async fn check_loss(&self, agent: &Agent<F>, life: &mut Life) -> Vec<Going> {
        const WHILE: &str = "while the connection is lost";
        self.check_call(agent, life).await;
        self.outside.link.cut();
        let calls = async |life: &mut Life| {
            self.check_reported(WHILE, agent, life).await;
            let called = self.call(agent).await;
            self.check_failure(WHILE, called, life);
        };
        self.check_stays_reported(WHILE, agent, life, calls).await;
        self.check_recovery("after the connection was lost", agent, life).await;
        Vec::new()
    }

    /// More calls than any queue may hold, none of which gets an answer.
    async fn check_flood(&self, agent: &Agent<F>, life: &mut Life) -> Vec<Going> {
        let Outside { link, queue, tasks, call_within, .. } = self.outside;
        // The first call may include what opens a connection, so the second one is measured.
        self.check_call(agent, life).await;
        let before = link.sent();
        self.check_call(agent, life).await;
        let one = (link.sent() - before).max(1);
        let (count, metrics) = ((FLOOD.0 * queue).max(FLOOD.1), Handle::current().metrics());
        let (alive, mut most) = (metrics.num_alive_tasks(), 0);
        self.pause();
        let mut calls: FuturesUnordered<_> = (0..count).map(|_| self.call(agent)).collect();
        let (mut unanswered, mut well, mut panicked) = (0, 0, 0);
        loop {
            most = metrics.num_alive_tasks().saturating_sub(alive).max(most);
            match timeout(LOOK, calls.next()).await {
                Err(_) => continue,
                Ok(None) => break,
                Ok(Some(called)) => {
                    unanswered += usize::from(called.answer.is_none());
                    well += usize::from(matches!(called.answer, Some(Ok(()))));
                    panicked += usize::from(called.panicked);
                    life.texts.extend(called.answer.and_then(Result::err));
                }
            }
        }
        let mut add = |point, what| life.violations.push(Violation { point, what });
        let flood = format!("in a flood of {count} calls that get no answer");
        if unanswered > 0 {
            let help = "one that waits for room has a limit, too";
            add(3, format!("{flood}, {unanswered} did not end within {call_within:?}: {help}"));
        }
        if well > 0 {
            let help = "say so when the server has answered, and not before";
            add(6, format!("{flood}, {well} say that all is well, and may be lost: {help}"));
        }
        if panicked > 0 {
            add(7, format!("{flood}, {panicked} panicked: return an error"));
        }
        if most > *tasks {
            let help = "let one task serve all calls, or bound them";
            add(3, format!("{flood}, there are {most} more tasks, and {tasks} are allowed: {help}"));
        }
        let sent = link.sent();
        link.restore();
        self.wait_until_quiet().await;
        // Each caller has been told that the call has failed, so what is sent now is stale.
        let stale = usize::try_from((link.sent() - sent) / one).unwrap_or(usize::MAX);
        if stale > queue + count / 4 {
            let help = "give the queue a bound, and refuse what is beyond it, or let it wait";
            add(
                3,
                format!(
                    "after a flood of {count} calls, which have all ended, {stale} were sent, and {queue} may be queued: {help}"
                ),
            );
        }
        self.check_recovery("after a flood of calls", agent, life).await;
        Vec::new()
    }

    async fn wait_until_quiet(&self) {
        let (mut sent, mut since, began) = (self.outside.link.sent(), Instant::now(), Instant::now());
        while since.elapsed() < QUIET && began.elapsed() < self.outside.back_within {
            sleep(LOOK).await;
            let now = self.outside.link.sent();
            if now != sent {
                (sent, since) = (now, Instant::now());
            }
        }
    }

    /// A close during calls that get no answer. They go on while it runs.
    async fn check_close(&self, agent: &Agent<F>, life: &mut Life) -> Vec<Going> {
        self.check_call(agent, life).await;
        self.pause();
        let mut calls: FuturesUnordered<_> = (0..IN_FLIGHT).map(|_| self.call(agent)).collect();
        let unanswered = life.unanswered.clone();
        let count = move |called: &Called| unanswered.set(unanswered.get() + usize::from(called.answer.is_none()));
        // Each of them has begun.
        while let Ok(Some(called)) = timeout(LOOK, calls.next()).await {
            count(&called);
        }
        let rest: Going = Box::pin(async move {
            while let Some(called) = calls.next().await {
                count(&called);
            }
        });
        vec![rest]
    }

    /// A start without a server that answers.
    fn check_starts(&self, found: &mut Found<'_>, what: &str, how: fn(&Self), policy: StartPolicy) {
        let Outside { link, start_within, .. } = self.outside;
        how(self);
        let make = || -> Builder<F> {
            let builder = (self.kit.make)().start_policy(&self.kit.plugin, policy);
            builder.limit(&self.kit.plugin, Phase::Init, *start_within)
        };
        let life = self.kit.live_through(&make, Ordeal::None, async |agent: &Agent<F>, life: &mut Life| {
            if policy != StartPolicy::Fail {
                self.check_down(what, policy, agent, life).await;
            }
            Vec::new()
        });
        link.restore();
        found.of_a_life(what, &life);
        match policy {
            StartPolicy::Fail if life.started => {
                found.add(5, format!("after {what}: the agent has started: let `init` fail without its server"));
            }
            StartPolicy::Fail => {
                let failed = life.errors.iter().filter_map(|error| match &error.cause {
                    Cause::Failed(cause) if error.instance == self.kit.plugin => Some(cause.to_string()),
                    _ => None,
                });
                for text in failed.filter(|text| !self.is_named_in(text)).collect::<Vec<_>>() {
                    found.add(7, self.unnamed(&format!("after {what}: its error"), &text));
                }
            }
            _ if !life.started => found.add(5, format!("after {what}: the agent has not started: {}", life.texts[0])),
            _ => {}
        }
    }

    /// The agent runs without the plugin. With `retry` it comes up when the server does.
    async fn check_down(&self, what: &str, policy: StartPolicy, agent: &Agent<F>, life: &mut Life) {
        let (while_, status) = (format!("after {what}"), self.status(agent));
        let reason = status.and_then(|status| status.reason).unwrap_or_default();
        if !self.is_named_in(&reason) {
            self.add(life, 7, self.unnamed(&format!("{while_}: the reason of its state"), &reason));
        }
        life.texts.push(reason);
        let called = self.call(agent).await;
        self.check_failure(&while_, called, life);
        if policy == StartPolicy::Ignore {
            return;
        }
        self.outside.link.restore();
        if timeout(self.outside.back_within, agent.all_up()).await.is_err() {
            let within = self.outside.back_within;
            let help = "`init` may be called again after it has failed";
            self.add(
                life,
                5,
                format!("{while_}: it does not come up within {within:?} after the server is there: {help}"),
            );
            return;
        }
        self.check_recovery(&while_, agent, life).await;
    }
}
