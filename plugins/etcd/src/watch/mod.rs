//! Watches that recover by themselves: see "How a watch of etcd comes back" in ARCHITECTURE.md.

mod ahead;
mod anchor;
mod changes;
mod control;
mod follow;
mod gate;
mod open;
mod outage;
mod ranges;
mod refused;
mod run;
mod seldom;
mod snapshot;
mod vigil;
mod warned;

use crate::core::Core;
use cninfra::client::Tasks;
use cninfra::keyval::{Feed, KeyRange, KvError, Watch, WatchOptions};
use control::{Control, Wishes};
pub(crate) use gate::Gate;
pub(crate) use outage::Outages;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Begins a watch. It has a task of its own, which ends with the subscriber or the store. Returns `None` if the store
/// is closed. The receiver yields an error if the user may read none of the ranges; it yields nothing if that is not
/// so, or not known at first.
pub(crate) fn begin(
    core: Arc<Core>,
    tasks: &Tasks,
    ranges: Vec<KeyRange>,
    options: WatchOptions,
) -> Option<(Watch, oneshot::Receiver<KvError>)> {
    let (feed, events) = Feed::new(&options);
    let wishes = Arc::new(Wishes::new(ranges.clone()));
    let (refusal_sender, refused) = oneshot::channel();
    let running = run::run(core.clone(), feed.clone(), wishes.clone(), options, refusal_sender);
    let runs = tasks.spawn_unless(|| core.is_closed(), running);
    runs.then(|| (Watch::new(&ranges, events, Arc::new(Control { core, wishes, feed })), refused))
}
