//! [`Watcher`]: the task of a watch.

use super::{
    ahead::Ahead,
    anchor::Identity,
    control::Wishes,
    outage::{Lost, Number, Was},
    ranges::{Told, Tracked, meet},
    seldom::Seldom,
};
use crate::{
    convert::number,
    core::Core,
    failure::told,
    terms::{Lane, Terms},
};
use cninfra::client::Pauses;
use cninfra::keyval::{Cause, Event, Feed, KvError, Link, Pushed, Reason, WatchOptions};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

/// A range that the store does not let be read is asked for again after so long: rights do not come and go.
const REFUSED: Duration = Duration::from_secs(5);

/// A watch, as its task has it.
///
/// It goes round: what the subscriber wants is looked at, what has no snapshot yet is listed, and then the server is followed, from the state that was told last, until one of
/// these has to be done again.
pub(super) struct Watcher {
    pub(super) core: Arc<Core>,
    pub(super) feed: Feed,
    pub(super) wishes: Arc<Wishes>,
    pub(super) options: WatchOptions,
    pub(super) tracked: Vec<Tracked>,
    pub(super) ahead: Ahead,
    pub(super) identity: Identity,
    /// The server was away: it may be another one.
    pub(super) is_unsure: bool,
    /// The subscriber knows that the connection is lost.
    pub(super) is_lost: bool,
    /// It counts as lost, in this outage.
    pub(super) lost: Option<Lost>,
    pub(super) outage: Number,
    /// Has the server ever answered it?
    pub(super) has_begun: bool,
    /// Ranges of one agent are watched as one.
    pub(super) together: bool,
    pub(super) pauses: Pauses,
    /// Who has asked for it waits for its first answer, to be told if all is refused.
    asker: Option<Asker>,
}

/// Who has asked for a watch.
struct Asker {
    refuses: oneshot::Sender<KvError>,
    /// Of the first range that the user may not read.
    why: Option<KvError>,
}

/// Why the server is followed no more.
#[derive(Debug)]
pub(super) enum Then {
    /// Something is wanted, or a snapshot is due.
    Again,
    /// The connection, or the server.
    Lost(String),
    /// The subscriber is slow, and wants to miss nothing.
    Slow,
    /// The subscriber was slow, and wants a snapshot.
    Overflowed,
    /// The user may not see all that is between the ranges.
    Denied,
    /// The subscriber is gone.
    Ended,
}

/// Tells events until the subscriber is gone or the store is closed.
pub(super) async fn run(
    core: Arc<Core>,
    feed: Feed,
    wishes: Arc<Wishes>,
    options: WatchOptions,
    refuses: oneshot::Sender<KvError>,
) {
    let _ending = Ending { feed: feed.clone(), wishes: wishes.clone() };
    let mut watcher = Watcher {
        core: core.clone(),
        feed: feed.clone(),
        wishes,
        options,
        tracked: Vec::new(),
        ahead: Ahead::default(),
        identity: Identity::default(),
        is_unsure: false,
        is_lost: false,
        lost: None,
        outage: Number::default(),
        has_begun: false,
        together: true,
        pauses: Pauses::default(),
        asker: Some(Asker { refuses, why: None }),
    };
    let end = Seldom::new(async {
        tokio::select! {
            () = core.closed() => {}
            () = feed.ended() => {}
        }
    });
    tokio::select! {
        biased;
        () = end => {}
        () = watcher.go() => {}
    }
}

/// Whatever ends the task, the subscriber is told.
struct Ending {
    feed: Feed,
    wishes: Arc<Wishes>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.wishes.end();
        self.feed.end();
    }
}

/// Waits until then, or for ever.
pub(super) async fn until(then: Option<Instant>) {
    match then {
        Some(then) => sleep_until(then).await,
        None => std::future::pending().await,
    }
}

impl Watcher {
    async fn go(&mut self) {
        let mut cause = Cause::Start;
        loop {
            self.look_at_wishes(cause);
            cause = Cause::Added;
            let then = match self.tell_snapshots().await {
                Err(then) => then,
                Ok(()) if self.tracked.iter().all(Tracked::is_refused) => {
                    // the server has answered; the log has why each is refused
                    self.lost = None;
                    if let Some(Asker { refuses, why: Some(why) }) = self.asker.take() {
                        // he who has asked for it is told by this, and has no watch
                        let _ = refuses.send(why);
                        return;
                    }
                    if !self.tracked.is_empty() {
                        self.tell_loss();
                    }
                    tokio::select! {
                        () = self.wishes.changed() => {}
                        () = until(self.refused_until()) => {}
                    }
                    Then::Again
                }
                Ok(()) => self.follow().await,
            };
            match then {
                Then::Again => {}
                Then::Denied => self.together = false,
                Then::Ended => return,
                Then::Slow => {
                    let feed = self.feed.clone();
                    tokio::select! {
                        is_there = feed.room() => if !is_there { return },
                        () = self.wishes.changed() => {}
                    }
                }
                Then::Overflowed => {
                    self.tell_anew(Cause::Overflow);
                    if !self.feed.room().await {
                        return;
                    }
                }
                Then::Lost(why) => {
                    self.lose(&why);
                    let pause = self.pauses.next();
                    tokio::select! {
                        () = sleep(pause) => {}
                        // another watch has found it again
                        () = self.core.gate.opened() => {}
                    }
                }
            }
        }
    }

