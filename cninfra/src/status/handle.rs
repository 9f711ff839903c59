//! [`Status`]: what a plugin has of the registry.

use super::{AgentStatus, Registry, State, registry::Said};
use crate::Context;

/// The status of a plugin and of its agent: see [`Context::status`](crate::Context::status).
#[derive(Clone, Copy)]
pub struct Status<'a> {
    cx: &'a Context,
}

impl<'a> Status<'a> {
    pub(crate) fn new(cx: &'a Context) -> Self {
        Status { cx }
    }

    fn registry(&self) -> &'a Registry {
        self.cx.status_registry()
    }

    /// Reports the plugin's state. A plugin that never does is as its agent: starting, then well. One that is the same again is no
    /// change, so it may be reported as often as it is seen; a change is logged.
    pub fn report(&self, state: State) {
        self.put(state, None, false);
    }

    /// Reports the plugin's state and why it is so.
    pub fn report_because(&self, state: State, reason: impl Into<String>) {
        self.put(state, Some(reason.into()), false);
    }

    /// Reports that the plugin does not work, and will not before the process is started anew: a defect of its own, never
    /// trouble with something outside. The liveness probe fails, and the orchestrator starts the process anew.
    pub fn report_broken(&self, reason: impl Into<String>) {
        self.put(State::Error, Some(reason.into()), true);
    }

    fn put(&self, state: State, reason: Option<String>, broken: bool) {
        let why = reason.clone();
        let before = self.registry().report(self.cx.place(), Said { state, reason, broken });
        let before = before.map(|before| before.state);
        if before != Some(state) && (before.is_some() || state != State::Ok) {
            crate::info!(self.cx.log(), %state, reason = why, "its state has changed");
        }
    }

    /// The agent goes on without the plugin, whatever it says of itself; it tells so by itself.
    pub(crate) fn down(&self, reason: String) {
        self.registry().down(self.cx.place(), reason);
    }

    /// It is up after all. What it has said of itself since then stays.
    pub(crate) fn up(&self) {
        self.registry().up(self.cx.place());
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
