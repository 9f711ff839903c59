//! [`Guarded`]: the future of a task. Its panics, also in its destructor, are logged and stop the agent.

use super::Mark;
use crate::{
    BoxFuture, Context,
    agent::Cause,
    foreign::{self, Panic, Who},
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{self, Poll},
    time::Instant,
};

pub(super) struct Guarded<T> {
    cx: Context,
    name: &'static str,
    /// The id in the registry; `None` if the task does not begin.
    id: Option<u64>,
    mark: Mark,
    future: Option<BoxFuture<'static, T>>,
}

impl<T> Guarded<T> {
    pub(super) fn new(
        cx: Context,
        name: &'static str,
        (id, mark): (Option<u64>, Mark),
        future: BoxFuture<'static, T>,
    ) -> Self {
        Guarded { cx, name, id, mark, future: Some(future) }
    }

    /// Drops the future, then records that the task has ended.
    fn finish(&mut self) {
        let future = self.future.take();
        let dropped = {
            let _inside = (self.mark.enter(), Who::task(self.cx.name(), self.name).is_called());
            foreign::guard(|| drop(future))
        };
        if let Err(panic) = dropped {
            self.panicked(panic);
        }
        if let Some(id) = self.id.take() {
            self.cx.tasks().leave(id);
        }
    }

    fn panicked(&self, panic: Panic) {
        self.cx.task_failed(self.name, Cause::Panicked(panic));
    }
}

impl<T> Future for Guarded<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<T> {
        let this = &mut *self;
        // A task that does not begin is about to be aborted.
        let (Some(future), Some(_)) = (&mut this.future, this.id) else { return Poll::Pending };
        let slowest = this.cx.tasks().slowest().map(|slowest| (slowest, Instant::now()));
        let polled = {
            let _inside = (this.mark.enter(), Who::task(this.cx.name(), this.name).is_called());
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(task)))
        };
        if let Some((slowest, began)) = slowest {
            slowest.put(this.cx.place(), this.name, began.elapsed());
        }
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => {
                this.finish();
                Poll::Ready(done)
            }
            Err(panic) => {
                this.panicked(Panic::seen(&*panic));
                this.finish();
                // The code that awaits the task gets the panic, too.
                resume_unwind(panic)
            }
        }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        self.finish();
    }
}
