//! If a plugin blocks the agent's task beyond its limit, another task closes the other plugins before the process ends.

use super::{
    teller::{FIRST, Teller},
    undone::{write_open, write_still},
};
use crate::{
    agent::{
        run::{
            progress::{Call, Progress, Stage, StageKind, State},
            record::Record,
            roll::Remaining,
            runner::Runner,
        },
        terms::{failure::PluginError, limits::after, phase::Phase, report},
        watch::{
            beside::beside_workers,
            lookout::{Findings, Lookout},
            watchdog::{GRACE, TICK},
        },
    },
    graph::Graph,
    logging::Level,
};
use std::{
    fmt::{self, Formatter},
    sync::Arc,
    time::{Duration, Instant as WallClock},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout},
};

/// How long to wait until the new task runs. If tasks block all threads, it never does.
const BEGINS_WITHIN: Duration = Duration::from_secs(1);

/// Closes all plugins that have begun, except the one that blocks in this call. If another plugin blocks as well, it is
/// skipped in the same way. Returns when this is done and reported, or when the time is over.
pub(super) async fn close_others(mut lookout: Lookout, call: Call, teller: &Teller, runtime: &Handle) {
    let Some(mut rescue) = Rescue::begin(lookout.progress(), call) else { return };
    let (log, graph, ends) = (rescue.runner.env.shared.loggers.of_agent(), rescue.runner.env.graph, rescue.ends);
    let mut blocked = vec![call];
    let outcome = loop {
        // This report has to be in the log before the plugins' own records.
        teller.flush(FIRST);
        let progress = rescue.progress.clone();
        lookout.follow(progress.clone());
        let result = rescue.run_to_end(&mut lookout, ends, teller, runtime).await;
        let next = match result {
            RescueOutcome::Closed(errors) => break Some(errors),
            RescueOutcome::Blocked(call) => {
                blocked.push(call);
                Rescue::begin(&progress, call)
            }
            RescueOutcome::Nothing => None,
        };
        match next {
            Some(next) => rescue = next,
            None => break None,
        }
    };
    let report = Report::new(graph, lookout.progress(), &blocked, outcome);
    teller.say(&log, report.level(), report);
}

/// The stop of the other plugins, run by a separate task.
struct Rescue {
    progress: Arc<Progress>,
    runner: Runner,
    /// The time for the whole stop, and the moment at which it is over.
    time: Duration,
    ends: Instant,
}

/// The outcome of a rescue.
enum RescueOutcome {
    Closed(Vec<PluginError>),
    Blocked(Call),
    Nothing,
}

impl Rescue {
    /// Takes over from the task that is in this call. Returns `None` if the call has returned, or if nothing is left to
    /// be closed.
    fn begin(from: &Progress, call: Call) -> Option<Self> {
        let State::Stage(stage) = from.state() else { return None };
        // Destructors run only when all plugins have been closed.
        if call.is_destructor() {
            return None;
        }
        let progress = from.take_over(call)?;
        let Remaining { env, epoch, plugins } = from.begun_plugins()?.remaining(call.place)?;
        let (now, whole) = (WallClock::now(), env.limits.whole.stop);
        let (kind, ends) = match stage.kind {
            // The start is rolled back. If a stop was requested, its limit counts from that request.
            StageKind::Start => {
                let began = env.shared.stop.asked_at().map_or(now, |asked| asked.min(now));
                (StageKind::Rollback, began.checked_add(whole))
            }
            kind => (kind, stage.ends),
        };
        let time = ends.map_or(whole, |ends| ends.saturating_duration_since(now));
        let record = Record::from(epoch, &env.shared);
        let runner = Runner::of_begun(env.with_progress(progress.clone()), plugins, record);
        runner.enter_stage(kind, time);
        let spare = if let State::Stage(Stage { spare, .. }) = progress.state() { spare } else { Duration::ZERO };
        let ends = after(Instant::now(), time.saturating_add(spare).saturating_add(GRACE));
        Some(Rescue { progress, runner, time, ends })
    }

