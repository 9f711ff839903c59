//! The probes of a running agent.

mod body;
mod codes;
