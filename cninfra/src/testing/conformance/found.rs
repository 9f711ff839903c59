//! [`Found`]: the violations so far, and the checks that apply to every life.

use super::{
    Violation,
    life::{Life, OUTLIVES, UP_WITHIN},
};
use crate::{agent::Cause, status::State, tasks::END_IT};

/// The violations so far.
pub(super) struct Found<'a> {
    pub(super) plugin: &'a str,
    pub(super) secrets: Vec<String>,
    pub(super) violations: Vec<Violation>,
}

impl Found<'_> {
    /// Adds a violation, each only once. Secrets are masked in it, too.
    pub(super) fn add(&mut self, point: u8, what: String) {
        let what = self.secrets.iter().fold(what, |what, secret| what.replace(secret, "***"));
        let new = Violation { point, what };
        if !self.violations.contains(&new) {
            self.violations.push(new);
        }
    }

    /// Adds the secrets of the config to those that the test has named. Very short ones are left out, since they occur
    /// in many words.
    fn knows(&mut self, secrets: &[String]) {
        const LEAST: usize = 4;
        for secret in secrets.iter().filter(|secret| secret.len() >= LEAST) {
            if !self.secrets.contains(secret) {
                self.secrets.push(secret.clone());
            }
        }
    }

    /// Checks what has to hold after any life.
    pub(super) fn of_a_life(&mut self, after: &str, life: &Life) {
        self.knows(&life.secrets);
        if life.left_task {
            let names = life.left_names().join("`, `");
            self.add(1, format!("after {after}: a task of it still ran when it had closed: `{names}`: {END_IT}"));
        } else if life.alive > 0 {
            let mend = "spawn them by `Context::spawn_until_close`, and not by `tokio::spawn`; those of a client end with it, in `close`";
            let (alive, run) = (life.alive, if life.alive == 1 { "task still runs" } else { "tasks still run" });
            self.add(1, format!("after {after}: {alive} {run} that the agent does not know: {mend}"));
        }
        if life.outlived {
            self.add(
                1,
                format!("after {after}: what was given to `spawn_blocking` still runs {OUTLIVES:?} after the close"),
            );
        }
        let plugin = self.plugin;
        for error in life.closing.iter().filter(|error| error.instance == plugin || error.instance == "AGENT") {
            self.add(2, format!("after {after}: {error}"));
        }
        for error in &life.errors {
            if matches!(error.cause, Cause::Panicked(_)) && error.instance == self.plugin {
                self.add(2, format!("after {after}: {error}"));
            }
            if matches!(error.cause, Cause::Blocked { .. } | Cause::TimedOut(_)) && error.instance == self.plugin {
                self.add(3, format!("after {after}: {error}: give what it waits for a time-out of its own"));
            }
        }
        for Violation { point, what } in &life.violations {
            self.add(*point, what.clone());
        }
        if self.secrets.iter().any(|secret| life.texts.iter().any(|text| text.contains(secret))) {
            self.add(
                7,
                format!("after {after}: a secret is told: keep it in a `Secret`, and out of errors, logs and reasons"),
            );
        }
    }

    pub(super) fn of_its_state(&mut self, life: &Life) {
        let status = life.status.iter().flat_map(|status| &status.plugins).find(|status| status.name == self.plugin);
        let Some(status) = status else { return };
        let has_reason = status.reason.as_ref().is_some_and(|reason| !reason.is_empty());
        match status.state {
            State::Init => self.add(4, format!("its state is still `Init` {UP_WITHIN:?} after the agent has started")),
            State::Ok => {}
            state if !has_reason => self.add(4, format!("its state is {state:?}, without a reason")),
            _ => {}
        }
    }

    pub(super) fn of_its_errors(&mut self, about: &str, life: &Life) {
        let plugin = self.plugin;
        let errors: Vec<_> = life.errors.iter().filter(|error| error.instance == plugin).collect();
        if errors.is_empty() {
            self.add(7, format!("{about}: it does not fail"));
        }
        for error in errors {
            let (Cause::Failed(cause) | Cause::Config(cause)) = &error.cause else { continue };
            let text = cause.to_string();
            if cause.chain().len() < 2 && cause.help().is_none() {
                self.add(7, format!("{about}: its error tells neither a cause nor a mend: {text}"));
            }
            let first = text.chars().next();
            if text.trim().is_empty() || text.ends_with('.') || first.is_some_and(char::is_uppercase) {
                self.add(7, format!("{about}: an error is in lower case, without a full stop: {text}"));
            }
        }
    }
}
