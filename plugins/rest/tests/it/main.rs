//! Tests of the server over real sockets, on free ports.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod binding;
mod conformance;
mod counted;
mod foreign;
mod hostile;
mod library;
mod life;
mod malformed;
mod memory;
mod raw;
mod routes;
mod start;
mod support;
