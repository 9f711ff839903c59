//! Further registries of metrics, each on a path of its own: the plugin [`Prometheus`].
//!
//! An agent has one registry ([`Context::metrics`](cninfra::Context::metrics)), which is scraped as a whole. What is to be scraped apart, more seldom or by others,
//! goes to a registry of this plugin.

mod plugin;

pub use plugin::Prometheus;
