//! Follows the server from the revision that was last reported, until something else has to be done.

use super::{
    changes::{Group, groups},
    control::Wishes,
    open::{Opened, Part},
    ranges::{Tracked, segments},
    refused::refused,
    run::{RoundEnd, Watcher, until},
    seldom::Seldom,
    vigil::{EVERY, Health},
};
use crate::{
    convert::revision,
    failure::{Asked, NO_RIGHT},
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
    NextRound,
    /// Check whether the stream is alive.
    Check,
    /// Ask the stream for a sign of life.
    RequestProgress,
}

async fn next_due(wishes: &Wishes, refused: Option<Instant>, check_at: Instant, ask_at: Instant) -> Due {
    tokio::select! {
        () = wishes.changed() => Due::NextRound,
        () = until(refused) => Due::NextRound,
        () = sleep_until(check_at) => Due::Check,
        () = sleep_until(ask_at) => Due::RequestProgress,
    }
}

fn with_id<'f>(response: &WatchResponse, followed: &'f [Followed]) -> Option<&'f Followed> {
    followed.iter().find(|followed| followed.part.id == response.watch_id())
}

impl Watcher {
    pub(super) async fn follow(&mut self) -> RoundEnd {
        let followed = self.tracked.iter().filter(|tracked| !tracked.is_refused()).map(|tracked| &tracked.range);
        let ranges = segments(followed, self.together);
        let parts: Vec<Part> =
            (1..).zip(ranges).map(|(id, range)| Part { id, from: self.lowest_reported(&range), range }).collect();
        let mut opened = match self.open(&parts).await {
            Ok(opened) => opened,
            Err(why) => return RoundEnd::Lost(why),
        };
        let mut followed: Vec<Followed> = parts.into_iter().map(|part| Followed { part, pieces: Vec::new() }).collect();
        let early = match self.confirm_parts(&mut opened, &followed).await {
            Ok(early) => early,
            Err(end) => return end,
        };
        for response in early {
            if let Some(end) = self.handle_response(response, &mut followed) {
                return end;
            }
        }
        self.handle_messages(opened, followed).await
    }

    /// The lowest revision up to which a range in this part was reported.
    fn lowest_reported(&self, part: &KeyRange) -> i64 {
        let inside = self.tracked.iter().filter(|tracked| part.contains(tracked.range.start()));
        inside.filter_map(|tracked| tracked.last_reported()).min().unwrap_or(0)
    }

    /// Waits until all parts are watched, and checks that this is the same store as before. Returns the events that
    /// arrived meanwhile.
    async fn confirm_parts(
        &mut self,
        opened: &mut Opened,
        followed: &[Followed],
    ) -> Result<Vec<WatchResponse>, RoundEnd> {
        let deadline = Instant::now() + SILENCE;
        let (mut early, mut created, mut header) = (Vec::new(), 0, None);
        let mut next = Some(opened.first.clone());
        while created < followed.len() {
            let response = match next.take() {
                Some(response) => response,
                None => match timeout_at(deadline, opened.responses.message()).await {
                    Ok(Ok(Some(response))) => response,
                    Ok(Ok(None)) => {
                        return Err(self.replace_broken(opened, "the server has ended the stream".to_string()));
                    }
                    Ok(Err(error)) => return Err(self.replace_broken(opened, error.to_string())),
                    Err(_) => {
                        if opened.vigil.wire().pulse.is_dead() {
                            self.core.replace_silent(opened.vigil.wire());
                        }
                        return Err(RoundEnd::Lost("the server does not answer".to_string()));
                    }
                },
            };
            opened.vigil.record_message();
            if response.created() {
                created += 1;
                header = response.header().cloned();
            }
            if response.canceled() {
                // Watches are created in order, and the answer for a refused one may not have its id.
                let of = if response.created() { followed.get(created - 1) } else { with_id(&response, followed) };
                return Err(self.handle_canceled(&response, of.map(|of| &of.part.range), followed.len()));
            }
            if !response.created() {
                early.push(response);
            }
        }
        match &header {
            Some(header) => self.recognize(header).await?,
            None => return Err(RoundEnd::Lost("the server does not say which one it is".to_string())),
        }
        self.mark_answered();
        self.pauses.reset();
        self.lost_watch = None;
        Ok(early)
    }

    async fn recognize(&mut self, header: &ResponseHeader) -> Result<(), RoundEnd> {
        match self.check_identity(header).await {
            Ok(None) => Ok(()),
            Ok(Some(cause)) => {
                self.mark_snapshots_due(cause);
                self.mark_answered();
                Err(RoundEnd::Again)
            }
            Err(error) => Err(RoundEnd::Lost(format!("{error:#}"))),
        }
    }

