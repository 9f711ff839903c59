//! Tests of the codecs against what Go wrote.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod mistakes;
mod random;
mod recorded;
mod vectors;
