//! The state of an agent and of its plugins, as the probes show it.

mod changes;
mod handle;
mod probing;
mod registry;
mod state;
mod values;
mod version;

pub use changes::StatusChanges;
pub use handle::Status;
pub use probing::Probing;
pub(crate) use registry::Registry;
pub use state::State;
pub use values::{AgentStatus, Down, PluginStatus};
