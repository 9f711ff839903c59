//! Named loggers, their levels, and what is written.

mod levels;
mod lost;
mod macros;
mod outputs;
pub mod written;

pub use written::{Written, during, objects};
