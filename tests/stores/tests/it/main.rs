//! What every store keeps to, on real servers; and that what does not is found.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod cheats;
mod embedded;
mod etcd;
