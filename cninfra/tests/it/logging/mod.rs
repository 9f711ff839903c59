//! Named loggers, their levels, and what is written.

mod levels;
mod macros;
mod outputs;
pub mod written;

pub use written::{Written, during, objects};
