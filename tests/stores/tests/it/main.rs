//! What every store keeps to, on real servers.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod etcd;
