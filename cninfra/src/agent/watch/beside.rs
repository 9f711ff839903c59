//! Polls the task that calls into all plugins outside the workers of its runtime.

use crate::{BoxFuture, agent::run::progress::Progress};
use std::{future::poll_fn, sync::Arc};
use tokio::task::block_in_place;

/// Polls a task in such a way that a blocking call does not occupy a worker of the runtime: another thread takes over
/// that worker, and the tasks that wait in it. Each poll costs microseconds, and the first one a new thread. So this is
/// only for the one task that calls into all plugins, which seldom wakes up, and not for its start, which has
/// [`release_next_task`](crate::agent::run::stall::hand_on).
pub(in crate::agent) async fn beside_workers<T>(progress: Arc<Progress>, mut task: BoxFuture<'static, T>) -> T {
    poll_fn(|waker| match progress.has_started() {
        true => block_in_place(|| task.as_mut().poll(waker)),
        false => task.as_mut().poll(waker),
    })
    .await
}
