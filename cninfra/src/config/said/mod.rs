//! The sources of config, what each says about a section, and the layers of a section with canonical keys.

pub(super) mod agent_keys;
pub(super) mod canonical;
pub(super) mod chosen;
pub(super) mod entry;
pub(super) mod file;
pub(super) mod kept;
pub(super) mod layers;
pub(super) mod meant;
pub(super) mod secrets;
pub(super) mod shape;
pub(super) mod source;
pub(super) mod texts;
