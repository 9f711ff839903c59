//! [`Record`]: the events so far.

use crate::{
    agent::terms::{
        event::{Event, Outcome},
        phase::Phase,
    },
    context::Shared,
    order::sort_few,
};
use std::sync::Arc;
use tokio::time::Instant;

/// The events so far, if they are recorded. Each one is also passed on to the agent's `Shared`, for readers while the
/// agent runs.
pub(in crate::agent) struct Record {
    on: Option<(Instant, Arc<Shared>)>,
    events: Vec<Event>,
}

impl Record {
    pub(super) fn off() -> Self {
        Record { on: None, events: Vec::new() }
    }

    /// A record with room for that many events.
    pub(super) fn on(room: usize, shared: Arc<Shared>) -> Self {
        let epoch = Instant::now();
        shared.course_recorder.begin(epoch, room);
        Record { on: Some((epoch, shared)), events: Vec::with_capacity(room) }
    }

    /// Continues a record that began elsewhere, at `epoch`.
    pub(in crate::agent) fn from(epoch: Option<Instant>, shared: &Arc<Shared>) -> Self {
        Record { on: epoch.map(|epoch| (epoch, shared.clone())), events: Vec::new() }
    }

    /// The time from which events are measured; `None` if nothing is recorded.
    pub(super) fn epoch(&self) -> Option<Instant> {
        self.on.as_ref().map(|(epoch, _)| *epoch)
    }

    /// Adds events that were recorded elsewhere, ordered by their end.
    pub(super) fn append(&mut self, mut events: Vec<Event>) {
        self.events.append(&mut events);
        sort_few(&mut self.events, |one, other| one.ended() > other.ended());
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Notes that a step has begun and is waiting.
    pub(super) fn note_waiting(&self, place: usize, phase: Phase, started: Instant) {
        if let Some((_, shared)) = &self.on {
            shared.course_recorder.note_waiting(place, phase, started);
        }
    }

    /// Adds a step that has begun and ended.
    pub(super) fn put(&mut self, place: usize, phase: Phase, started: Instant, ended: Instant, outcome: Outcome) {
        if let Some((epoch, shared)) = &self.on {
            let event = Event {
                place: place as u16,
                phase,
                started: started.duration_since(*epoch),
                took: ended.duration_since(started),
                outcome,
            };
            self.events.push(event);
            shared.course_recorder.note_ended(place, phase, Some(event));
        }
    }
}
