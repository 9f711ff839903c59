//! What is set before a start, and the agent's own config sections.

pub(super) mod logs;
pub(super) mod own;
pub(super) mod prepare;
pub(super) mod settings;
