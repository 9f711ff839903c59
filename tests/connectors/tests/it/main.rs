//! Tests of the flavors with connectors: with real servers, and without any.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod away;
mod graph;
mod off;
mod on;
mod support;
