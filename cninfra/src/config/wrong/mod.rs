//! What is wrong, as data: what serde says, and as it is told.

pub(super) mod failure;
pub(super) mod mistake;
pub(super) mod spot;
