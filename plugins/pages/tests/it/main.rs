//! The pages of a running agent.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod browser;
mod forty;
mod seen;
