//! [`Status`]: a plugin's access to the registry.

use super::{
    AgentStatus, Down, Registry, State,
    registry::{PendingProbe, Statement},
};
use crate::{Context, logging::Level};
use std::time::Duration;

/// The status of a plugin and of its agent: see [`Context::status`](crate::Context::status).
#[derive(Clone, Copy)]
pub struct Status<'a> {
    cx: &'a Context,
}

impl Context {
    /// The plugin's status, and that of the agent.
    #[must_use]
    pub fn status(&self) -> Status<'_> {
        Status { cx: self }
    }
}

impl<'a> Status<'a> {
    fn registry(&self) -> &'a Registry {
        self.cx.status_registry()
    }

    /// Reports the plugin's state. A plugin that never does has the state of its agent: starting, then ok. Reporting
    /// the same state again changes nothing, so it may be reported as often as it is observed. A change is logged; an
    /// error is logged as a warning.
    #[track_caller]
    pub fn report(&self, state: State) {
        self.put(state, None, false);
    }

    /// Reports the plugin's state, with the reason.
    #[track_caller]
    pub fn report_because(&self, state: State, reason: impl Into<String>) {
        self.put(state, Some(reason.into()), false);
    }

    /// Reports that the plugin does not work, and will not until the process is restarted. Use it only for a defect of
    /// the plugin itself, never for a problem with something outside. The liveness probe then fails, and the
    /// orchestrator restarts the process. It is logged as an error.
    #[track_caller]
    pub fn report_broken(&self, reason: impl Into<String>) {
        self.put(State::Error, Some(reason.into()), true);
    }

    /// Reports that the plugin works although its `init` has failed: the cause of the failure is gone, and the plugin
    /// has recovered by itself, as a store that has reconnected. If its [start policy](crate::agent::StartPolicy) is
    /// `ignore`, its reported state counts again from now on. If it is `retry`, the next attempt reports that the
    /// plugin is up. Otherwise it has no effect.
    pub fn recovered(&self) {
        if self.registry().mark_recovered(self.cx.place()) {
            self.cx.log().info("works by now, though its `init` has failed, which was ignored");
        }
    }

    /// For authors of probes: says that the states of these plugins, given by their instance names, do not count for
    /// the probes, so that code that shows the status can say so.
    pub fn non_fatal<N: AsRef<str>>(&self, names: &[N]) {
        // Evaluated without the lock, since `as_ref` is foreign code.
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        self.registry().set_non_fatal(|instance| names.contains(&instance));
    }

    #[track_caller]
    fn put(&self, state: State, reason: Option<String>, broken: bool) {
        let statement = Statement { state, reason, broken };
        let before = self.registry().report(self.cx.place(), statement.clone());
        let is_new = match &before {
            Some(before) => (before.state, before.broken) != (state, broken),
            None => state != State::Ok,
        };
        if is_new {
            let level = match state {
                _ if broken => Level::Error,
                State::Error | State::Degraded => Level::Warn,
                _ => Level::Info,
            };
            // The record has the location of the caller.
            let mut log = self.cx.log().with("state", state);
            if let Some(reason) = statement.reason {
                log = log.with("reason", reason);
            }
            let what = if broken { "is broken: only a new start mends it" } else { "its state has changed" };
            log.log(level, what);
        }
    }

    /// The agent runs without the plugin, whatever the plugin reports. The agent logs that itself.
    pub(crate) fn mark_down(&self, down: Down, reason: String) {
        self.registry().mark_down(self.cx.place(), down, reason);
    }

    /// Like [`mark_down`](Self::mark_down), by the policy `ignore`.
    pub(crate) fn mark_ignored(&self, reason: String) {
        self.registry().mark_ignored(self.cx.place(), reason);
    }

    /// The plugin is up after all. What it has reported meanwhile stays.
    pub(crate) fn mark_up(&self) {
        self.registry().mark_up(self.cx.place());
    }

    /// The plugin will be probed regularly.
    pub(super) fn expect_probe(&self) {
        self.registry().expect_probe(self.cx.place());
    }

    /// A call of the plugin's probe is in progress until this is dropped.
    pub(super) fn begin_probe(&self, within: Duration) -> ProbeCall {
        let probe = PendingProbe::within(within);
        self.registry().probe_begins(self.cx.place(), probe);
        ProbeCall { cx: self.cx.clone(), probe }
    }

    /// The state of the whole agent.
    #[must_use]
    pub fn agent(&self) -> AgentStatus {
        self.registry().agent()
    }
}

impl std::fmt::Debug for Status<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.agent().fmt(f)
    }
}

/// A call of a probe in progress.
pub(super) struct ProbeCall {
    cx: Context,
    probe: PendingProbe,
}

impl ProbeCall {
    /// Whether it is too late for an answer.
    pub(super) fn is_late(&self) -> bool {
        self.probe.is_late()
    }
}

impl Drop for ProbeCall {
    fn drop(&mut self) {
        self.cx.status_registry().probe_ended(self.cx.place(), &self.probe);
    }
}
