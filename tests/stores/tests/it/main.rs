//! What breaks the contract of stores is found by the conformance suite (each store's own tests run the suite on that store), how soon the watches of stores on servers have all again, and what who leads is told.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod cheats;
mod leads;
mod recovery;
