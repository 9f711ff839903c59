//! [`Synced`]: whether a map that mirrors a part of a store has received its whole initial content.

use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Synced(watch::Sender<State>);

/// Counts all mirrors of the map.
#[derive(Clone, Copy, Default)]
struct State {
    /// The number of running mirrors that have not received their initial content yet.
    pending: usize,
    /// Whether a mirror has received it.
    once: bool,
}

impl State {
    fn is_synced(&self) -> bool {
        self.once && self.pending == 0
    }
}

impl Synced {
    pub(super) fn is_synced(&self) -> bool {
        self.0.borrow().is_synced()
    }

    pub(super) async fn wait(&self) {
        // The sender cannot be dropped meanwhile, since it is borrowed.
        let _ = self.0.subscribe().wait_for(State::is_synced).await;
    }

    /// A mirror has begun.
    pub(super) fn begin_pending(&self) -> Pending<'_> {
        self.0.send_modify(|state| state.pending += 1);
        Pending(&self.0)
    }
}

/// A mirror that has not received its initial content yet. If it is dropped, that is no longer expected.
pub(super) struct Pending<'s>(&'s watch::Sender<State>);

impl Pending<'_> {
    /// The mirror has received its initial content.
    pub(super) fn complete(self) {
        self.0.send_modify(|state| state.once = true);
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.pending -= 1);
    }
}
