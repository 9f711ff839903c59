//! One cell of the matrix: runs an agent with one fault to its end, and checks what it did.

use super::ten::{Fault, LIMIT, Mark, Script, Spot, Ten};
use cninfra::{
    Phase,
    agent::{Builder, Cause, Event, Order, Outcome, PluginError},
    prelude::*,
};
use cninfra_testbed::{TEN_EDGES as EDGES, level_of_ten as level};
use std::time::Duration;

/// What was observed of an agent.
pub struct Seen {
    pub calls: Vec<(Spot, Mark)>,
    pub events: Vec<Event>,
    pub errors: Vec<PluginError>,
    pub code: u8,
    pub report: String,
    pub started: bool,
    /// Its steps wait before they continue.
    pub waits: bool,
}

/// Runs an agent, and closes it if it has started.
pub async fn run(mut script: Script, set: impl FnOnce(Builder<Ten>) -> Builder<Ten>) -> Seen {
    let waits = script.pace.is_some();
    let builder = set(Agent::<Ten>::builder().record_events(true));
    script.stop = Some(builder.stop_handle());
    let script: Dep<Script> = script.into();
    let calls = |script: &Script| std::mem::take(&mut *script.calls.lock().unwrap());
    match builder.with(script.clone()).start().await {
        Ok(agent) => {
            let closed = agent.close().await;
            let calls = calls(&script);
            match closed {
                Ok(events) => {
                    Seen { calls, events, errors: Vec::new(), code: 0, report: String::new(), started: true, waits }
                }
                Err(error) => {
                    assert!(error.run.is_empty());
                    let (code, report) = (error.exit_code(), error.to_string());
                    Seen { calls, events: error.events, errors: error.errors, code, report, started: true, waits }
                }
            }
        }
        Err(error) => {
            assert!(error.rollback.is_empty(), "{error}");
            let (code, report, calls) = (error.exit_code(), error.to_string(), calls(&script));
            Seen { calls, events: error.events, errors: error.errors, code, report, started: false, waits }
        }
    }
}

/// Runs an agent with one fault. With a `pace`, every step waits before it continues.
pub async fn with(spot: Spot, fault: Fault, pace: Option<Duration>) -> Seen {
    with_order(spot, fault, pace, Order::Concurrent).await
}

pub async fn with_order(spot: Spot, fault: Fault, pace: Option<Duration>, order: Order) -> Seen {
    let script = Script { fault: Some((spot, fault)), pace, ..Script::default() };
    run(script, |builder| match fault {
        // Only the faulty step has a short limit, so that no other one fails on a busy machine.
        Fault::Pending | Fault::Block => builder.order(order).limit(&format!("p{}", spot.0), spot.1, LIMIT),
        _ => builder.order(order),
    })
    .await
}

impl Seen {
    /// The plugins whose `phase` began, in that order.
    pub fn began(&self, phase: Phase) -> Vec<usize> {
        self.calls
            .iter()
            .filter(|(spot, mark)| spot.1 == phase && *mark == Mark::Begin)
            .map(|(spot, _)| spot.0)
            .collect()
    }

    /// The same, sorted.
    pub fn set(&self, phase: Phase) -> Vec<usize> {
        let mut began = self.began(phase);
        began.sort_unstable();
        began
    }

    fn at(&self, spot: Spot, mark: Mark) -> Option<usize> {
        self.calls.iter().position(|call| *call == (spot, mark))
    }

    /// Checks what holds for every agent, whatever happens to it.
    pub fn holds(&self, what: &str) {
        let closed = self.set(Phase::Close);
        assert_eq!(self.set(Phase::Init), closed, "{what}: what has started is closed, exactly once: {:?}", self.calls);
        for phase in [Phase::Create, Phase::Init, Phase::AfterInit, Phase::Drain] {
            let set = self.set(phase);
            assert!(set.windows(2).all(|pair| pair[0] < pair[1]), "{what}: {phase} once each: {set:?}");
        }
        assert_eq!(self.set(Phase::AfterInit), self.set(Phase::Drain), "{what}: what may serve is drained");
        for (dependent, dependency) in EDGES {
            let in_order = |first, second| match (self.at(first, Mark::End), self.at(second, Mark::Begin)) {
                (Some(first), Some(second)) => first < second,
                (first, second) => first.is_some() || second.is_none(),
            };
            for phase in [Phase::Create, Phase::Init, Phase::AfterInit] {
                assert!(in_order((dependency, phase), (dependent, phase)), "{what}: {phase} of P{dependency} first");
            }
            if closed.contains(&dependent) {
                let first = in_order((dependent, Phase::Close), (dependency, Phase::Close));
                assert!(first, "{what}: P{dependent} closes before P{dependency}");
            }
        }
        let phases: Vec<_> = self.calls.iter().map(|(spot, _)| spot.1).collect();
        let last_drain = phases.iter().rposition(|phase| *phase == Phase::Drain);
        let first_close = phases.iter().position(|phase| *phase == Phase::Close);
        assert!(last_drain.is_none() || last_drain < first_close, "{what}: all is drained before anything closes");
        self.events_tell_the_same(what);
    }

