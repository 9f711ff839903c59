//! The Kubernetes probes of cninfra agents: the plugin [`Probe`].

mod body;
mod plugin;

pub use body::{Body, PluginBody};
pub use plugin::Probe;
