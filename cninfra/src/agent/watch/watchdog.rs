//! [`Watchdog`]: notices from another thread that a plugin blocks the agent's thread.

use crate::{
    agent::{
        run::progress::{Call, InCall, InCallId, Stage, StageKind, State},
        terms::{
            exit::{FAILED, NOT_STOPPED},
            limits::half,
        },
    },
    logging::Level,
};
use std::{
    collections::HashMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

/// The interval of its looks.
pub(in crate::agent) const TICK: Duration = Duration::from_millis(50);
/// A plugin that blocks a thread for this long is named, or earlier if half of its limit is less.
const NAMED_AFTER: Duration = Duration::from_secs(1);
/// The agent should notice an exceeded limit within this time; otherwise it cannot.
pub(in crate::agent) const GRACE: Duration = Duration::from_millis(200);
/// How long after all its limits an agent may take that calls no plugin, but does not end either.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// Looks are more frequent than this. If one is later, the process was not running, for example because it was paused.
const PAUSED: Duration = Duration::from_millis(500);

/// What happens next if the process does not belong to the agent.
const EMBEDDED_WAITS: &str = "this agent is embedded, and waits for as long";

const HELP: &str = "help: what blocks belongs in `tokio::task::spawn_blocking`";

#[derive(Default)]
pub(in crate::agent) struct Watchdog {
    /// The call that had not returned at the last look, since when, and whether it has been named.
    current: Option<(Call, Instant, bool)>,
    /// The same for tasks, by their ids.
    tasks: HashMap<InCallId, BlockedTask>,
    reports: Vec<Report>,
    /// The process does not belong to the agent: the watchdog reports what it sees, and ends nothing.
    is_embedded: bool,
    /// What it would have ended, and has reported.
    given_up: Option<GivenUp>,
    /// When the process last resumed after a pause.
    resumed: Option<Instant>,
    /// Whether the look before was late, too.
    is_late: bool,
}

/// What cannot be ended in an embedded agent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GivenUp {
    Call(Call),
    Stage(StageKind),
    Stop,
}

/// A task that is still inside a call.
struct BlockedTask {
    call: u64,
    since: Instant,
    named: bool,
    /// It has been reported that its limit is over.
    is_over: bool,
}

/// A record to be logged.
pub(super) struct Report {
    /// The plugin whose logger writes it; `None` for the agent's.
    pub(super) plugin: Option<&'static str>,
    pub(super) level: Level,
    pub(super) what: String,
}

/// What the agent is doing at a moment.
pub(super) struct Moment<'a> {
    pub(super) state: &'a State,
    pub(super) call: Option<Call>,
    pub(super) tasks: &'a [InCall],
    /// When the stop was requested, and how long it may take.
    pub(super) asked: Option<(Instant, Duration)>,
}

impl Watchdog {
    /// For an agent in a process that does not belong to it.
    pub(super) fn of_embedded() -> Self {
        Watchdog { is_embedded: true, ..Watchdog::default() }
    }

    /// The records since the last call of this.
    pub(super) fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// The call that blocks the agent's task, and for how long, as of the last look.
    pub(super) fn blocked(&self, now: Instant) -> Option<(Call, Duration)> {
        let (call, since, _) = self.current?;
        let blocked = now.duration_since(since);
        (blocked > GRACE).then_some((call, blocked))
    }

    /// Nobody has looked for `time`. If the process was not running meanwhile, that time is not counted for any call,
    /// and the agent gets the chance to notice exceeded limits first.
    pub(super) fn skip_pause(&mut self, time: Duration, now: Instant) {
        let is_late = time >= PAUSED && !self.is_embedded;
        // On an overloaded machine each look is late, and then nothing would ever be ended.
        if std::mem::replace(&mut self.is_late, is_late) || !is_late {
            return;
        }
        if let Some((_, since, _)) = &mut self.current {
            *since += time;
        }
        self.tasks.values_mut().for_each(|task| task.since += time);
        self.resumed = Some(now);
    }

