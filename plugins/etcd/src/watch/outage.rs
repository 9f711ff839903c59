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
    now: Option<Outage>,
}

struct Outage {
    began: Instant,
    /// How many watches are lost now, and (`all`) how many have been lost since it began.
    lost: usize,
    all: usize,
    /// How many of `all` had begun before.
    had_begun: usize,
    /// When the last watch came back.
    back: Instant,
    again: Duration,
}

/// A watch counts as lost until this is dropped.
pub(super) struct Lost(Arc<Core>);

/// The number of the outage in which a watch was last lost.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Number(u64);

/// What a lost watch was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Was {
    /// It had begun.
    There,
    /// It had never begun: the store was unreachable when the watch was requested.
    Nothing,
}

impl Lost {
    /// Counts a watch as lost, or as unable to begin. The first one of an outage is logged as a warning.
    pub(super) fn new(core: &Arc<Core>, last: &mut Number, was: Was, ranges: impl fmt::Display, why: &str) -> Self {
        let is_first = core.outages.begins(last, was);
        let etcd = core.endpoints();
        match (is_first, was) {
            (true, Was::There) => tracing::warn!(
                "etcd at {etcd}: the watch of {ranges} is lost, and tried again, as others are that are lost with it: {why}"
            ),
            (true, Was::Nothing) => tracing::warn!(
                "etcd at {etcd}: the watch of {ranges} cannot begin yet, and is tried again, as others are that cannot either: {why}"
            ),
            (false, Was::There) => tracing::debug!(why, "the watch of {ranges} is lost, too"),
            (false, Was::Nothing) => tracing::debug!(why, "the watch of {ranges} cannot begin either"),
        }
        Lost(core.clone())
    }

    /// The watch was tried again, without success.
    pub(super) fn stays(&self, why: &str) {
        match self.0.outages.goes_on() {
            Some(goes_on) => tracing::warn!("etcd at {}: {goes_on}: {why}", self.0.endpoints()),
            None => tracing::debug!(why, "a watch is still not there"),
        }
    }
}

impl Drop for Lost {
    /// The watch is back, or nobody wants it any more.
    fn drop(&mut self) {
        self.0.outages.comes_back();
    }
}

impl Core {
    /// Logs the end of an outage. To be called regularly.
    pub(crate) fn tell_of_outages(&self) {
        if let Some(over) = self.outages.is_over() {
            tracing::info!("etcd at {}: {over}", self.endpoints());
        }
    }
}

impl Outages {
    /// Counts a watch as lost. `last` is the outage in which it was last lost. Returns whether a new outage begins.
    fn begins(&self, last: &mut Number, was: Was) -> bool {
        let (mut state, now) = (self.lock(), Instant::now());
        let is_new = state.now.is_none();
        state.count += u64::from(is_new);
        let number = Number(state.count);
        let outage =
            state.now.get_or_insert(Outage { began: now, lost: 0, all: 0, had_begun: 0, back: now, again: AGAIN });
        let is_another = std::mem::replace(last, number) != number;
        outage.lost += 1;
        outage.all += usize::from(is_another);
        outage.had_begun += usize::from(is_another && was == Was::There);
        is_new
    }

    /// The text to log about an outage that goes on, if it is time for that.
    fn goes_on(&self) -> Option<String> {
        let mut state = self.lock();
        let outage = state.now.as_mut()?;
        let lasts = outage.began.elapsed();
        if lasts < outage.again {
            return None;
        }
        while outage.again <= lasts {
            outage.again = outage.again.saturating_mul(2);
        }
        let (of, are) = match outage.were() {
            Were::Lost => ("that were lost", "still are"),
            Were::Waiting => ("that could not begin", "still cannot"),
            Were::Both => ("that were lost or could not begin", "are still tried again"),
        };
        let Outage { lost, all, .. } = outage;
        Some(format!("{lost} of the {all} watches {of} {are}, after {:.0?}", whole(lasts)))
    }

    fn comes_back(&self) {
        if let Some(outage) = &mut self.lock().now {
            outage.lost = outage.lost.saturating_sub(1);
            outage.back = Instant::now();
        }
    }

