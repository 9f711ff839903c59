//! [`Election`] and [`Lock`]: agents agree on who leads or holds a lock, through a store with
//! [`Coordination`](super::Coordination).
//!
//! Each contender writes a key below the name, bound to a lease that it keeps alive; the one with the oldest key leads
//! or holds the lock. The keys are those of etcd's own clients (`<name>/<lease in hex>`), so that `etcdctl elect` and
//! `etcdctl lock` use the same queue.

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
