//! Reads a section from all its layers. Its type determines what each value is read as.

pub(super) mod ask;
pub(super) mod fields;
pub(super) mod name;
pub(super) mod named;
pub(super) mod number;
pub(super) mod reader;
pub(super) mod reading;
pub(super) mod secret_file;
pub(super) mod unexpected;
pub(super) mod variant;
