//! Tests of the plugin for log levels.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod conformance;
mod levels;
