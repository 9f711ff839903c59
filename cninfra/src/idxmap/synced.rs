//! [`Synced`]: whether a map that is kept as a part of a store is has taken in all of it.

use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Synced(watch::Sender<State>);

/// Of all that keep the map.
#[derive(Clone, Copy, Default)]
struct State {
    /// So many have begun, and have not taken in yet what there was.
    behind: usize,
    /// One has.
    once: bool,
}

impl State {
    fn is_synced(&self) -> bool {
        self.once && self.behind == 0
    }
}

impl Synced {
    pub(super) fn is(&self) -> bool {
        self.0.borrow().is_synced()
    }

    pub(super) async fn wait(&self) {
        // it does not end while somebody waits: the sender is lent
        let _ = self.0.subscribe().wait_for(State::is_synced).await;
    }

    /// Who keeps the map has begun.
    pub(super) fn behind(&self) -> Behind<'_> {
        self.0.send_modify(|state| state.behind += 1);
        Behind(&self.0)
    }
}

/// One that has not taken in yet what there was. Dropped, it never will.
pub(super) struct Behind<'s>(&'s watch::Sender<State>);

impl Behind<'_> {
    /// It has.
    pub(super) fn ends_well(self) {
        self.0.send_modify(|state| state.once = true);
    }
}

impl Drop for Behind<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.behind -= 1);
    }
}
