//! An agent in a program: what is set before its start, and what has started.

pub(super) mod builder;
pub(super) mod running;
