//! The one task that calls into all plugins, beside the workers of its runtime.

use crate::{BoxFuture, agent::run::progress::Progress};
use std::{future::poll_fn, sync::Arc};
use tokio::task::block_in_place;

/// Polls a task so that a call that does not return keeps no thread of the runtime: another one takes its place, and what waits to run in the place of the
/// one that calls. Each poll costs microseconds, and the first one a thread, so it is for the one task that calls into all plugins, which seldom wakes up, and
/// not for its start, which has [`hand_on`](crate::agent::run::stall::hand_on).
pub(in crate::agent) async fn beside_workers<T>(progress: Arc<Progress>, mut task: BoxFuture<'static, T>) -> T {
    poll_fn(|waker| match progress.has_started() {
        true => block_in_place(|| task.as_mut().poll(waker)),
        false => task.as_mut().poll(waker),
    })
    .await
}
