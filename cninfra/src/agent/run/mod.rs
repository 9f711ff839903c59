//! Runs the steps of plugins, from their creation to their close.

pub(super) mod begun;
pub(super) mod closing;
pub(super) mod common;
pub(super) mod creating;
pub(super) mod env;
pub(super) mod job;
pub(super) mod progress;
pub(super) mod record;
pub(super) mod retry;
pub(super) mod roll;
pub(super) mod runner;
pub(super) mod stall;
pub(super) mod together;
