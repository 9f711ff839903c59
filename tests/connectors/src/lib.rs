//! The flavors whose plugins talk to other systems: see the tests. They are a crate of their own, since these flavors need more than Rust to be built.
