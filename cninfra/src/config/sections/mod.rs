//! The sections of an agent: [`Config`], the known sections, their files and checks, and how live sections follow their
//! files.

pub(super) mod agent_keys;
pub(super) mod check;
pub(super) mod checked;
pub(super) mod checking;
pub(super) mod config;
pub(super) mod files;
pub(super) mod flags;
pub(super) mod followers;
#[cfg(feature = "testing")]
pub(super) mod hidden;
pub(super) mod kinds;
pub(super) mod known;
pub(super) mod library;
pub(super) mod live;
pub(super) mod load;
pub(super) mod no_plugins;
pub(super) mod origins;
pub(super) mod refused;
pub(super) mod reload;
pub(super) mod section;
