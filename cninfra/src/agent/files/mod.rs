//! Reads and follows the config files on separate threads, since a file system may not answer.

pub(super) mod apart;
pub(super) mod patience;
pub(super) mod reading;
pub(super) mod reload;
pub(super) mod search;
pub(super) mod within;
