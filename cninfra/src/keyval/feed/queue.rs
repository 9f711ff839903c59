//! [`Queue`]: the events that wait for a subscriber, and what happens to them when there is no room.

use super::{
    super::{Event, Overflow, WatchStats},
    Pushed,
    coalesced::Coalesced,
};
use std::collections::VecDeque;

#[derive(Default)]
pub(super) struct Queue {
    events: VecDeque<Event>,
    /// Changes for which there was no room. They come after `events`.
    latest: Coalesced,
    /// The state of the connection. It comes after `latest`.
    link: Option<Event>,
    ended: bool,
    /// Earlier events were discarded: no item, end or change is accepted until a snapshot begins.
    broken: bool,
    /// Events were discarded, and the subscriber has not asked for one since. Until it does, there is no room, since
    /// new events would be discarded as well.
    unread: bool,
    stats: WatchStats,
}

impl Queue {
    /// Adds an event, or says what the store has to do.
    pub(super) fn push(&mut self, event: Event, overflow: Overflow, bound: usize) -> Pushed {
        if let Some(refused) = self.refusal(&event) {
            return refused;
        }
        match event {
            Event::Link(_) => self.put_link(event),
            // The changes before the removal come first. It needs no room: there are only as many as the subscriber has
            // requested.
            Event::Removed { .. } => {
                self.events.extend(self.latest.take());
                self.put(event);
            }
            event if self.has_room(bound) => self.put(event),
            event => return self.overflow(event, overflow, bound),
        }
        Pushed::Queued
    }

    /// Appends an event. Except for removals and the state of the connection, there has to be [room](Self::has_room).
    pub(super) fn put(&mut self, event: Event) {
        self.broken &= !matches!(event, Event::SnapshotBegin { .. });
        self.events.push_back(event);
    }

    /// The next event, requested by the subscriber.
    pub(super) fn take(&mut self) -> Option<Event> {
        self.unread = false;
        self.events.pop_front().or_else(|| self.latest.take()).or_else(|| self.link.take())
    }

    /// How an event is refused, if it is refused whatever room there is.
    pub(super) fn refusal(&self, event: &Event) -> Option<Pushed> {
        if self.ended {
            return Some(Pushed::Ended);
        }
        let is_taken = matches!(event, Event::SnapshotBegin { .. } | Event::Link(_) | Event::Removed { .. });
        (self.broken && !is_taken).then_some(Pushed::Resnapshot)
    }

    pub(super) fn has_room(&self, bound: usize) -> bool {
        !self.unread && self.events.len() < bound && self.latest.is_empty() && self.link.is_none()
    }

    pub(super) fn is_half_free(&self, bound: usize) -> bool {
        !self.unread && self.events.len() <= bound / 2 && self.latest.is_empty() && self.link.is_none()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn count_failure(&mut self) {
        self.stats.failures += 1;
    }

    pub(super) fn stats(&self) -> WatchStats {
        let queued = self.events.len() + usize::from(!self.latest.is_empty()) + usize::from(self.link.is_some());
        WatchStats { queued, ..self.stats }
    }

    /// Adds the state of the connection. Of several in a row, only the last one is kept.
    fn put_link(&mut self, event: Event) {
        if !self.latest.is_empty() || self.link.is_some() {
            self.link = Some(event);
            return;
        }
        match self.events.back_mut() {
            Some(last @ Event::Link(_)) => *last = event,
            _ => self.put(event),
        }
    }

    fn overflow(&mut self, event: Event, overflow: Overflow, bound: usize) -> Pushed {
        match (overflow, event) {
            (Overflow::Block, event) => {
                self.stats.overflows += 1;
                return Pushed::Full(event);
            }
            (Overflow::CoalesceByKey, Event::Changes { revision, changes }) => {
                if self.latest.is_empty() {
                    self.stats.overflows += 1;
                    self.begin_to_coalesce();
                }
                self.stats.coalesced += self.latest.take_in(revision, changes);
                // The limit also holds for the number of keys here.
                if self.latest.len() <= bound {
                    return Pushed::Queued;
                }
            }
            _ => self.stats.overflows += 1,
        }
        self.throw_away();
        Pushed::Resnapshot
    }

    /// Moves the changes at the end of the queue to `latest`, so that they are coalesced as well. This is done once per
    /// overflow, and not again for each event that follows.
    fn begin_to_coalesce(&mut self) {
        let others = self.events.iter().rposition(|event| !matches!(event, Event::Changes { .. }));
        for event in self.events.split_off(others.map_or(0, |last| last + 1)) {
            if let Event::Changes { revision, changes } = event {
                self.stats.coalesced += self.latest.take_in(revision, changes);
            }
        }
    }

    /// Discards all events except removals and the latest state of the connection.
    fn throw_away(&mut self) {
        self.latest.take();
        let last_link = self.events.iter().rposition(|event| matches!(event, Event::Link(_)));
        let last_link = last_link.filter(|_| self.link.is_none());
        let mut at = 0;
        self.events.retain(|event| {
            at += 1;
            matches!(event, Event::Removed { .. }) || last_link == Some(at - 1)
        });
        (self.broken, self.unread) = (true, true);
        self.stats.resnapshots += 1;
    }
}
