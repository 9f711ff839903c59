//! The Kubernetes probes and the metrics of cninfra agents: the plugin [`Probe`].

mod body;
mod config;
mod health;
mod plugin;
mod port;

pub use body::{Body, InterfaceStats, PluginBody, PluginState, PluginTimes};
pub use config::ProbeConfig;
pub use plugin::Probe;