    /// Looks at what the agent is doing. Returns the exit code if the end has to be forced.
    pub(super) fn look(&mut self, moment: &Moment<'_>, now: Instant) -> Option<u8> {
        self.look_at_tasks(moment.tasks, now);
        let has_time = self.resumed.is_some_and(|resumed| now.duration_since(resumed) < LAST_GRACE);
        if has_time && !matches!(moment.state, State::Done(..)) {
            return None;
        }
        // Once the agent has noticed that a stop was requested, it is in a stage of its own.
        let overdue_stop = moment.asked.filter(|(asked, limit)| {
            // An agent that does not exist yet has no limit: the sum is beyond the clock's range.
            asked.checked_add(limit.saturating_add(GRACE)).is_some_and(|ends| now > ends)
        });
        match moment.state {
            State::Stage(stage) => match overdue_stop.filter(|_| stage.kind == StageKind::Start) {
                Some((_, limit)) if !self.is_embedded || moment.call.is_none() => {
                    self.force_overdue_stop(moment, limit, now)
                }
                _ => self.look_at_stage(moment, stage, now),
            },
            State::Runs => {
                self.current = None;
                overdue_stop.and_then(|(_, limit)| self.force_overdue_stop(moment, limit, now))
            }
            // The agent only has to report its end. If it cannot, nobody reads its log.
            State::Done(code, since) => (now > *since + LAST_GRACE).then_some(*code),
        }
    }

    fn look_at_tasks(&mut self, tasks: &[InCall], now: Instant) {
        self.tasks.retain(|id, task| tasks.iter().any(|inside| inside.id == *id && inside.call == task.call));
        for inside in tasks {
            let new = || BlockedTask { call: inside.call, since: now, named: false, is_over: false };
            let task = self.tasks.entry(inside.id).or_insert_with(new);
            let blocked = now.duration_since(task.since);
            if !task.named && blocked >= NAMED_AFTER {
                task.named = true;
                let what = format!("{inside} blocks its thread, for {blocked:.1?} by now\n  {HELP}");
                self.reports.push(Report { plugin: Some(inside.instance), level: Level::Warn, what });
            }
            let is_over = |limit: &Duration| blocked > limit.saturating_add(GRACE);
            if let Some(limit) = inside.limit.filter(is_over).filter(|_| !task.is_over) {
                task.is_over = true;
                let what = format!(
                    "{inside} has blocked its thread for {blocked:.1?}, over its limit of {limit:?}: it cannot be ended\n  {HELP}"
                );
                self.reports.push(Report { plugin: Some(inside.instance), level: Level::Error, what });
            }
        }
    }

    fn look_at_stage(&mut self, moment: &Moment<'_>, stage: &Stage, now: Instant) -> Option<u8> {
        let over = |grace| stage.ends.is_some_and(|ends| now > ends + grace);
        let code = if stage.kind == StageKind::Stop { NOT_STOPPED } else { FAILED };
        let Some(call) = moment.call else {
            self.current = None;
            if over(stage.spare + LAST_GRACE) {
                let given_up = GivenUp::Stage(stage.kind);
                return self.force("the agent is not done within its limit", given_up, moment, now).then_some(code);
            }
            return None;
        };
        let (since, named) = match self.current {
            Some((seen, since, named)) if seen == call => (since, named),
            _ => (now, false),
        };
        let (who, instance) = call.who(stage.graph);
        let (limit, blocked) = (stage.limits.of(call.place, call.phase), now.duration_since(since));
        let is_over = blocked > limit.saturating_add(GRACE) || over(GRACE) && blocked > GRACE;
        // A plugin that blocks has half of the stop, and the others the rest. An embedded agent waits in any case.
        let starts = stage.kind == StageKind::Start && !self.is_embedded;
        let delayed_stop = moment.asked.filter(|(asked, stop)| {
            starts && blocked > GRACE && asked.checked_add(half(*stop)).is_some_and(|ends| now > ends)
        });
        let (why, code) = match delayed_stop {
            _ if is_over => (Some("its limit is over".to_string()), code),
            Some((_, stop)) => (Some(format!("half of the {stop:?} that the stop may take are over")), NOT_STOPPED),
            None => (None, code),
        };
        if let Some(why) = why {
            let end = if self.is_embedded { EMBEDDED_WAITS } else { "the end is forced" };
            let what = format!("{who} has blocked its thread in {call} for {blocked:.1?}, and {why}: {end}\n  {HELP}");
            if self.note_given_up(GivenUp::Call(call)) {
                self.reports.push(Report { plugin: instance, level: Level::Error, what });
            }
            self.current = Some((call, since, true));
            return (!self.is_embedded).then_some(code);
        }
        let name_it = !named && blocked >= NAMED_AFTER.min(limit / 2);
        if name_it {
            let what = format!("{who} blocks its thread in {call}, for {blocked:.1?} by now");
            self.reports.push(Report { plugin: instance, level: Level::Warn, what });
        }
        self.current = Some((call, since, named || name_it));
        None
    }

