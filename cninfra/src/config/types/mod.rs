//! Types for the keys of sections.

pub(super) mod byte_size;
pub(super) mod duration;
pub(super) mod hides;
pub(super) mod later;
pub(super) mod phase_limits;
pub(super) mod plugin_name;
pub(super) mod scalar;
pub(super) mod secret;
pub(super) mod text;
