//! The settings of an agent before its start, and its own config sections.

pub(super) mod logs;
pub(super) mod own;
pub(super) mod prepare;
pub(super) mod settings;
