//! The flavors as an application has them.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rpc;
mod samples;
mod stores;
