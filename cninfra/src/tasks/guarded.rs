//! A task's future, guarded: its panics, its destructor's too, are told and end the agent.

use crate::{
    BoxFuture, Context,
    agent::{Cause, panic_message},
};
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    task::{self, Poll},
};

pub(super) struct Guarded<T> {
    cx: Context,
    name: &'static str,
    /// In the registry; none where the task does not begin.
    id: Option<u64>,
    future: Option<BoxFuture<'static, T>>,
}

impl<T> Guarded<T> {
    pub(super) fn new(cx: Context, name: &'static str, id: Option<u64>, future: BoxFuture<'static, T>) -> Self {
        Guarded { cx, name, id, future: Some(future) }
    }

    /// Drops what it held, then says that it has ended.
    fn finish(&mut self) {
        let future = self.future.take();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
            self.panicked(&*panic);
        }
        if let Some(id) = self.id.take() {
            self.cx.tasks().leave(id);
        }
    }

    fn panicked(&self, panic: &(dyn std::any::Any + Send)) {
        self.cx.task_failed(self.name, Cause::Panicked(panic_message(panic)));
    }
}

impl<T> Future for Guarded<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<T> {
        let this = &mut *self;
        // one that does not begin is about to be aborted
        let (Some(future), Some(_)) = (&mut this.future, this.id) else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(task))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => {
                this.finish();
                Poll::Ready(done)
            }
            Err(panic) => {
                this.panicked(&*panic);
                this.finish();
                // who awaits the task is told, too
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
