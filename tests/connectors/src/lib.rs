//! Tests of the flavors whose plugins connect to other systems, in `tests/it`. They are in a crate of their own, since
//! building these flavors needs more than Rust.
