//! [`Watcher`]: the task of a watch.

use super::{
    ahead::Ahead,
    anchor::Identity,
    control::Wishes,
    outage::{BeforeLoss, LostWatch, OutageNumber},
    ranges::{Progress, Tracked, overlap},
    seldom::Seldom,
};
use crate::{
    convert::number,
    core::Core,
    terms::{Lane, Terms},
};
use cninfra::client::Pauses;
use cninfra::keyval::{Cause, Event, Feed, KvError, Link, Pushed, Reason, WatchOptions};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, sleep_until},
};

/// How long to wait before a refused range is requested again: rights rarely change.
const REFUSED: Duration = Duration::from_secs(5);

/// If the server was not followed for this long, since the subscriber is slow, it may have been replaced unnoticed: then
/// the connection is made again without an error.
const UNWATCHED: Duration = Duration::from_millis(500);

/// The task of a watch. It runs in rounds: it looks at what the subscriber wants, lists the ranges that have no
/// snapshot yet, and then follows the server from the revision that was last reported, until one of these is due again.
pub(super) struct Watcher {
    pub(super) core: Arc<Core>,
    pub(super) feed: Feed,
    pub(super) wishes: Arc<Wishes>,
    pub(super) options: WatchOptions,
    pub(super) tracked: Vec<Tracked>,
    pub(super) ahead: Ahead,
    pub(super) identity: Identity,
    /// The server was unreachable, or not followed for a while: it may be another store now.
    pub(super) is_unsure: bool,
    /// When the server was last followed.
    last_followed: Instant,
    /// The subscriber has been told that the connection is lost.
    pub(super) is_loss_reported: bool,
    /// Present while this watch counts as lost in an outage.
    pub(super) lost_watch: Option<LostWatch>,
    pub(super) last_outage: OutageNumber,
    /// Whether the server has ever answered this watch.
    pub(super) has_begun: bool,
    /// Whether ranges of the same agent are watched as one (see `segments`).
    pub(super) together: bool,
    pub(super) pauses: Pauses,
    /// The caller of `watch`, which waits for the first answer: it gets an error if all ranges are refused.
    asker: Option<Asker>,
}

/// The caller that asked for this watch.
struct Asker {
    refusal_sender: oneshot::Sender<KvError>,
    /// The error of the first range that the user may not read.
    why: Option<KvError>,
}

/// Why following the server has ended.
#[derive(Debug)]
pub(super) enum RoundEnd {
    /// The subscriber wants something, or a snapshot is due.
    Again,
    /// The connection or the server failed.
    Lost(String),
    /// The subscriber is slow, and must not miss any event.
    Slow,
    /// The subscriber was slow, and wants a snapshot.
    Overflowed,
    /// The user may not read everything between the ranges.
    Denied,
    /// The subscriber is gone.
    Ended,
}

