//! [`Outages`]: what the log says about watches that are lost, or cannot begin. All watches of a store are reported
//! together, in a few records, however many they are and however long it takes.

use crate::core::Core;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// An outage is over when all watches have been back for this long, so that repeated short losses are reported as one.
const CALM: Duration = Duration::from_secs(2);
/// An outage that lasts is reported again after this time, and then each time its duration has doubled.
const AGAIN: Duration = Duration::from_secs(60);

/// The outages of a store, of which there is at most one at a time.
#[derive(Default)]
pub(crate) struct Outages(Mutex<State>);

#[derive(Default)]
struct State {
    /// How many outages there were.
    count: u64,
    current: Option<Outage>,
}

struct Outage {
    began: Instant,
    /// How many watches are lost now, and (`all`) how many have been lost since it began.
    lost: usize,
    all: usize,
    /// How many of `all` had begun before.
    had_begun: usize,
    /// When the last watch came back.
    last_return: Instant,
    next_reminder: Duration,
}

/// A watch counts as lost until this is dropped.
pub(super) struct LostWatch(Arc<Core>);

/// The number of the outage in which a watch was last lost.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct OutageNumber(u64);

/// What a lost watch was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BeforeLoss {
    /// It had begun.
    Begun,
    /// It had never begun: the store was unreachable when the watch was requested.
    NeverBegun,
}

impl LostWatch {
    /// Counts a watch as lost, or as unable to begin. The first one of an outage is logged as a warning.
    pub(super) fn new(
        core: &Arc<Core>,
        last: &mut OutageNumber,
        was: BeforeLoss,
        ranges: impl fmt::Display,
        why: &str,
    ) -> Self {
        let is_first = core.outages.count_lost(last, was);
        let etcd = core.endpoints();
        match (is_first, was) {
            (true, BeforeLoss::Begun) => tracing::warn!(
                "etcd at {etcd}: the watch of {ranges} is lost, and tried again, as others are that are lost with it: {why}"
            ),
            (true, BeforeLoss::NeverBegun) => tracing::warn!(
                "etcd at {etcd}: the watch of {ranges} cannot begin yet, and is tried again, as others are that cannot either: {why}"
            ),
            (false, BeforeLoss::Begun) => tracing::debug!(why, "the watch of {ranges} is lost, too"),
            (false, BeforeLoss::NeverBegun) => tracing::debug!(why, "the watch of {ranges} cannot begin either"),
        }
        LostWatch(core.clone())
    }

    /// The watch was tried again, without success.
    pub(super) fn log_still_lost(&self, why: &str) {
        match self.0.outages.reminder_if_due() {
            Some(reminder_if_due) => tracing::warn!("etcd at {}: {reminder_if_due}: {why}", self.0.endpoints()),
            None => tracing::debug!(why, "a watch is still not there"),
        }
    }
}

impl Drop for LostWatch {
    /// The watch is back, or nobody wants it any more.
    fn drop(&mut self) {
        self.0.outages.count_returned();
    }
}

impl Core {
    /// Logs the end of an outage. To be called regularly.
    pub(crate) fn log_ended_outage(&self) {
        if let Some(over) = self.outages.end_if_over() {
            tracing::info!("etcd at {}: {over}", self.endpoints());
        }
    }
}

impl Outages {
    /// Counts a watch as lost. `last` is the outage in which it was last lost. Returns whether a new outage begins.
    fn count_lost(&self, last: &mut OutageNumber, was: BeforeLoss) -> bool {
        let (mut state, now) = (self.lock(), Instant::now());
        let is_new = state.current.is_none();
        state.count += u64::from(is_new);
        let number = OutageNumber(state.count);
        let outage = state.current.get_or_insert(Outage {
            began: now,
            lost: 0,
            all: 0,
            had_begun: 0,
            last_return: now,
            next_reminder: AGAIN,
        });
        let is_another = std::mem::replace(last, number) != number;
        outage.lost += 1;
        outage.all += usize::from(is_another);
        outage.had_begun += usize::from(is_another && was == BeforeLoss::Begun);
        is_new
    }

    /// The text to log about an outage that goes on, if it is time for that.
    fn reminder_if_due(&self) -> Option<String> {
        let mut state = self.lock();
        let outage = state.current.as_mut()?;
        let lasts = outage.began.elapsed();
        if lasts < outage.next_reminder {
            return None;
        }
        while outage.next_reminder <= lasts {
            outage.next_reminder = outage.next_reminder.saturating_mul(2);
        }
        let (of, are) = match outage.kind() {
            OutageKind::Lost => ("that were lost", "still are"),
            OutageKind::Waiting => ("that could not begin", "still cannot"),
            OutageKind::Both => ("that were lost or could not begin", "are still tried again"),
        };
        let Outage { lost, all, .. } = outage;
        Some(format!("{lost} of the {all} watches {of} {are}, after {:.0?}", whole_seconds(lasts)))
    }