    /// Checks that all other steps are done. During the start, those of the same level may have been dropped where they
    /// waited.
    pub fn others_are_done(&self, spot: Spot, what: &str) {
        let names = Ten::GRAPH.names();
        let starts = !matches!(spot.1, Phase::Drain | Phase::Close);
        for event in &self.events {
            let Some(plugin) = names[usize::from(event.place)].strip_prefix('P').map(|at| at.parse().unwrap()) else {
                assert_eq!(event.outcome, Outcome::Done, "{what}: the script");
                continue;
            };
            let dropped = event.outcome == Outcome::Dropped
                && starts
                && event.phase == spot.1
                && level(plugin) == level(spot.0)
                && self.waits;
            let is_it = (plugin, event.phase) == spot;
            assert!(is_it || dropped || event.outcome == Outcome::Done, "{what}: P{plugin}: {event:?}");
        }
    }

    /// Checks that each step has one event.
    fn events_tell_the_same(&self, what: &str) {
        let names = Ten::GRAPH.names();
        let mut recorded: Vec<Spot> = (self.events.iter())
            .map(|event| (names[usize::from(event.place)], event.phase))
            .filter_map(|(name, phase)| Some((name.strip_prefix('P')?.parse().unwrap(), phase)))
            .collect();
        let mut called: Vec<Spot> =
            self.calls.iter().filter(|(_, mark)| *mark == Mark::Begin).map(|(spot, _)| *spot).collect();
        recorded.sort_unstable();
        called.sort_unstable();
        assert_eq!(recorded, called, "{what}: each step has one event");
    }

    /// Checks that the fault is reported, and nothing else.
    pub fn tells(&self, spot: Spot, fault: Fault, what: &str) {
        let (plugin, phase) = (format!("P{}", spot.0), spot.1);
        let told: Vec<_> = self.errors.iter().map(|error| (error.plugin, error.phase)).collect();
        assert_eq!(told, [(&*plugin, phase)], "{what}: {}", self.report);
        let (outcome, right, words) = match (fault, &self.errors[0].cause) {
            (Fault::Error, Cause::Failed(_)) => {
                let words = "failed in {}: etcd:2379;caused by: connection refused;help: start etcd";
                (Outcome::Failed, true, words)
            }
            (Fault::Panic, Cause::Panicked(_)) => (Outcome::Panicked, true, "panicked in {}: out of bounds"),
            (Fault::Pending, Cause::TimedOut(limit)) => {
                (Outcome::TimedOut, *limit == LIMIT, "was not done with {} within 20ms;help: look at what it waits for")
            }
            (Fault::Block, Cause::Blocked { limit, took, .. }) => {
                let right = *limit == LIMIT && *took > LIMIT;
                (Outcome::Blocked, right, "blocked its thread in {} for ;, over its limit of 20ms;help: what blocks")
            }
            (_, other) => panic!("{what}: {other:?}"),
        };
        assert!(right, "{what}: {}", self.report);
        for word in words.split(';') {
            let word = word.replace("{}", phase.name());
            assert!(self.report.contains(&word), "{what}: `{word}` in: {}", self.report);
        }
        assert!(self.report.contains(&format!("plugin `{plugin}`")), "{what}: {}", self.report);
        let place = Ten::GRAPH.names().iter().position(|name| *name == plugin).unwrap();
        let event = self.events.iter().find(|event| usize::from(event.place) == place && event.phase == phase).unwrap();
        assert_eq!(event.outcome, outcome, "{what}");
        self.others_are_done(spot, what);
        let headline = if self.started { "the agent did not stop in order" } else { "the agent did not start" };
        assert!(self.report.starts_with(headline), "{what}: {}", self.report);
    }
}
