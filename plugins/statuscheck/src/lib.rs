//! The status of an agent, published in the store of its flavor: the plugin [`StatusCheck`].

mod config;
mod plugin;
mod publisher;
mod record;

pub use config::StatusCheckConfig;
pub use plugin::StatusCheck;
pub use record::{AgentRecord, PluginRecord};
