//! Tests of the pages of a running agent.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod asked;
mod browser;
mod config;
mod conformance;
mod course;
mod drawn;
mod escaped;
mod forty;
mod json;
mod seen;
mod small;
mod start;
