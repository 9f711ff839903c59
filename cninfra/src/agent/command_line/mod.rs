//! Reads the command line and the environment into values, and puts these into the settings.

pub(super) mod cli;
pub(super) mod command;
pub(super) mod configure;
pub(super) mod rivals;
pub(super) mod said;
pub(super) mod set;
pub(super) mod usage;
pub(super) mod variables;
