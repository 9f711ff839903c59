//! The predefined flavors of cninfra: sets of platform plugins, to be put into an application's own flavor.
//!
//! | flavor | feature | what it brings |
//! | --- | --- | --- |
//! | [`Local`] | | what needs no network |
//! | [`Rpc`] | `rpc`, on by default | `Local`, the HTTP server, the probes, the pages |
//!
//! An application links only the flavors whose features are on.

mod local;
#[cfg(feature = "rpc")]
mod rpc;

pub use local::Local;
#[cfg(feature = "rpc")]
pub use rpc::Rpc;
