//! Named loggers, their levels, and what they write.

mod levels;
mod lost;
mod macros;
mod outputs;
pub mod written;

pub use written::{Written, during, objects};