    fn force_overdue_stop(&mut self, moment: &Moment<'_>, limit: Duration, now: Instant) -> Option<u8> {
        let why = format!("the stop did not begin within its limit of {limit:?}");
        self.force(&why, GivenUp::Stop, moment, now).then_some(NOT_STOPPED)
    }

    /// Whether this is reported for the first time.
    fn note_given_up(&mut self, on: GivenUp) -> bool {
        self.given_up.replace(on) != Some(on)
    }

    /// Reports why the end is forced, and what blocked the threads. Returns whether it is really forced.
    fn force(&mut self, why: &str, on: GivenUp, moment: &Moment<'_>, now: Instant) -> bool {
        let mut blockers = String::new();
        if let (State::Stage(stage), Some(call)) = (moment.state, moment.call) {
            // Writing to a `String` cannot fail.
            let _ = write!(blockers, "\n  - {} is in {call}", call.who(stage.graph).0);
        }
        for inside in moment.tasks {
            let blocked = self.tasks.get(&inside.id).map_or(Duration::ZERO, |task| now.duration_since(task.since));
            if blocked > GRACE {
                let _ = write!(blockers, "\n  - {inside} has blocked its thread for {blocked:.1?}");
            }
        }
        // A host may delay an embedded agent on purpose; only a blocked thread is reported.
        let is_reported = !self.is_embedded || !blockers.is_empty() && self.note_given_up(on);
        if is_reported {
            let end = if self.is_embedded { EMBEDDED_WAITS } else { "the end is forced" };
            let what = format!("{why}: {end}{blockers}\n  {HELP}");
            self.reports.push(Report { plugin: None, level: Level::Error, what });
        }
        !self.is_embedded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Phase,
        agent::{
            Limits,
            run::progress::{Callee, Progress},
            terms::limits::LimitTable,
        },
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
        progress.enter(Callee::Step(0, Phase::Init));
        progress.call()
    }

