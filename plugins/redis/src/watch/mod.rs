//! Watches. Redis' notifications may get lost, so each is only a hint that a key has to be read. A watch reports only
//! what it has read, and reads all its keys whenever hints may have been lost.

mod concerned;
mod control;
mod follow;
mod hub;
mod inbox;
mod listen;
mod notify;
mod pass;
mod unread;

pub(crate) use control::Control;
pub(crate) use follow::Follower;
pub(crate) use hub::Hub;
pub(crate) use inbox::Inbox;
pub(crate) use listen::run as listen;
pub(crate) use notify::mute;