/// Reports events until the subscriber is gone or the store is closed.
pub(super) async fn run(
    core: Arc<Core>,
    feed: Feed,
    wishes: Arc<Wishes>,
    options: WatchOptions,
    refusal_sender: oneshot::Sender<KvError>,
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
        last_followed: Instant::now(),
        is_loss_reported: false,
        lost_watch: None,
        last_outage: OutageNumber::default(),
        has_begun: false,
        together: true,
        pauses: Pauses::default(),
        asker: Some(Asker { refusal_sender, why: None }),
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

/// Ends the feed however the task ends, so that the subscriber notices.
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

/// Sleeps until `then`, or forever.
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
            self.apply_wishes(cause);
            cause = Cause::Added;
            let end = match self.report_snapshots().await {
                Err(end) => end,
                Ok(()) if self.tracked.iter().all(Tracked::is_refused) => {
                    // The server has answered. Why each range is refused is in the log.
                    self.lost_watch = None;
                    // The caller of `watch` gets this error instead of a watch, unless it waits no longer.
                    if let Some(Asker { refusal_sender, why: Some(why) }) = self.asker.take()
                        && refusal_sender.send(why).is_ok()
                    {
                        return;
                    }
                    if !self.tracked.is_empty() {
                        self.report_loss();
                    }
                    tokio::select! {
                        () = self.wishes.changed() => {}
                        () = until(self.refused_until()) => {}
                    }
                    RoundEnd::Again
                }
                Ok(()) => {
                    self.is_unsure |= self.last_followed.elapsed() >= UNWATCHED;
                    let end = self.follow().await;
                    self.last_followed = Instant::now();
                    end
                }
            };
            match end {
                RoundEnd::Again => {}
                RoundEnd::Denied => self.together = false,
                RoundEnd::Ended => return,
                RoundEnd::Slow => {
                    let feed = self.feed.clone();
                    tokio::select! {
                        is_there = feed.room() => if !is_there { return },
                        () = self.wishes.changed() => {}
                    }
                }
                RoundEnd::Overflowed => {
                    self.mark_snapshots_due(Cause::Overflow);
                    if !self.feed.room().await {
                        return;
                    }
                }
                RoundEnd::Lost(why) => {
                    self.mark_lost(&why);
                    let pause = self.pauses.next();
                    tokio::select! {
                        () = sleep(pause) => {}
                        // Another watch has found the server again.
                        () = self.core.gate.opened() => {}
                    }
                }
            }
        }
    }

    fn apply_wishes(&mut self, cause: Cause) {
        let wanted = self.wishes.take();
        let is_gone = |tracked: &mut Tracked| wanted.ranges.iter().all(|(number, _)| *number != tracked.number);
        let gone: Vec<Tracked> = self.tracked.extract_if(.., is_gone).collect();
        for gone in gone {
            self.remove_range(&gone);
        }
        self.ahead.drop_caught_up(&self.tracked);
        for (number, range) in wanted.ranges {
            if self.tracked.iter().all(|tracked| tracked.number != number) {
                let progress = self.initial_progress(cause);
                self.tracked.push(Tracked::new(number, range, progress));
            }
        }
        if wanted.snapshot {
            self.mark_snapshots_due(Cause::Requested);
        }
    }

    fn remove_range(&mut self, gone: &Tracked) {
        self.ahead.record_removed(gone, &self.tracked);
        if gone.has_partial_snapshot {
            // Some of its keys were already reported as they are now, others not yet.
            let shares =
                |tracked: &&mut Tracked| tracked.last_reported().is_some() && overlap(&tracked.range, &gone.range);
            self.tracked.iter_mut().filter(shares).for_each(|tracked| tracked.mark_snapshot_due(Cause::Lost));
        }
        // The feed accepts this event even if it is full.
        let _ = self.feed.push(Event::removed(gone.range.clone()));
    }

    fn initial_progress(&self, cause: Cause) -> Progress {
        match self.options.from.filter(|_| cause == Cause::Start) {
            // Starts at the revision before: starting at a compacted revision would miss a deletion there.
            Some(from) => Progress::UpTo { last: number(from) - 1, count: None },
            None => Progress::SnapshotDue(cause),
        }
    }

    /// Marks all ranges as due for a snapshot.
    pub(super) fn mark_snapshots_due(&mut self, cause: Cause) {
        let is_other_store = matches!(cause, Cause::Regressed | Cause::Replaced);
        for tracked in &mut self.tracked {
            // A range without a first snapshot keeps its cause; and one that is due anyway, except for another store.
            if tracked.last_reported().is_some() || is_other_store && tracked.reported_before > 0 {
                tracked.mark_snapshot_due(cause);
            }
        }
        if is_other_store {
            self.identity.forget();
            self.ahead.forget();
        }
    }

    fn mark_lost(&mut self, why: &str) {
        self.asker = None;
        self.feed.has_failed();
        self.is_unsure = true;
        match &self.lost_watch {
            Some(lost) => lost.log_still_lost(why),
            None => {
                let ranges =
                    self.tracked.iter().map(|tracked| tracked.range.to_string()).collect::<Vec<_>>().join(", ");
                let was = if self.has_begun { BeforeLoss::Begun } else { BeforeLoss::NeverBegun };
                self.lost_watch = Some(LostWatch::new(&self.core, &mut self.last_outage, was, ranges, why));
            }
        }
        self.report_loss();
    }

    fn report_loss(&mut self) {
        if !self.is_loss_reported {
            self.is_loss_reported = true;
            // The feed accepts this event even if it is full.
            let _ = self.feed.push(Event::Link(Link::Lost));
        }
    }

    /// To be called when the server has answered.
    pub(super) fn mark_answered(&mut self) {
        self.has_begun = true;
        self.asker = None;
        if self.is_loss_reported {
            self.is_loss_reported = false;
            let _ = self.feed.push(Event::Link(Link::Resumed));
        }
    }

    /// A range cannot be read or followed: it is left out for a while, so that the others can go on.
    pub(super) fn refuse(&mut self, place: usize, error: KvError) {
        self.feed.has_failed();
        let tracked = &mut self.tracked[place];
        tracked.refuse(Instant::now() + REFUSED);
        if tracked.warning_limit.allow() {
            let help = error.help().unwrap_or_default();
            tracing::warn!(
                "{} is not watched, and is asked for again each {REFUSED:?}: {error:#}; {help}",
                tracked.range
            );
        }
        if let Some(asker) = &mut self.asker
            && *error.reason() == Reason::Denied
        {
            asker.why.get_or_insert(error);
        }
    }

    /// When the next refused range is due to be requested again.
    pub(super) fn refused_until(&self) -> Option<Instant> {
        self.tracked.iter().filter_map(|tracked| tracked.refused_until).min()
    }

    /// The terms of the requests that this watch makes.
    pub(super) fn terms(&self) -> Terms {
        self.core.terms(Lane::Watches)
    }

    /// Sends an event of a snapshot, and waits until there is room for it.
    pub(super) async fn send(&self, event: Event) -> Result<(), RoundEnd> {
        match self.feed.send(event).await {
            Pushed::Queued => Ok(()),
            Pushed::Ended => Err(RoundEnd::Ended),
            Pushed::Resnapshot | Pushed::Full(_) => Err(RoundEnd::Overflowed),
        }
    }
}