    fn moment(state: &State, call: Option<Call>) -> Moment<'_> {
        Moment { state, call, tasks: &[], asked: None }
    }

    fn reports(watchdog: &mut Watchdog) -> String {
        watchdog.take_reports().into_iter().map(|report| report.what + "\n").collect()
    }

    #[test]
    fn a_call_that_does_not_return_is_named_then_forced() {
        let (progress, began) = (Progress::default(), Instant::now());
        let (state, call) = (State::Stage(stage(StageKind::Start, began)), call(&progress));
        let mut watchdog = Watchdog::default();
        let mut look = |millis| watchdog.look(&moment(&state, call), began + Duration::from_millis(millis));
        assert_eq!((look(0), look(999), look(1000), look(4000), look(4100)), (None, None, None, None, None));
        assert_eq!(look(4201), Some(FAILED));
        assert_eq!(reports(&mut watchdog).matches("plugin `Stuck`").count(), 2, "it was named, then forced");
    }

    #[test]
    fn time_in_which_the_process_did_not_run_is_nobodys() {
        let (progress, began) = (Progress::default(), Instant::now());
        let at = |millis| began + Duration::from_millis(millis);
        // The limit of the whole is over when the process runs again.
        let waits = State::Stage(stage(StageKind::Start, began));
        let mut watchdog = Watchdog::default();
        let mut look = |missed, millis| {
            watchdog.skip_pause(Duration::from_millis(missed), at(millis));
            watchdog.look(&moment(&waits, None), at(millis))
        };
        assert_eq!((look(50, 0), look(60_000, 60_000), look(50, 61_999)), (None, None, None));
        assert_eq!(look(50, 62_000), Some(FAILED), "the agent does not see it either");
        // The process was paused during a call of 50 ms.
        let (state, call) = (State::Stage(stage(StageKind::Start, began)), call(&progress));
        let look = |watchdog: &mut Watchdog, missed, millis| {
            watchdog.skip_pause(Duration::from_millis(missed), at(millis));
            watchdog.look(&moment(&state, call), at(millis))
        };
        let mut watchdog = Watchdog::default();
        let looks = [(50, 0), (5000, 5050), (50, 9000), (50, 9200)].map(|(missed, at)| look(&mut watchdog, missed, at));
        assert_eq!((looks, look(&mut watchdog, 50, 9201)), ([None; 4], Some(FAILED)), "5 s of them are not its own");
        let reports = reports(&mut watchdog);
        assert!(reports.contains("has blocked its thread in init for 4.2s, and its limit is over"), "{reports}");
        // If each look is late, the machine is to blame.
        let mut watchdog = Watchdog::default();
        let mut late = (0_u64..60_000).step_by(600).filter(|at| look(&mut watchdog, 600, *at).is_some());
        assert_eq!(late.next(), Some(7200));
    }

    #[test]
    fn a_call_that_keeps_a_stop_from_beginning_has_half_of_its_time() {
        let (progress, began) = (Progress::default(), Instant::now());
        let (state, call) = (State::Stage(stage(StageKind::Start, began)), call(&progress));
        let at = |millis| began + Duration::from_millis(millis);
        let asked = Some((at(500), Duration::from_secs(2)));
        let moment = Moment { asked, ..moment(&state, call) };
        let mut watchdog = Watchdog::default();
        let mut look = |millis| watchdog.look(&moment, at(millis));
        assert_eq!((look(0), look(500), look(1500), look(1501)), (None, None, None, Some(NOT_STOPPED)));
        let told = reports(&mut watchdog);
        let why = "plugin `Stuck` has blocked its thread in init for 1.5s, and half of the 2s that the stop may take are over";
        assert!(told.contains(why), "{told}");
        // A call that has just begun may return at once.
        let mut watchdog = Watchdog::default();
        assert_eq!((watchdog.look(&moment, at(2000)), watchdog.look(&moment, at(2200))), (None, None));
        assert_eq!(watchdog.look(&moment, at(2201)), Some(NOT_STOPPED));
        // The call of an embedded agent is not ended.
        let mut watchdog = Watchdog::of_embedded();
        assert_eq!((watchdog.look(&moment, began), watchdog.look(&moment, at(1501))), (None, None));
        assert!(!reports(&mut watchdog).contains("half of the"));
    }

    #[test]
    fn calls_that_return_are_no_concern() {
        let (progress, began) = (Progress::default(), Instant::now());
        let state = State::Stage(stage(StageKind::Start, began));
        let mut watchdog = Watchdog::default();
        for second in 0..15 {
            let moment = moment(&state, call(&progress));
            assert_eq!(watchdog.look(&moment, began + Duration::from_secs(second)), None);
        }
        assert_eq!(reports(&mut watchdog), "");
    }

    #[test]
    fn a_destructor_that_does_not_return_is_called_one() {
        let (progress, began) = (Progress::default(), Instant::now());
        let state = State::Stage(stage(StageKind::Stop, began));
        for (callee, who) in [(Callee::Destructor(0), "plugin `Stuck`"), (Callee::Handles, "flavor `Lone`")] {
            progress.enter(callee);
            let mut watchdog = Watchdog::default();
            let mut look =
                |millis| watchdog.look(&moment(&state, progress.call()), began + Duration::from_millis(millis));
            assert_eq!((look(0), look(2701)), (None, Some(NOT_STOPPED)));
            let text = reports(&mut watchdog);
            assert!(text.starts_with(&format!("{who} has blocked its thread in a destructor for 2.7s")), "{text}");
        }
    }

    #[test]
    fn what_is_over_the_limit_of_the_whole_is_forced() {
        let (progress, began) = (Progress::default(), Instant::now());
        let at = |millis| began + Duration::from_millis(millis);
        let (starts, stops) = (stage(StageKind::Start, began), State::Stage(stage(StageKind::Stop, began)));
        let call = call(&progress);
        let mut watchdog = Watchdog::default();
        assert_eq!(watchdog.look(&moment(&stops, call), at(14_000)), None);
        assert_eq!(watchdog.look(&moment(&stops, call), at(15_201)), Some(NOT_STOPPED));
        let look =
            |stage: &Stage, millis| Watchdog::default().look(&moment(&State::Stage(stage.clone()), None), at(millis));
        assert_eq!((look(&starts, 17_000), look(&starts, 17_001)), (None, Some(FAILED)));
        let spares = Stage { spare: Duration::from_secs(1), ..starts };
        assert_eq!((look(&spares, 18_000), look(&spares, 18_001)), (None, Some(FAILED)));
    }

    fn inside(call: u64) -> [InCall; 1] {
        [InCall {
            id: InCallId::Task(7),
            call,
            instance: "stuck",
            what: "task `work` of plugin `Stuck`".into(),
            limit: None,
        }]
    }

    #[test]
    fn a_task_that_does_not_come_back_is_named_once_while_the_agent_runs() {
        let (mut watchdog, began) = (Watchdog::default(), Instant::now());
        let mut look = |millis, tasks: &[InCall]| {
            let moment = Moment { state: &State::Runs, call: None, tasks, asked: None };
            assert_eq!(watchdog.look(&moment, began + Duration::from_millis(millis)), None);
            reports(&mut watchdog)
        };
        // It has returned in between.
        assert_eq!((look(0, &inside(1)), look(900, &inside(3)), look(1800, &inside(3))), Default::default());
        let named = look(1900, &inside(3));
        assert!(named.starts_with("task `work` of plugin `Stuck` blocks its thread, for 1.0s by now\n"), "{named}");
        assert_eq!(look(9000, &inside(3)), "");
        assert_eq!((look(9100, &[]), look(9200, &inside(3))), Default::default());
    }

    #[test]
    fn an_attempt_that_does_not_come_back_is_told_of_again_at_its_limit() {
        let (mut watchdog, began) = (Watchdog::default(), Instant::now());
        let [task] = inside(1);
        let attempt = [InCall { limit: Some(Duration::from_secs(4)), ..task }];
        let mut look = |millis| {
            let moment = Moment { state: &State::Runs, call: None, tasks: &attempt, asked: None };
            assert_eq!(watchdog.look(&moment, began + Duration::from_millis(millis)), None);
            reports(&mut watchdog)
        };
        assert!(look(0).is_empty() && look(1000).contains("blocks its thread, for 1.0s") && look(4200).is_empty());
        let over = look(4201);
        assert!(over.contains("has blocked its thread for 4.2s, over its limit of 4s: it cannot be ended\n"), "{over}");
        assert_eq!(look(9000), "");
    }

    #[test]
    fn what_is_embedded_is_told_of_once_and_not_ended() {
        let (progress, began) = (Progress::default(), Instant::now());
        let at = |millis| began + Duration::from_millis(millis);
        let (state, call) = (State::Stage(stage(StageKind::Start, began)), call(&progress));
        let mut watchdog = Watchdog::of_embedded();
        let mut look = |millis| watchdog.look(&moment(&state, call), at(millis));
        assert_eq!((look(0), look(1000), look(4201), look(4300), look(60_000)), (None, None, None, None, None));
        let told = reports(&mut watchdog);
        assert!(told.contains("its limit is over: this agent is embedded, and waits for as long\n"), "{told}");
        assert_eq!(told.matches("plugin `Stuck`").count(), 2, "it was named, then told of at its limit");
        // Nothing blocks a thread: the host may be delaying it.
        let mut look = |tasks: &[InCall], millis| {
            let moment = Moment { state: &state, call: None, tasks, asked: None };
            assert_eq!(watchdog.look(&moment, at(millis)), None);
            reports(&mut watchdog)
        };
        assert_eq!(look(&[], 70_000), "");
        let tasks = inside(1);
        look(&tasks, 70_000);
        let told = look(&tasks, 70_300);
        assert!(told.starts_with("the agent is not done within its limit: this agent is embedded"), "{told}");
        assert_eq!(look(&tasks, 70_900), "");
    }

    #[test]
    fn a_stop_that_does_not_begin_is_forced_with_the_names_of_those_that_keep_the_threads() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let asked = Some((at(1000), Duration::from_secs(5)));
        let start = State::Stage(stage(StageKind::Start, began));
        for state in [State::Runs, start] {
            let (mut watchdog, tasks) = (Watchdog::default(), inside(1));
            let moment = Moment { state: &state, call: None, tasks: &tasks, asked };
            assert_eq!((watchdog.look(&moment, began), watchdog.look(&moment, at(6200))), (None, None));
            watchdog.take_reports();
            assert_eq!(watchdog.look(&moment, at(6201)), Some(NOT_STOPPED));
            let text = reports(&mut watchdog);
            let told = "the stop did not begin within its limit of 5s: the end is forced\n  - task `work` of plugin `Stuck` has \
                        blocked its thread for 6.2s";
            assert!(text.starts_with(told), "{text}");
        }
        // The stop was requested before the agent existed.
        let early = Moment { asked: Some((began, Duration::MAX)), ..moment(&State::Runs, None) };
        assert_eq!(Watchdog::default().look(&early, at(14_000)), None);
        // The stop has begun.
        let stop = State::Stage(stage(StageKind::Stop, began));
        let moment = Moment { asked, ..moment(&stop, None) };
        assert_eq!(Watchdog::default().look(&moment, at(14_000)), None);
    }

    #[test]
    fn an_agent_that_can_not_say_that_it_is_done_has_ended() {
        let began = Instant::now();
        let (state, asked) = (State::Done(0, began), Some((began, Duration::ZERO)));
        let moment = Moment { asked, ..moment(&state, None) };
        let look = |millis| Watchdog::default().look(&moment, began + Duration::from_millis(millis));
        assert_eq!((look(2000), look(2001)), (None, Some(0)));
    }
}
