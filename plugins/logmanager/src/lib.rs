//! The log levels of a running agent, seen and set over HTTP: the plugin [`LogManager`].

mod body;
mod plugin;

pub use body::LoggerBody;
pub use plugin::LogManager;