    async fn handle_messages(&mut self, mut opened: Opened, mut followed: Vec<Followed>) -> RoundEnd {
        let wishes = self.wishes.clone();
        let refused = self.refused_until();
        // The first question is asked at once, and each further one after a fixed pause.
        let (mut check_at, mut ask_at) = (opened.vigil.first_check(), Instant::now());
        let mut due = Seldom::new(next_due(&wishes, refused, check_at, ask_at));
        loop {
            tokio::select! {
                // `due` first: it is rarely ready, so it does not delay messages.
                biased;
                is_due = &mut due => {
                    match is_due {
                        Due::NextRound => return RoundEnd::Again,
                        // The timer is not reset by each message. Instead, `check` finds out how long ago the last one
                        // arrived.
                        Due::Check => match opened.vigil.check(check_at) {
                            Health::Alive(then) => check_at = then,
                            Health::Stuck => {
                                return RoundEnd::Lost("no sign of life, though others have some".to_string());
                            }
                            Health::Dead => {
                                self.core.replace_silent(opened.vigil.wire());
                                return RoundEnd::Lost(format!("no sign of life within {SILENCE:?}"));
                            }
                        },
                        Due::RequestProgress => {
                            if opened.vigil.record_question_if_due() {
                                // The answer is only a sign of life, not a position: etcd 3.4 reports revisions whose
                                // events it has not sent yet.
                                let _ = timeout(ASKING, opened.sender.request_progress()).await;
                            }
                            ask_at = Instant::now() + EVERY;
                        }
                    }
                    due.set(next_due(&wishes, refused, check_at, ask_at));
                }
                message = opened.responses.message() => match message {
                    Ok(Some(response)) => {
                        opened.vigil.record_message();
                        if let Some(end) = self.handle_response(response, &mut followed) {
                            return end;
                        }
                    }
                    Ok(None) => return self.replace_broken(&opened, "the server has ended the stream".to_string()),
                    Err(error) => return self.replace_broken(&opened, error.to_string()),
                },
            }
        }
    }

    /// The stream is broken: the next one is on another connection, to another member if there are more.
    fn replace_broken(&self, opened: &Opened, why: String) -> RoundEnd {
        if self.core.watches.replace(opened.vigil.wire()) {
            self.core.suspect.notify_one();
        }
        RoundEnd::Lost(why)
    }

    fn handle_response(&mut self, response: WatchResponse, followed: &mut [Followed]) -> Option<RoundEnd> {
        if response.canceled() {
            let of = with_id(&response, followed).map(|of| &of.part.range);
            return Some(self.handle_canceled(&response, of, followed.len()));
        }
        // The answer to a progress request belongs to no part.
        let followed_part = followed.iter_mut().find(|followed| followed.part.id == response.watch_id())?;
        let (is_piece, mut events) = (response.0.fragment, response.0.events);
        if is_piece || !followed_part.pieces.is_empty() {
            followed_part.pieces.append(&mut events);
            if is_piece {
                return None;
            }
            events = std::mem::take(&mut followed_part.pieces);
        }
        let part = &followed_part.part.range;
        groups(events, self.options.previous).find_map(|group| self.report(part, group))
    }

    /// An etcd watch has ended: the one of `part`, if that is known.
    fn handle_canceled(&mut self, response: &WatchResponse, part: Option<&KeyRange>, parts: usize) -> RoundEnd {
        let reason = response.cancel_reason();
        let is_of_part = |tracked: &Tracked| part.is_none_or(|part| part.contains(tracked.range.start()));
        if response.compact_revision() > 0 {
            for tracked in self.tracked.iter_mut().filter(|tracked| is_of_part(tracked)) {
                tracked.mark_snapshot_due(Cause::Compacted);
            }
            return RoundEnd::Again;
        }
        let followed = self.tracked.iter().filter(|tracked| !tracked.is_refused());
        if reason.contains(NO_RIGHT) && self.together && parts < followed.count() {
            return RoundEnd::Denied;
        }
        if reason.contains("auth token") {
            self.core.watches.drop_current();
        } else if part.is_some() && response.created() {
            // The watch was refused when it was created.
            for place in 0..self.tracked.len() {
                if is_of_part(&self.tracked[place]) {
                    let range = self.tracked[place].range.clone();
                    self.refuse(place, self.creation_error(&range, reason));
                }
            }
            return RoundEnd::Again;
        }
        RoundEnd::Lost(format!("the server has ended the watch: {reason}"))
    }

    /// The error for an etcd watch that could not be created.
    fn creation_error(&self, range: &KeyRange, reason: &str) -> KvError {
        if reason.contains(NO_RIGHT) {
            return refused(&self.core, range, reason.to_string());
        }
        let asked = Asked::to_read("watch", Some(range.clone()));
        asked.error(Reason::Other, Applied::No).at(self.core.watches.endpoint()).because(reason.to_string())
    }

    /// Reports a transaction, without the changes that were already reported.
    fn report(&mut self, part: &KeyRange, mut group: Group) -> Option<RoundEnd> {
        // Prepared before the event is pushed, and applied only if the feed has taken it.
        for tracked in &mut self.tracked {
            tracked.progress_if_taken = tracked.progress;
            if part.contains(tracked.range.start()) {
                tracked.progress_if_taken.advance_to(group.at, || group.size_change(&tracked.range));
            }
        }
        let is_new = |key: &[u8]| {
            // A refused range does not decide for others that have the key too.
            let of = self.tracked.iter().filter(|tracked| !tracked.is_refused() && tracked.range.contains(key));
            let mut of = of.peekable();
            let is_new =
                of.peek().is_some() && of.all(|tracked| tracked.last_reported().is_some_and(|last| last < group.at));
            is_new && !self.ahead.was_reported(key, group.at)
        };
        group.changes.retain(|change| is_new(&change.key));
        if !group.changes.is_empty() {
            let anchor = self.identity.anchor_after(&group.changes);
            match self.feed.push(Event::changes(revision(group.at), group.changes)) {
                Pushed::Queued => self.identity.anchor = anchor,
                Pushed::Full(_) => return Some(RoundEnd::Slow),
                Pushed::Resnapshot => return Some(RoundEnd::Overflowed),
                Pushed::Ended => return Some(RoundEnd::Ended),
            }
        }
        for tracked in &mut self.tracked {
            tracked.progress = tracked.progress_if_taken;
        }
        None
    }
}
