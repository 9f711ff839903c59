//! Tests of the flavors as an application uses them.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rpc;
mod samples;
mod stores;
