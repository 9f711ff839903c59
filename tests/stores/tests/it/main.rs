//! Tests that the conformance suite finds stores that break the contract (each store's own tests run the suite on that
//! store), how soon the watches of stores on servers recover, and how a leader learns that it has lost its leadership.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod cheats;
mod leads;
mod recovery;
