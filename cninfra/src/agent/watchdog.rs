//! [`Watchdog`]: sees from another thread that a plugin blocks the agent's.

use super::{
    exit::{FAILED, NOT_STOPPED},
    progress::{Call, Progress, Stage, StageKind},
};
use crate::logging::Loggers;
use std::time::{Duration, Instant};

/// How often it looks.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// A plugin that keeps the thread for so long is named; earlier, where half of its limit is less.
const NAMED_AFTER: Duration = Duration::from_secs(1);
/// So long after a limit the agent should have seen it itself: if it has not, it can not.
const GRACE: Duration = Duration::from_millis(200);
/// An agent that is called into no plugin, and comes to no end either, has so long after all that it may take.
const LAST: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Watchdog {
    loggers: Loggers,
    /// The call that had not returned when it last looked, since when, and whether it has been named.
    seen: Option<(Call, Instant, bool)>,
}

impl Watchdog {
    pub(super) fn new(loggers: Loggers) -> Self {
        Watchdog { loggers, seen: None }
    }

    /// Looks at what the agent does. Returns the exit code, when the end has to be forced.
    pub(super) fn look(&mut self, progress: &Progress, stage: &Stage) -> Option<u8> {
        self.look_at(progress.call(), stage, Instant::now())
    }

    fn look_at(&mut self, call: Option<Call>, stage: &Stage, now: Instant) -> Option<u8> {
        let over = |grace| stage.ends.is_some_and(|ends| now > ends + grace);
        let code = if stage.kind == StageKind::Stop { NOT_STOPPED } else { FAILED };
        let Some(call) = call else {
            self.seen = None;
            if over(stage.spare + LAST) {
                self.loggers.of_agent().error("the agent is not done within its limit: the end is forced");
                return Some(code);
            }
            return None;
        };
        let (since, named) = match self.seen {
            Some((seen, since, named)) if seen == call => (since, named),
            _ => (now, false),
        };
        let (node, phase) = (stage.graph.nodes().get(call.place)?, call.phase);
        let (name, limit, blocked) = (node.name(), stage.limits.of(call.place, phase), now.duration_since(since));
        if blocked > limit.saturating_add(GRACE) || over(GRACE) && blocked > GRACE {
            self.loggers.get(node.instance()).error(format_args!(
                "plugin `{name}` has blocked its thread in {phase} for {blocked:.1?}, and its limit is over: the end is forced\n  \
                 help: what blocks belongs in `tokio::task::spawn_blocking`"
            ));
            return Some(code);
        }
        let name_it = !named && blocked >= NAMED_AFTER.min(limit / 2);
        if name_it {
            self.loggers
                .get(node.instance())
                .warn(format_args!("plugin `{name}` blocks its thread in {phase}, for {blocked:.1?} by now"));
        }
        self.seen = Some((call, since, named || name_it));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Phase,
        agent::{Limits, limits::LimitTable},
        prelude::*,
    };
    use std::sync::Arc;

    #[plugin(no_lifecycle)]
    struct Stuck;
    #[derive(Flavor)]
    struct Lone {
        stuck: Dep<Stuck>,
    }

    fn stage(kind: StageKind, began: Instant) -> Stage {
        let whole = Limits { plugin_start: Duration::from_secs(4), ..Limits::default() };
        let limits = Arc::new(LimitTable { whole, ..LimitTable::default() });
        Stage { kind, graph: Lone::GRAPH, limits, ends: Some(began + Duration::from_secs(15)), spare: Duration::ZERO }
    }

    fn call(progress: &Progress) -> Option<Call> {
        progress.leave();
        progress.enter(0, Phase::Init);
        progress.call()
    }

    #[test]
    fn a_call_that_does_not_return_is_named_then_forced() {
        let (progress, began) = (Progress::default(), Instant::now());
        let (stage, call) = (stage(StageKind::Start, began), call(&progress));
        let mut watchdog = Watchdog::default();
        let mut look = |millis| watchdog.look_at(call, &stage, began + Duration::from_millis(millis));
        assert_eq!((look(0), look(999), look(1000), look(4000), look(4100)), (None, None, None, None, None));
        assert_eq!(look(4201), Some(FAILED));
        assert!(watchdog.seen.unwrap().2, "it was named");
    }

    #[test]
    fn calls_that_return_are_no_concern() {
        let (progress, began) = (Progress::default(), Instant::now());
        let stage = stage(StageKind::Start, began);
        let mut watchdog = Watchdog::default();
        for second in 0..15 {
            assert_eq!(watchdog.look_at(call(&progress), &stage, began + Duration::from_secs(second)), None);
        }
        assert!(!watchdog.seen.unwrap().2);
    }

    #[test]
    fn what_is_over_the_limit_of_the_whole_is_forced() {
        let (progress, began) = (Progress::default(), Instant::now());
        let at = |millis| began + Duration::from_millis(millis);
        let (starts, stops) = (stage(StageKind::Start, began), stage(StageKind::Stop, began));
        let call = call(&progress);
        let mut watchdog = Watchdog::default();
        assert_eq!(watchdog.look_at(call, &stops, at(14_000)), None);
        assert_eq!(watchdog.look_at(call, &stops, at(15_201)), Some(NOT_STOPPED));
        assert_eq!(Watchdog::default().look_at(None, &starts, at(17_000)), None);
        assert_eq!(Watchdog::default().look_at(None, &starts, at(17_001)), Some(FAILED));
        let spares = Stage { spare: Duration::from_secs(1), ..starts };
        assert_eq!(Watchdog::default().look_at(None, &spares, at(18_000)), None);
        assert_eq!(Watchdog::default().look_at(None, &spares, at(18_001)), Some(FAILED));
    }
}