    fn count_returned(&self) {
        if let Some(outage) = &mut self.lock().current {
            outage.lost = outage.lost.saturating_sub(1);
            outage.last_return = Instant::now();
        }
    }

    /// The text to log about an outage that is over.
    fn end_if_over(&self) -> Option<String> {
        let mut state = self.lock();
        let outage = state.current.take_if(|outage| outage.lost == 0 && outage.last_return.elapsed() >= CALM)?;
        let (over, was) = match outage.kind() {
            OutageKind::Lost => ("no watch is lost any more", "was"),
            OutageKind::Waiting => ("all watches have begun", "could not"),
            OutageKind::Both => ("no watch is lost any more, and all have begun", "was or could not"),
        };
        let Outage { began, all, last_return, .. } = outage;
        Some(format!("{over}, {:.1?} after the first one {was} ({all} in all)", last_return - began))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the watches of an outage were lost, or could not begin.
enum OutageKind {
    Lost,
    /// None of them had begun.
    Waiting,
    Both,
}

impl Outage {
    fn kind(&self) -> OutageKind {
        match self.had_begun {
            0 => OutageKind::Waiting,
            had_begun if had_begun == self.all => OutageKind::Lost,
            _ => OutageKind::Both,
        }
    }
}

fn whole_seconds(lasts: Duration) -> Duration {
    Duration::from_secs(lasts.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn all_watches_are_one_outage_which_is_over_when_all_are_back() {
        let (outages, mut watches) = (Outages::default(), [OutageNumber::default(); 100]);
        let begun = |watches: &mut [OutageNumber]| {
            watches.iter_mut().filter_map(|last| outages.count_lost(last, BeforeLoss::Begun).then_some(())).count()
        };
        assert_eq!(begun(&mut watches), 1);
        advance(7 * SECOND).await;
        (1..100).for_each(|_| outages.count_returned());
        advance(CALM).await;
        assert_eq!(outages.end_if_over(), None, "one is still lost");
        outages.count_returned();
        // One of them is lost again at once.
        assert_eq!(begun(&mut watches[..1]), 0);
        advance(CALM).await;
        assert_eq!(outages.end_if_over(), None);
        outages.count_returned();
        advance(CALM / 2).await;
        assert_eq!(outages.end_if_over(), None, "it may go again");
        advance(CALM / 2).await;
        assert_eq!(
            outages.end_if_over().as_deref(),
            Some("no watch is lost any more, 11.0s after the first one was (100 in all)")
        );
        assert_eq!(outages.end_if_over(), None);
        // A new outage.
        assert_eq!(begun(&mut watches[..1]), 1);
        outages.count_returned();
        advance(CALM).await;
        assert_eq!(
            outages.end_if_over().as_deref(),
            Some("no watch is lost any more, 0.0ns after the first one was (1 in all)")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_long_is_told_of_more_and_more_seldom() {
        let outages = Outages::default();
        for mut last in [OutageNumber::default(); 3] {
            outages.count_lost(&mut last, BeforeLoss::Begun);
        }
        outages.count_returned();
        let mut told = Vec::new();
        for second in 0..3600 {
            // Each lost watch is tried again.
            told.extend(
                [outages.reminder_if_due(), outages.reminder_if_due()].into_iter().flatten().map(|what| (second, what)),
            );
            advance(SECOND).await;
        }
        let when: Vec<_> = told.iter().map(|(second, _)| *second).collect();
        assert_eq!(when, [60, 120, 240, 480, 960, 1920]);
        assert_eq!(told[1].1, "2 of the 3 watches that were lost still are, after 120s");
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_never_begun_was_not_lost() {
        let told = async |all: &[BeforeLoss]| {
            let outages = Outages::default();
            for was in all {
                outages.count_lost(&mut OutageNumber::default(), *was);
            }
            advance(60 * SECOND).await;
            let reminder_if_due = outages.reminder_if_due().unwrap();
            all.iter().for_each(|_| outages.count_returned());
            advance(CALM).await;
            [reminder_if_due, outages.end_if_over().unwrap()]
        };
        assert_eq!(
            told(&[BeforeLoss::NeverBegun, BeforeLoss::NeverBegun]).await,
            [
                "2 of the 2 watches that could not begin still cannot, after 60s",
                "all watches have begun, 60.0s after the first one could not (2 in all)",
            ]
        );
        assert_eq!(
            told(&[BeforeLoss::NeverBegun, BeforeLoss::Begun]).await,
            [
                "2 of the 2 watches that were lost or could not begin are still tried again, after 60s",
                "no watch is lost any more, and all have begun, 60.0s after the first one was or could not (2 in all)",
            ]
        );
    }
}
