//! The tests of cninfra, with one module for each capability. Fixtures are in other crates.
#![allow(dead_code, reason = "most fields are there to be injected")]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod attempts;
mod circles;
mod collections;
mod conditional;
mod config;
mod conformance;
mod destructors;
mod embedded;
mod faults;
mod fields;
mod foreign;
mod generic;
mod graph;
mod label;
mod limits;
mod link;
mod logging;
mod main_tasks;
mod matrix;
mod metrics;
mod nesting;
mod optional;
mod order;
mod outside;
mod owner;
mod policies;
mod replacement;
mod runs;
mod status;
mod styles;
mod support;
mod tasks;
mod timeline;
mod visibility;
