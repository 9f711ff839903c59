//! [`Record`]: the events so far.

use super::{Event, Outcome, Phase};
use tokio::time::Instant;

/// The events so far, if they are recorded.
pub(super) struct Record {
    epoch: Option<Instant>,
    events: Vec<Event>,
}

impl Record {
    pub(super) fn off() -> Self {
        Record { epoch: None, events: Vec::new() }
    }

    /// With room for so many events.
    pub(super) fn on(room: usize) -> Self {
        Record { epoch: Some(Instant::now()), events: Vec::with_capacity(room) }
    }

    /// When the record began; none where nothing is recorded.
    pub(super) fn epoch(&self) -> Option<Instant> {
        self.epoch
    }

    /// What was recorded elsewhere.
    pub(super) fn append(&mut self, mut events: Vec<Event>) {
        self.events.append(&mut events);
        self.events.sort_by_key(Event::ended);
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// A step that began and ended.
    pub(super) fn put(&mut self, place: usize, phase: Phase, started: Instant, ended: Instant, outcome: Outcome) {
        if let Some(epoch) = self.epoch {
            self.events.push(Event {
                place: place as u16,
                phase,
                started: started.duration_since(epoch),
                took: ended.duration_since(started),
                outcome,
            });
        }
    }
}