    /// Runs the stop on a new task until it is done, one of its plugins blocks, or `until` has passed.
    async fn run_to_end(
        self,
        lookout: &mut Lookout,
        until: Instant,
        teller: &Teller,
        runtime: &Handle,
    ) -> RescueOutcome {
        let ((begins, begun), (done, mut closed)) = (oneshot::channel(), oneshot::channel());
        let task = runtime.spawn(beside_workers(self.progress.clone(), Box::pin(self.run(begins, done))));
        if !matches!(timeout(BEGINS_WITHIN, begun).await, Ok(Ok(()))) {
            task.abort();
            return RescueOutcome::Nothing;
        }
        loop {
            tokio::select! {
                biased;
                // An error means that the task has panicked, which has been logged.
                closed = &mut closed => return closed.map_or(RescueOutcome::Nothing, RescueOutcome::Closed),
                () = sleep_until(until) => return RescueOutcome::Nothing,
                () = sleep(TICK) => {}
            }
            let Findings { end, blocked, .. } = lookout.look(|log, level, what| teller.say(log, level, what));
            if end.is_some() {
                return blocked.map_or(RescueOutcome::Nothing, |(call, _)| RescueOutcome::Blocked(call));
            }
        }
    }

    async fn run(self, begins: oneshot::Sender<()>, done: oneshot::Sender<Vec<PluginError>>) {
        // The receivers may be gone.
        let _ = begins.send(());
        let Rescue { mut runner, time, .. } = self;
        let env = runner.env.clone();
        env.shared.status.stopping();
        // Draining has half of the remaining time.
        let used = env.limits.drain().saturating_sub(time / 2);
        let errors = runner.stop_all(after(Instant::now(), time), used).await;
        // Sent before the runner is dropped, since the data that the plugins share is dropped with it.
        let _ = done.send(errors);
    }
}

/// What has happened to the other plugins.
struct Report {
    graph: &'static Graph,
    blocked: Vec<(usize, Phase)>,
    /// Steps that were waiting in a blocked task, and that nothing continues.
    cut_off: Vec<(usize, Phase)>,
    /// Plugins that nobody has asked to close.
    open: Vec<usize>,
    /// The errors of the plugins that were closed; `None` if the stop was not finished.
    errors: Option<Vec<PluginError>>,
}

impl Report {
    /// `progress` belongs to the last task that has taken over.
    fn new(graph: &'static Graph, progress: &Progress, calls: &[Call], errors: Option<Vec<PluginError>>) -> Self {
        let blocked: Vec<_> = calls.iter().map(|call| (call.place, call.phase)).collect();
        // A plugin that is not created yet needs no closing.
        let is_other = |step: &(usize, Phase)| step.1 != Phase::Create && !blocked.contains(step);
        let cut_off = progress.waiting().into_iter().filter(is_other).collect();
        let mut open = progress.begun_plugins().map(|begun_plugins| begun_plugins.open_places()).unwrap_or_default();
        open.retain(|place| blocked.iter().all(|(other, _)| other != place));
        Report { graph, blocked, cut_off, open, errors }
    }

    fn level(&self) -> Level {
        if self.is_well() { Level::Warn } else { Level::Error }
    }

    fn is_well(&self) -> bool {
        self.open.is_empty() && self.cut_off.is_empty() && self.errors.as_ref().is_some_and(Vec::is_empty)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.errors {
            Some(_) if self.is_well() => "what else had begun is closed",
            Some(_) => "what else had begun is closed, but not in order",
            None => "what else had begun could not be closed in time",
        })?;
        for step in &self.blocked {
            write_still(f, self.graph, *step)?;
        }
        for (place, phase) in &self.cut_off {
            let name = self.graph.nodes()[*place].names();
            write!(f, "\n  - plugin `{name}` was cut off in {phase}, where it waited")?;
        }
        for place in &self.open {
            write_open(f, self.graph, *place)?;
        }
        report::list(f, self.errors.as_deref().unwrap_or_default())
    }
}