    fn look_at_wishes(&mut self, cause: Cause) {
        let wanted = self.wishes.take();
        let is_gone = |tracked: &mut Tracked| wanted.ranges.iter().all(|(number, _)| *number != tracked.number);
        let gone: Vec<Tracked> = self.tracked.extract_if(.., is_gone).collect();
        for gone in gone {
            self.take_out(&gone);
        }
        self.ahead.look_at(&self.tracked);
        for (number, range) in wanted.ranges {
            if self.tracked.iter().all(|tracked| tracked.number != number) {
                let told = self.told_at_first(cause);
                self.tracked.push(Tracked::new(number, range, told));
            }
        }
        if wanted.snapshot {
            self.tell_anew(Cause::Requested);
        }
    }

    fn take_out(&mut self, gone: &Tracked) {
        self.ahead.leave(gone, &self.tracked);
        if gone.is_begun {
            // some of its keys are known as they are now, and others not
            let shares = |tracked: &&mut Tracked| tracked.last().is_some() && meet(&tracked.range, &gone.range);
            self.tracked.iter_mut().filter(shares).for_each(|tracked| tracked.told = Told::Not(Cause::Lost));
        }
        // it is always taken
        let _ = self.feed.push(Event::removed(gone.range.clone()));
    }

    fn told_at_first(&self, cause: Cause) -> Told {
        match self.options.from.filter(|_| cause == Cause::Start) {
            // the state before: to begin at one that is compacted itself would miss a deletion
            Some(from) => Told::UpTo { last: number(from) - 1, count: None },
            None => Told::Not(cause),
        }
    }

    /// A snapshot of all is due.
    pub(super) fn tell_anew(&mut self, cause: Cause) {
        for tracked in &mut self.tracked {
            // what has not begun keeps its cause
            if tracked.last().is_some() {
                tracked.told = Told::Not(cause);
            }
        }
        if matches!(cause, Cause::Regressed | Cause::Replaced) {
            self.identity.forget();
            self.ahead.forget();
        }
    }

    fn lose(&mut self, why: &str) {
        self.asker = None;
        self.feed.has_failed();
        self.is_unsure = true;
        match &self.lost {
            Some(lost) => lost.stays(why),
            None => {
                let ranges =
                    self.tracked.iter().map(|tracked| tracked.range.to_string()).collect::<Vec<_>>().join(", ");
                let was = if self.has_begun { Was::There } else { Was::Nothing };
                self.lost = Some(Lost::new(&self.core, &mut self.outage, was, ranges, why));
            }
        }
        self.tell_loss();
    }

    fn tell_loss(&mut self) {
        if !self.is_lost {
            self.is_lost = true;
            // it is always taken
            let _ = self.feed.push(Event::Link(Link::Lost));
        }
    }

    /// The server has answered.
    pub(super) fn found(&mut self) {
        self.has_begun = true;
        self.asker = None;
        if self.is_lost {
            self.is_lost = false;
            let _ = self.feed.push(Event::Link(Link::Resumed));
        }
    }

    /// A range can not be read or followed: it is left out for a while, so that the others are told.
    pub(super) fn refuse(&mut self, place: usize, error: KvError) {
        self.feed.has_failed();
        let tracked = &mut self.tracked[place];
        tracked.refuse(Instant::now() + REFUSED);
        if tracked.warned.is_due() {
            let (why, help) = (told(&error), error.help().unwrap_or_default());
            tracing::warn!("{} is not watched, and is asked for again each {REFUSED:?}: {why}; {help}", tracked.range);
        }
        if let Some(asker) = &mut self.asker
            && *error.reason() == Reason::Denied
        {
            asker.why.get_or_insert(error);
        }
    }

    /// When a range that was refused is asked for again.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        self.tracked.iter().filter_map(|tracked| tracked.refused_until).min()
    }

    /// How the server is asked for what is watched.
    pub(super) fn terms(&self) -> Terms {
        self.core.terms(Lane::Watches)
    }

    /// An event that waits for room: of a snapshot.
    pub(super) async fn send(&self, event: Event) -> Result<(), Then> {
        match self.feed.send(event).await {
            Pushed::Queued => Ok(()),
            Pushed::Ended => Err(Then::Ended),
            Pushed::Resnapshot | Pushed::Full(_) => Err(Then::Overflowed),
        }
    }
}
