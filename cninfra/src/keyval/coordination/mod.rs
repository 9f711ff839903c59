//! [`Election`] and [`Lock`]: agents agree on who does something, by a store that has [`Coordination`](super::Coordination).
//!
//! Who wants to have it writes a key below its name, with a lease that it keeps alive; who has the oldest key has it. The keys are those of etcd's own clients
//! (`<name>/<lease in hex>`), so that `etcdctl elect` and `etcdctl lock` stand in the same queue.

mod claim;
mod election;
mod held;
mod holders;
mod lock;
mod session;

pub use election::{Election, Leadership, Observed};
pub use held::Held;
pub use holders::{Holder, Holders};
pub use lock::{Lock, LockGuard};
pub use session::Loss;
