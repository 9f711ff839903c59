//! The wiring, over several crates: a module for each capability.
#![allow(dead_code, reason = "most fields are there to be injected")]

mod collections;
mod config;
mod faults;
mod generic;
mod graph;
mod nesting;
mod optional;
mod order;
mod replacement;
mod styles;
mod support;
mod visibility;
