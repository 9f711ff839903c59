//! An agent inside a program: the builder, and the started agent.

pub(super) mod builder;
pub(super) mod running;
