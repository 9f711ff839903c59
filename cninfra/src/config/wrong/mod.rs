//! Mistakes as data: what serde says about a value, and what is reported to the user.

pub(super) mod failure;
pub(super) mod mistake;
pub(super) mod spot;
