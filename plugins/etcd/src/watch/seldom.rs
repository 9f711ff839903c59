//! [`Seldom`]: a future that is rarely ready, waited for beside one that often is.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Relaxed},
        },
    },
    task::{Context, Poll, Wake, Waker},
};

/// Polls a future only when it has been woken. Otherwise its timers and notifications would be polled whenever the task
/// runs, which is with each message, at a cost of some hundred instructions.
pub(super) struct Seldom<F> {
    future: Pin<Box<F>>,
    calls: Option<(Arc<Call>, Waker)>,
}

/// The waker that the future gets.
struct Call {
    called: AtomicBool,
    task: Waker,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.called.swap(true, AcqRel) {
            self.task.wake_by_ref();
        }
    }
}

impl<F: Future> Seldom<F> {
    pub(super) fn new(future: F) -> Self {
        Seldom { future: Box::pin(future), calls: None }
    }

    /// Replaces the future.
    pub(super) fn set(&mut self, future: F) {
        self.future.set(future);
        self.calls = None;
    }
}

impl<F: Future> Future for Seldom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Seldom { future, calls } = &mut *self;
        if calls.as_ref().is_none_or(|(call, _)| !call.task.will_wake(cx.waker())) {
            let call = Arc::new(Call { called: AtomicBool::new(true), task: cx.waker().clone() });
            *calls = Some((call.clone(), call.into()));
        }
        match calls {
            // The flag is reset before the poll: a wake-up from now on requests another poll. One that came between the
            // two reads of the flag has woken the task, or is seen by the second read.
            Some((call, waker)) if call.called.load(Relaxed) && call.called.swap(false, AcqRel) => {
                future.as_mut().poll(&mut Context::from_waker(waker))
            }
            _ => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
        time::Duration,
    };
    use tokio::{
        sync::Notify,
        time::{Instant, sleep},
    };

    #[tokio::test(start_paused = true)]
    async fn it_is_polled_when_it_has_something_to_say_and_by_each_task_that_waits() {
        let (polls, notify) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
        let counted = |polls: Arc<AtomicUsize>, notify: Arc<Notify>| async move {
            let mut notified = Box::pin(async move { notify.notified().await });
            poll_fn(|cx| {
                polls.fetch_add(1, Relaxed);
                notified.poll_unpin(cx)
            })
            .await
        };
        let mut seldom = Seldom::new(counted(polls.clone(), notify.clone()));
        for _ in 0..5 {
            assert!(poll_fn(|cx| Poll::Ready(seldom.poll_unpin(cx))).await.is_pending());
        }
        assert_eq!(polls.load(Relaxed), 1);
        // If another task polls it, that task is woken.
        let waits = tokio::spawn(async move {
            (&mut seldom).await;
            [seldom]
        });
        sleep(Duration::from_secs(1)).await;
        assert_eq!(polls.load(Relaxed), 2);
        notify.notify_one();
        let [mut seldom] = waits.await.unwrap();
        assert_eq!(polls.load(Relaxed), 3);
        seldom.set(counted(polls.clone(), notify.clone()));
        assert!(poll_fn(|cx| Poll::Ready(seldom.poll_unpin(cx))).await.is_pending());
        notify.notify_one();
        seldom.await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_at_once_with_a_poll_is_not_missed() {
        // It wakes itself while it is polled, as a future does whose budget is spent.
        let mut left = 3;
        Seldom::new(poll_fn(move |cx| {
            left -= 1;
            cx.waker().wake_by_ref();
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }))
        .await;
        let began = Instant::now();
        Seldom::new(sleep(Duration::from_secs(9))).await;
        assert_eq!(began.elapsed(), Duration::from_secs(9));
    }
}