    /// The text to log about an outage that is over.
    fn is_over(&self) -> Option<String> {
        let mut state = self.lock();
        let outage = state.now.take_if(|outage| outage.lost == 0 && outage.back.elapsed() >= CALM)?;
        let (over, was) = match outage.were() {
            Were::Lost => ("no watch is lost any more", "was"),
            Were::Waiting => ("all watches have begun", "could not"),
            Were::Both => ("no watch is lost any more, and all have begun", "was or could not"),
        };
        let Outage { began, all, back, .. } = outage;
        Some(format!("{over}, {:.1?} after the first one {was} ({all} in all)", back - began))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the watches of an outage were lost, or could not begin.
enum Were {
    Lost,
    /// None of them had begun.
    Waiting,
    Both,
}

impl Outage {
    fn were(&self) -> Were {
        match self.had_begun {
            0 => Were::Waiting,
            had_begun if had_begun == self.all => Were::Lost,
            _ => Were::Both,
        }
    }
}

fn whole(lasts: Duration) -> Duration {
    Duration::from_secs(lasts.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn all_watches_are_one_outage_which_is_over_when_all_are_back() {
        let (outages, mut watches) = (Outages::default(), [Number::default(); 100]);
        let begun = |watches: &mut [Number]| {
            watches.iter_mut().filter_map(|last| outages.begins(last, Was::There).then_some(())).count()
        };
        assert_eq!(begun(&mut watches), 1);
        advance(7 * SECOND).await;
        (1..100).for_each(|_| outages.comes_back());
        advance(CALM).await;
        assert_eq!(outages.is_over(), None, "one is still lost");
        outages.comes_back();
        // One of them is lost again at once.
        assert_eq!(begun(&mut watches[..1]), 0);
        advance(CALM).await;
        assert_eq!(outages.is_over(), None);
        outages.comes_back();
        advance(CALM / 2).await;
        assert_eq!(outages.is_over(), None, "it may go again");
        advance(CALM / 2).await;
        assert_eq!(
            outages.is_over().as_deref(),
            Some("no watch is lost any more, 11.0s after the first one was (100 in all)")
        );
        assert_eq!(outages.is_over(), None);
        // A new outage.
        assert_eq!(begun(&mut watches[..1]), 1);
        outages.comes_back();
        advance(CALM).await;
        assert_eq!(
            outages.is_over().as_deref(),
            Some("no watch is lost any more, 0.0ns after the first one was (1 in all)")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_long_is_told_of_more_and_more_seldom() {
        let outages = Outages::default();
        for mut last in [Number::default(); 3] {
            outages.begins(&mut last, Was::There);
        }
        outages.comes_back();
        let mut told = Vec::new();
        for second in 0..3600 {
            // Each lost watch is tried again.
            told.extend([outages.goes_on(), outages.goes_on()].into_iter().flatten().map(|what| (second, what)));
            advance(SECOND).await;
        }
        let when: Vec<_> = told.iter().map(|(second, _)| *second).collect();
        assert_eq!(when, [60, 120, 240, 480, 960, 1920]);
        assert_eq!(told[1].1, "2 of the 3 watches that were lost still are, after 120s");
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_never_begun_was_not_lost() {
        let told = async |all: &[Was]| {
            let outages = Outages::default();
            for was in all {
                outages.begins(&mut Number::default(), *was);
            }
            advance(60 * SECOND).await;
            let goes_on = outages.goes_on().unwrap();
            all.iter().for_each(|_| outages.comes_back());
            advance(CALM).await;
            [goes_on, outages.is_over().unwrap()]
        };
        assert_eq!(
            told(&[Was::Nothing, Was::Nothing]).await,
            [
                "2 of the 2 watches that could not begin still cannot, after 60s",
                "all watches have begun, 60.0s after the first one could not (2 in all)",
            ]
        );
        assert_eq!(
            told(&[Was::Nothing, Was::There]).await,
            [
                "2 of the 2 watches that were lost or could not begin are still tried again, after 60s",
                "no watch is lost any more, and all have begun, 60.0s after the first one was or could not (2 in all)",
            ]
        );
    }
}
