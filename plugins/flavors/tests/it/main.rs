//! The flavors as an application has them.

mod readme;
mod rpc;
