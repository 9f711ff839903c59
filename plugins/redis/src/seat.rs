//! [`Seats`]: where the library's futures of single calls are, one after the other.
//!
//! Such a future has seven kilobytes. To find so much memory and to give it back, for each call, is a quarter of what a call adds to the client. So a connection keeps a few seats, and the future of a call is made where that of an
//! earlier one was: in its place, since to move it there would take longer.

use bytes::Bytes;
use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// So many seats are kept. Mostly one is enough, since calls that come while others are on their way go together.
const KEPT: usize = 8;

/// What is asked in a seat.
pub(crate) enum Plain {
    Get(Bytes),
    Set(Bytes, Bytes),
}

/// Seats that are free, for futures of one type, with this output.
pub(crate) struct Seats<T>(Mutex<Vec<Box<dyn Seat<T>>>>);

impl<T> Default for Seats<T> {
    fn default() -> Self {
        Seats(Mutex::default())
    }
}

impl<T> Seats<T> {
    /// Asks something in a free seat, or in a new one.
    pub(crate) fn ask(&self, what: Plain, make: impl FnOnce() -> Box<dyn Seat<T>>) -> Seated<'_, T> {
        let free = self.lock().pop();
        let mut seat = free.unwrap_or_else(make);
        seat.begin(what);
        Seated { seats: self, seat: Some(seat) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<dyn Seat<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory for one future at a time.
pub(crate) trait Seat<T>: Send {
    /// Makes the future.
    fn begin(&mut self, what: Plain);
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T>;
    /// Drops the future.
    fn end(&mut self);
}

/// A seat for the futures of this function.
pub(crate) fn seat<T, F>(make: impl Fn(Plain) -> F + Send + 'static) -> Box<dyn Seat<T>>
where
    F: Future<Output = T> + Send + 'static,
{
    Box::new(Of { make, future: Box::pin(None) })
}

struct Of<M, F> {
    make: M,
    future: Pin<Box<Option<F>>>,
}

impl<M: Fn(Plain) -> F + Send, F: Future + Send> Seat<F::Output> for Of<M, F> {
    fn begin(&mut self, what: Plain) {
        self.future.set(Some((self.make)(what)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
    }

    fn end(&mut self) {
        self.future.set(None);
    }
}

/// A call in its seat, which is free again when this is dropped.
#[must_use]
pub(crate) struct Seated<'s, T> {
    seats: &'s Seats<T>,
    /// None when it is dropped.
    seat: Option<Box<dyn Seat<T>>>,
}

impl<T> Future for Seated<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.seat.as_mut().map_or(Poll::Pending, |seat| seat.poll(cx))
    }
}

impl<T> Drop for Seated<'_, T> {
    fn drop(&mut self) {
        if let Some(mut seat) = self.seat.take() {
            seat.end();
            let mut free = self.seats.lock();
            if free.len() < KEPT {
                free.push(seat);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, poll};
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
    };
    use tokio::task::yield_now;

    /// Answers with the key, a moment later; `never` not at all.
    fn echo() -> Box<dyn Seat<Bytes>> {
        seat(|what| async move {
            let (Plain::Get(key) | Plain::Set(key, _)) = what;
            yield_now().await;
            if key == "never" {
                pending::<()>().await;
            }
            key
        })
    }

    #[tokio::test]
    async fn what_is_asked_next_sits_where_the_last_one_was() {
        let (seats, made) = (Seats::default(), AtomicUsize::new(0));
        let ask = |key: &str| {
            seats.ask(Plain::Get(Bytes::copy_from_slice(key.as_bytes())), || {
                made.fetch_add(1, Relaxed);
                echo()
            })
        };
        for key in ["a", "b", "c"] {
            assert_eq!(ask(key).await, key);
        }
        assert_eq!(made.load(Relaxed), 1);
        let (two, at_once) = (ask("d"), ask("e"));
        assert_eq!((two.await, at_once.await, made.load(Relaxed)), ("d".into(), "e".into(), 2));
        let many: Vec<_> = (0..2 * KEPT).map(|_| ask("never")).collect();
        assert_eq!(made.load(Relaxed), 2 * KEPT);
        drop(many);
        assert_eq!(seats.lock().len(), KEPT);
    }

    #[tokio::test]
    async fn who_waits_no_more_leaves_nothing_in_his_seat() {
        let seats = Seats::default();
        let held = Arc::new(());
        let make = || {
            let held = held.clone();
            seat(move |_| {
                let held = held.clone();
                async move {
                    let _held = held;
                    pending::<()>().await;
                }
            })
        };
        let mut asked = seats.ask(Plain::Get("a".into()), make);
        assert!(poll!(&mut asked).is_pending());
        assert_eq!(Arc::strong_count(&held), 3);
        drop(asked);
        assert_eq!(Arc::strong_count(&held), 2, "the seat's own is left");
        // nor does who comes next hear of it
        let answers = Seats::default();
        drop(answers.ask(Plain::Get("never".into()), echo));
        let mut next = answers.ask(Plain::Set("b".into(), "value".into()), || unreachable!("one is free"));
        assert!(poll!(&mut next).is_pending());
        assert_eq!(next.now_or_never(), Some("b".into()));
    }
}
