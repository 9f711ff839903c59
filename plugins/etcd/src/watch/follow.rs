//! Follows the server from the revision that was last reported, until something else has to be done.

use super::{
    changes::{Group, groups},
    control::Wishes,
    open::{Opened, Part},
    ranges::{Told, Tracked, segments},
    refused::refused,
    run::{Then, Watcher, until},
    seldom::Seldom,
    vigil::{EVERY, Found},
};
use crate::{
    convert::revision,
    failure::{Asked, NO_RIGHT, told},
    pulse::SILENCE,
};
use cninfra::keyval::{Applied, Cause, Event, KeyRange, KvError, Pushed, Reason};
use etcd_client::{ResponseHeader, WatchResponse, proto::PbEvent};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// The limit for queueing a progress request. The queue is full only if nothing can be sent.
const ASKING: Duration = Duration::from_millis(100);

/// A part, with the pieces received so far of a transaction that is larger than a message.
struct Followed {
    part: Part,
    pieces: Vec<PbEvent>,
}

/// What has to be done besides handling messages.
enum Due {
    /// The subscriber wants something, or a refused range is due to be requested again.
    Again,
    /// Check whether the stream is alive.
    Look,
    /// Ask the stream for a sign of life.
    Ask,
}

async fn next(wishes: &Wishes, refused: Option<Instant>, look: Instant, ask: Instant) -> Due {
    tokio::select! {
        () = wishes.changed() => Due::Again,
        () = until(refused) => Due::Again,
        () = sleep_until(look) => Due::Look,
        () = sleep_until(ask) => Due::Ask,
    }
}

fn of_id<'f>(response: &WatchResponse, followed: &'f [Followed]) -> Option<&'f Followed> {
    followed.iter().find(|followed| followed.part.id == response.watch_id())
}

impl Watcher {
    pub(super) async fn follow(&mut self) -> Then {
        let followed = self.tracked.iter().filter(|tracked| !tracked.is_refused()).map(|tracked| &tracked.range);
        let ranges = segments(followed, self.together);
        let parts: Vec<Part> =
            (1..).zip(ranges).map(|(id, range)| Part { id, from: self.from(&range), range }).collect();
        let mut opened = match self.open(&parts).await {
            Ok(opened) => opened,
            Err(why) => return Then::Lost(why),
        };
        let mut followed: Vec<Followed> = parts.into_iter().map(|part| Followed { part, pieces: Vec::new() }).collect();
        let early = match self.join(&mut opened, &followed).await {
            Ok(early) => early,
            Err(then) => return then,
        };
        for response in early {
            if let Some(then) = self.take_in(response, &mut followed) {
                return then;
            }
        }
        self.live(opened, followed).await
    }

    /// The lowest revision up to which a range in this part was reported.
    fn from(&self, part: &KeyRange) -> i64 {
        let inside = self.tracked.iter().filter(|tracked| part.contains(tracked.range.start()));
        inside.filter_map(|tracked| tracked.last()).min().unwrap_or(0)
    }

    /// Waits until all parts are watched, and checks that this is the same store as before. Returns the events that
    /// arrived meanwhile.
    async fn join(&mut self, opened: &mut Opened, followed: &[Followed]) -> Result<Vec<WatchResponse>, Then> {
        let deadline = Instant::now() + SILENCE;
        let (mut early, mut created, mut header) = (Vec::new(), 0, None);
        let mut next = Some(opened.first.clone());
        while created < followed.len() {
            let response = match next.take() {
                Some(response) => response,
                None => match timeout_at(deadline, opened.responses.message()).await {
                    Ok(Ok(Some(response))) => response,
                    Ok(Ok(None)) => return Err(self.cut_off(opened, "the server has ended the stream".to_string())),
                    Ok(Err(error)) => return Err(self.cut_off(opened, error.to_string())),
                    Err(_) => {
                        if opened.vigil.wire().pulse.is_dead() {
                            self.core.silent(opened.vigil.wire());
                        }
                        return Err(Then::Lost("the server does not answer".to_string()));
                    }
                },
            };
            opened.vigil.hears();
            if response.created() {
                created += 1;
                header = response.header().cloned();
            }
            if response.canceled() {
                // Watches are created in order, and the answer for a refused one may not have its id.
                let of = if response.created() { followed.get(created - 1) } else { of_id(&response, followed) };
                return Err(self.canceled(&response, of.map(|of| &of.part.range), followed.len()));
            }
            if !response.created() {
                early.push(response);
            }
        }
        match &header {
            Some(header) => self.recognize(header).await?,
            None => return Err(Then::Lost("the server does not say which one it is".to_string())),
        }
        self.found();
        self.pauses.reset();
        self.lost = None;
        Ok(early)
    }

    async fn recognize(&mut self, header: &ResponseHeader) -> Result<(), Then> {
        match self.is_other(header).await {
            Ok(None) => Ok(()),
            Ok(Some(cause)) => {
                self.tell_anew(cause);
                self.found();
                Err(Then::Again)
            }
            Err(error) => Err(Then::Lost(told(&error))),
        }
    }

