//! The watch. What Redis tells of changes are hints that may get lost: each is a key to be read. So a watch never tells what it has not read, and reads all its keys whenever hints may have been lost.

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
