//! The compile errors of cninfra, one page each.
