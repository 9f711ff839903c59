//! Draining and closing: dependents first, continuing after errors.

use super::{common::Common, runner::Runner, together::run};
use crate::{
    Context,
    agent::terms::{
        event::Outcome,
        failure::PluginError,
        limits::{StopTime, after},
        phase::Phase,
    },
    tasks::{END_IT, LEFT},
};
use std::{ops::Range, time::Duration};
use tokio::time::Instant;

impl Runner {
    /// Ends the probes, so that no plugin is probed any more.
    pub(super) async fn end_probes(&self) {
        let shared = &self.env.shared;
        for left in shared.tasks.end_probes().await {
            let log = Context::new(shared.clone(), left.place).log();
            log.error("its probe blocks its thread: the agent stops beside it");
        }
    }

    /// Drains all plugins at once. `used` is the part of the draining time that is already over; the rest of the stop
    /// is for closing.
    pub(super) async fn drain(&mut self, ends: Instant, used: Duration) -> Vec<PluginError> {
        let (env, whole) = (self.env.clone(), self.env.limits.drain());
        // If little of it is used, the whole limit holds: an error should not name a limit that nobody has set.
        let limit = if used < whole / 8 { whole } else { whole.saturating_sub(used) };
        let now = Instant::now();
        let span = (now, after(now, limit).min(ends));
        let common = Common::new(&env, Phase::Drain, limit, span);
        env.shared.set_stop_time(StopTime::new(&env.limits, Phase::Drain, span));
        let serving = self.plugins[..self.serving].iter().filter(|plugin| !plugin.down);
        run(serving, &common, &mut self.record).await.errors
    }

    /// Closes the plugins that have begun, and ends the tasks that they have left.
    pub(super) async fn close(&mut self, ends: Instant) -> Vec<PluginError> {
        let (env, mut errors) = (self.env.clone(), Vec::new());
        let mut to = env.graph.len();
        while to > 0 {
            let from = env.group_begin(to);
            let behind = self.plugins[..self.begun].iter().rev().take_while(|plugin| plugin.place >= from).count();
            let first = self.begun - behind;
            env.shared.tasks.end_before_close(from..to, ends).await;
            let mut now = Instant::now();
            if first < self.begun {
                let common = Common::new(&env, Phase::Close, env.limits.whole.stop, (now, ends));
                env.shared.set_stop_time(StopTime::new(&env.limits, Phase::Close, (now, ends)));
                // Within a level in reverse order, so that the stop mirrors the start.
                let closing = self.plugins[first..self.begun].iter().rev();
                let mut closed = run(closing, &common, &mut self.record).await;
                now = closed.now();
                errors.append(&mut closed.errors);
                self.begun = first;
            }
            // This includes the tasks of plugins without a lifecycle, and of those that have not begun.
            let left = self.end_tasks(from..to, (now, ends), &errors).await;
            errors.extend(left);
            to = from;
        }
        errors
    }

    /// Ends the tasks of these plugins. Returns an error for each task that could not be ended.
    async fn end_tasks(
        &mut self,
        places: Range<usize>,
        (started, ends): (Instant, Instant),
        failed: &[PluginError],
    ) -> Vec<PluginError> {
        let (env, mut errors) = (self.env.clone(), Vec::new());
        // A plugin without a lifecycle has no `close` in which it could end its tasks.
        let has_lifecycle = |place| self.plugins.binary_search_by_key(&place, |plugin| plugin.place).is_ok();
        for left in env.shared.tasks.end(places, has_lifecycle, ends).await {
            let log = Context::new(env.shared.clone(), left.place).log();
            let name = left.name;
            if left.stuck {
                let error = PluginError::of_stuck_task(&env.graph.nodes()[left.place], left);
                log.error(format_args!("{error}"));
                errors.push(error);
            } else if failed.iter().any(|error| error.instance == env.graph.nodes()[left.place].instance()) {
                // If `close` had not failed, it might have ended the task.
                log.warn(format_args!("task `{name}{LEFT}"));
            } else if has_lifecycle(left.place) {
                log.warn(format_args!("task `{name}{LEFT}; {END_IT}"));
            } else {
                log.debug(format_args!("task `{name}` is ended"));
                continue;
            }
            self.record.put(left.place, Phase::Close, started, Instant::now(), Outcome::LeftTask);
        }
        errors
    }
}
