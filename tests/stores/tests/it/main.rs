//! What breaks the contract of stores is found by the conformance suite. Each store's own tests run the suite on that store.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod cheats;
