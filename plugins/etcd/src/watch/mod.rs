//! Watches that come back by themselves: see "How a watch of etcd comes back" in ARCHITECTURE.md.

mod anchor;
mod changes;
mod control;
mod follow;
mod gate;
mod open;
mod outage;
mod ranges;
mod run;
mod snapshot;
mod vigil;
mod warned;

use crate::core::Core;
use cninfra::client::Tasks;
use cninfra::keyval::{Feed, KeyRange, Watch, WatchOptions};
use control::{Control, Wishes};
pub(crate) use gate::Gate;
pub(crate) use outage::Outages;
use std::sync::Arc;

/// Begins a watch: it has a task of its own, which ends with the subscriber or the store. `None` where that is closed.
pub(crate) fn begin(core: Arc<Core>, tasks: &Tasks, ranges: Vec<KeyRange>, options: WatchOptions) -> Option<Watch> {
    let (feed, events) = Feed::new(&options);
    let wishes = Arc::new(Wishes::new(ranges));
    let running = run::run(core.clone(), feed.clone(), wishes.clone(), options);
    let runs = tasks.spawn_unless(|| core.is_closed(), running);
    runs.then(|| Watch::new(events, Arc::new(Control { core, wishes, feed })))
}
