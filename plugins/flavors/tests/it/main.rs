//! The flavors as an application has them.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod readme;
mod rpc;
mod stores;
