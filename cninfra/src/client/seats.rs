//! [`Seats`]: reusable memory for the futures of calls.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// Reusable memory for the futures of calls, for authors of clients. The future of a call is made in place where that
/// of an earlier call was, and is not moved.
///
/// The futures of a server's library have some kilobytes. Allocating and freeing that much for each call is a good part
/// of a client's overhead. And with many concurrent calls, the allocator may return the memory to the system and
/// request it again for each call. Client futures that hold a [`Seated`] are small, too.
///
/// ```
/// use cninfra::client::Seats;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let doubled = Seats::new(8, |number: u32| async move { 2 * number });
/// assert_eq!(doubled.ask(4).await, 8);
/// # }
/// ```
pub struct Seats<W, T> {
    kept: usize,
    make: Box<dyn Fn() -> Box<dyn Seat<W, T>> + Send + Sync>,
    free: Mutex<Vec<Box<dyn Seat<W, T>>>>,
}

impl<W, T> fmt::Debug for Seats<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seats").field("kept", &self.kept).field("free", &self.lock().len()).finish_non_exhaustive()
    }
}

impl<W: 'static, T: 'static> Seats<W, T> {
    /// Seats for calls of this function. At most `kept` seats are kept for reuse, and none is allocated before it is
    /// needed. A call always gets a seat.
    pub fn new<F>(kept: usize, call: impl Fn(W) -> F + Clone + Send + Sync + 'static) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let make = move || -> Box<dyn Seat<W, T>> { Box::new(CallSeat { call: call.clone(), future: Box::pin(None) }) };
        Seats { kept, make: Box::new(make), free: Mutex::default() }
    }
}

impl<W, T> Seats<W, T> {
    /// Calls the function, in a free seat or in a new one.
    pub fn ask(&self, what: W) -> Seated<'_, W, T> {
        let free = self.lock().pop();
        let mut seat = free.unwrap_or_else(|| (self.make)());
        seat.begin(what);
        Seated { seats: self, seat: Some(seat) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<dyn Seat<W, T>>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory for one future at a time.
trait Seat<W, T>: Send {
    /// Makes the future.
    fn begin(&mut self, what: W);
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<T>;
    /// Drops the future.
    fn end(&mut self);
}

struct CallSeat<C, F> {
    call: C,
    future: Pin<Box<Option<F>>>,
}

impl<W, C: Fn(W) -> F + Send, F: Future + Send> Seat<W, F::Output> for CallSeat<C, F> {
    fn begin(&mut self, what: W) {
        self.future.set(Some((self.call)(what)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
    }

    fn end(&mut self) {
        self.future.set(None);
    }
}

/// A call in its seat: see [`Seats`].
///
/// # Cancel safety
/// Dropping it drops the future of the call, and frees the seat for another one.
#[must_use = "futures do nothing unless they are polled"]
pub struct Seated<'s, W, T> {
    seats: &'s Seats<W, T>,
    /// `None` only while it is dropped.
    seat: Option<Box<dyn Seat<W, T>>>,
}

impl<W, T> fmt::Debug for Seated<'_, W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seated").finish_non_exhaustive()
    }
}

impl<W, T> Future for Seated<'_, W, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.seat.as_mut().map_or(Poll::Pending, |seat| seat.poll(cx))
    }
}

impl<W, T> Drop for Seated<'_, W, T> {
    fn drop(&mut self) {
        if let Some(mut seat) = self.seat.take() {
            seat.end();
            let mut free = self.seats.lock();
            if free.len() < self.seats.kept {
                free.push(seat);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::{
        future::pending,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
    };
    use tokio::task::yield_now;

    /// Returns the key a moment later; for `never`, it does not return.
    async fn echo(key: &str) -> &str {
        yield_now().await;
        if key == "never" {
            pending::<()>().await;
        }
        key
    }

    /// Counts how often it is cloned, which a call is once for each seat.
    #[derive(Default)]
    struct Made(Arc<AtomicUsize>);

    impl Clone for Made {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Relaxed);
            Made(self.0.clone())
        }
    }

    #[tokio::test]
    async fn what_is_asked_next_sits_where_the_last_one_was() {
        let made = Made::default();
        let count = made.0.clone();
        let seats = Seats::new(8, move |key| {
            let _ = &made;
            echo(key)
        });
        for key in ["a", "b", "c"] {
            assert_eq!(seats.ask(key).await, key);
        }
        assert_eq!(count.load(Relaxed), 1);
        let (two, at_once) = (seats.ask("d"), seats.ask("e"));
        assert_eq!((two.await, at_once.await, count.load(Relaxed)), ("d", "e", 2));
        let many: Vec<_> = (0..16).map(|_| seats.ask("never")).collect();
        assert_eq!(count.load(Relaxed), 16);
        drop(many);
        assert_eq!(seats.lock().len(), 8);
    }

    #[tokio::test]
    async fn who_waits_no_more_leaves_nothing_in_his_seat() {
        let held = Arc::new(());
        let seats = Seats::new(8, |held: Arc<()>| async move {
            let _held = held;
            pending::<()>().await;
        });
        let mut asked = seats.ask(held.clone());
        assert!((&mut asked).now_or_never().is_none());
        assert_eq!(Arc::strong_count(&held), 2);
        drop(asked);
        assert_eq!((Arc::strong_count(&held), seats.lock().len()), (1, 1));
        // The next call in this seat is not affected.
        let answers = Seats::new(8, echo);
        drop(answers.ask("never"));
        let mut next = answers.ask("b");
        assert!(answers.lock().is_empty(), "it sits where the other one was");
        assert!((&mut next).now_or_never().is_none());
        assert_eq!(next.now_or_never(), Some("b"));
    }
}
