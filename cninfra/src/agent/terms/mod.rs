//! The vocabulary of an agent: phases, events, limits, policies, failures.

pub(super) mod cause;
pub(super) mod course;
pub(super) mod event;
pub(super) mod exit;
pub(super) mod failure;
pub(super) mod guard;
pub(super) mod limits;
pub(super) mod order;
pub(super) mod phase;
pub(super) mod policy;
pub(super) mod report;
pub(super) mod timeline;
