//! Tests of the probes of a running agent.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod body;
mod codes;
mod conformance;
mod metrics;
mod prometheus;
mod start;
