//! Shows and sets the log levels of a running agent over HTTP: the plugin [`LogManager`].

mod body;
mod plugin;

pub use body::LoggerBody;
pub use plugin::LogManager;
