//! Further registries of metrics, each on a path of its own: the plugin [`Prometheus`].
//!
//! An agent has one registry ([`Context::metrics`](cninfra::Context::metrics)), which is scraped as a whole. Metrics
//! that are to be scraped separately, less often or by others, belong in a registry of this plugin.

mod plugin;

pub use plugin::Prometheus;
