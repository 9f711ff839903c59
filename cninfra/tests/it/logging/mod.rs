//! Named loggers, their levels, and what is written.

mod levels;
mod macros;
mod outputs;
mod written;

pub use written::{Written, during, objects};