    async fn live(&mut self, mut opened: Opened, mut followed: Vec<Followed>) -> Then {
        let wishes = self.wishes.clone();
        let refused = self.refused_until();
        // The first question is asked at once, and each further one after a fixed pause.
        let (mut look, mut ask) = (opened.vigil.first(), Instant::now());
        let mut due = Seldom::new(next(&wishes, refused, look, ask));
        loop {
            tokio::select! {
                // `due` first: it is rarely ready, so it does not delay messages.
                biased;
                is_due = &mut due => {
                    match is_due {
                        Due::Again => return Then::Again,
                        // The timer is not reset by each message. Instead, `look` checks how long ago the last one
                        // arrived.
                        Due::Look => match opened.vigil.look(look) {
                            Found::Alive(then) => look = then,
                            Found::Stuck => return Then::Lost("no sign of life, though others have some".to_string()),
                            Found::Dead => {
                                self.core.silent(opened.vigil.wire());
                                return Then::Lost(format!("no sign of life within {SILENCE:?}"));
                            }
                        },
                        Due::Ask => {
                            if opened.vigil.has_to_ask() {
                                // The answer is only a sign of life, not a position: etcd 3.4 reports revisions whose
                                // events it has not sent yet.
                                let _ = timeout(ASKING, opened.sender.request_progress()).await;
                            }
                            ask = Instant::now() + EVERY;
                        }
                    }
                    due.set(next(&wishes, refused, look, ask));
                }
                message = opened.responses.message() => match message {
                    Ok(Some(response)) => {
                        opened.vigil.hears();
                        if let Some(then) = self.take_in(response, &mut followed) {
                            return then;
                        }
                    }
                    Ok(None) => return self.cut_off(&opened, "the server has ended the stream".to_string()),
                    Err(error) => return self.cut_off(&opened, error.to_string()),
                },
            }
        }
    }

    /// The stream is broken: the next one is on another connection, to another member if there are more.
    fn cut_off(&self, opened: &Opened, why: String) -> Then {
        if self.core.watches.replace(opened.vigil.wire()) {
            self.core.suspect.notify_one();
        }
        Then::Lost(why)
    }

    fn take_in(&mut self, response: WatchResponse, followed: &mut [Followed]) -> Option<Then> {
        if response.canceled() {
            let of = of_id(&response, followed).map(|of| &of.part.range);
            return Some(self.canceled(&response, of, followed.len()));
        }
        // The answer to a progress request belongs to no part.
        let of = followed.iter_mut().find(|followed| followed.part.id == response.watch_id())?;
        let (is_piece, mut events) = (response.0.fragment, response.0.events);
        if is_piece || !of.pieces.is_empty() {
            of.pieces.append(&mut events);
            if is_piece {
                return None;
            }
            events = std::mem::take(&mut of.pieces);
        }
        let part = &of.part.range;
        groups(events, self.options.previous).find_map(|group| self.tell(part, group))
    }

    /// An etcd watch has ended: the one of `part`, if that is known.
    fn canceled(&mut self, response: &WatchResponse, part: Option<&KeyRange>, parts: usize) -> Then {
        let reason = response.cancel_reason();
        let is_of_part = |tracked: &Tracked| part.is_none_or(|part| part.contains(tracked.range.start()));
        if response.compact_revision() > 0 {
            for tracked in self.tracked.iter_mut().filter(|tracked| is_of_part(tracked)) {
                tracked.told = Told::Not(Cause::Compacted);
            }
            return Then::Again;
        }
        let followed = self.tracked.iter().filter(|tracked| !tracked.is_refused());
        if reason.contains(NO_RIGHT) && self.together && parts < followed.count() {
            return Then::Denied;
        }
        if reason.contains("auth token") {
            self.core.watches.renew();
        } else if part.is_some() && response.created() {
            // The watch was refused when it was created.
            for place in 0..self.tracked.len() {
                if is_of_part(&self.tracked[place]) {
                    let range = self.tracked[place].range.clone();
                    self.refuse(place, self.not_begun(&range, reason));
                }
            }
            return Then::Again;
        }
        Then::Lost(format!("the server has ended the watch: {reason}"))
    }

    /// The error for an etcd watch that could not be created.
    fn not_begun(&self, range: &KeyRange, reason: &str) -> KvError {
        if reason.contains(NO_RIGHT) {
            return refused(&self.core, range, reason.to_string());
        }
        let asked = Asked::to_read("watch", Some(range.clone()));
        asked.error(Reason::Other, Applied::No).at(self.core.watches.endpoint()).because(reason.to_string())
    }

    /// Reports a transaction, without the changes that were already reported.
    fn tell(&mut self, part: &KeyRange, mut group: Group) -> Option<Then> {
        // Prepared before the event is pushed, and applied only if the feed has taken it.
        for tracked in &mut self.tracked {
            tracked.next = tracked.told;
            if part.contains(tracked.range.start()) {
                tracked.next.pass(group.at, || group.adds(&tracked.range));
            }
        }
        let is_new = |key: &[u8]| {
            // A refused range does not decide for others that have the key too.
            let of = self.tracked.iter().filter(|tracked| !tracked.is_refused() && tracked.range.contains(key));
            let mut of = of.peekable();
            let is_new = of.peek().is_some() && of.all(|tracked| tracked.last().is_some_and(|last| last < group.at));
            is_new && !self.ahead.has_told(key, group.at)
        };
        group.changes.retain(|change| is_new(&change.key));
        if !group.changes.is_empty() {
            let anchor = self.identity.after(&group.changes);
            match self.feed.push(Event::changes(revision(group.at), group.changes)) {
                Pushed::Queued => self.identity.anchor = anchor,
                Pushed::Full(_) => return Some(Then::Slow),
                Pushed::Resnapshot => return Some(Then::Overflowed),
                Pushed::Ended => return Some(Then::Ended),
            }
        }
        for tracked in &mut self.tracked {
            tracked.told = tracked.next;
        }
        None
    }
}
