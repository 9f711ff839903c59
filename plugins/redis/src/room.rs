//! [`Room`]: how many calls are on their way at once.
//!
//! A semaphore of tokio's takes a lock for each permit that is given back, which each call would pay for. Here a count is all there is, as long as nobody has to wait.

use std::{
    mem,
    sync::atomic::{
        AtomicIsize,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};
use tokio::sync::Semaphore;

/// Room for so many at once; who comes then waits, first come, first served.
pub(crate) struct Room {
    /// What is free, less those who wait.
    left: AtomicIsize,
    /// What was given back while somebody waited.
    handed: Semaphore,
}

/// A place, until it is dropped.
#[must_use]
pub(crate) struct Place<'r>(&'r Room);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.0.left.fetch_add(1, AcqRel) < 0 {
            self.0.handed.add_permits(1);
        }
    }
}

impl Room {
    pub(crate) fn new(places: u8) -> Self {
        Room { left: AtomicIsize::new(isize::from(places)), handed: Semaphore::new(0) }
    }

    /// A place, if one is free: to be asked before [`acquire`](Room::acquire).
    pub(crate) fn try_acquire(&self) -> Option<Place<'_>> {
        if self.left.load(Relaxed) <= 0 {
            return None;
        }
        if self.left.fetch_sub(1, AcqRel) > 0 {
            return Some(Place(self));
        }
        // somebody was faster
        self.leave();
        None
    }

    /// Waits for a place; none once it is closed.
    ///
    /// # Cancel safety
    /// Dropped, it has taken nothing.
    pub(crate) async fn acquire(&self) -> Option<Place<'_>> {
        if self.left.fetch_sub(1, AcqRel) > 0 {
            return Some(Place(self));
        }
        let waiting = Waiting(self);
        let handed = self.handed.acquire().await.ok()?;
        handed.forget();
        mem::forget(waiting);
        Some(Place(self))
    }

    /// Waits no more.
    fn leave(&self) {
        let one_less = |left: isize| (left < 0).then_some(left + 1);
        if self.left.fetch_update(AcqRel, Acquire, one_less).is_ok() {
            return;
        }
        // as much was handed over as there are waiting: one is too much. Where it is not there yet, whoever waits next finds it
        if let Ok(handed) = self.handed.try_acquire() {
            handed.forget();
            drop(Place(self));
        }
    }

    /// Nobody waits any more, and nobody will.
    pub(crate) fn close(&self) {
        self.handed.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.handed.is_closed()
    }
}

/// Somebody who waits.
struct Waiting<'r>(&'r Room);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, poll};
    use std::{
        sync::{Arc, atomic::AtomicUsize},
        time::Duration,
    };
    use tokio::{task::JoinSet, task::yield_now, time::timeout};

    #[tokio::test]
    async fn no_more_than_there_is_room_for_and_who_waits_is_first() {
        let room = Room::new(2);
        let (first, second) = (room.try_acquire().unwrap(), room.acquire().await.unwrap());
        assert!(room.try_acquire().is_none());
        let (mut third, mut fourth) = (Box::pin(room.acquire()), Box::pin(room.acquire()));
        assert!(poll!(&mut third).is_pending() && poll!(&mut fourth).is_pending());
        drop(first);
        // it is the third one's, also before he has seen it
        assert!(room.try_acquire().is_none());
        assert!(poll!(&mut fourth).is_pending());
        let third = third.now_or_never().unwrap().unwrap();
        drop((second, third));
        drop(fourth.await);
        assert!(room.try_acquire().is_some());
    }

    #[tokio::test]
    async fn who_waits_no_more_takes_nothing_away() {
        let room = Room::new(1);
        let first = room.try_acquire();
        let (mut second, mut third) = (Box::pin(room.acquire()), Box::pin(room.acquire()));
        assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
        // before it is his
        drop(third);
        drop(first);
        // when it is his
        drop(second);
        // it is free again
        assert_eq!(room.left.load(Acquire), 1);
        let next = room.try_acquire();
        assert!(next.is_some());
        assert!(room.acquire().now_or_never().is_none());
        drop(next);
        assert!(room.acquire().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_room_that_is_closed_lets_nobody_wait() {
        let room = Room::new(1);
        let _first = room.try_acquire();
        let mut second = Box::pin(room.acquire());
        assert!(poll!(&mut second).is_pending() && !room.is_closed());
        room.close();
        assert!(second.await.is_none() && room.acquire().await.is_none() && room.is_closed());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn places_are_neither_lost_nor_made() {
        let (room, inside) = (Arc::new(Room::new(3)), Arc::<AtomicUsize>::default());
        let mut all = JoinSet::new();
        for number in 0..64 {
            let (room, inside) = (room.clone(), inside.clone());
            all.spawn(async move {
                for round in 0..300 {
                    let place = match room.try_acquire() {
                        Some(place) => place,
                        // some do not wait until it is theirs
                        None if (number + round) % 3 == 0 => match poll!(Box::pin(room.acquire())) {
                            std::task::Poll::Ready(place) => place.expect("it is open"),
                            std::task::Poll::Pending => continue,
                        },
                        None => room.acquire().await.expect("it is open"),
                    };
                    assert!(inside.fetch_add(1, AcqRel) < 3);
                    if round % 2 == 0 {
                        yield_now().await;
                    }
                    inside.fetch_sub(1, AcqRel);
                    drop(place);
                }
            });
        }
        let ended = timeout(Duration::from_secs(60), async {
            while let Some(ended) = all.join_next().await {
                ended.unwrap()
            }
        });
        ended.await.expect("nobody waits for ever");
        let mut all = Vec::new();
        while let Some(Some(place)) = room.acquire().now_or_never() {
            all.push(place);
        }
        assert_eq!(all.len(), 3);
    }
}
