//! The languages of config files: parsing, the values and keys that result, and their positions in the text.

pub(super) mod format;
pub(super) mod json;
pub(super) mod key;
pub(super) mod lenient;
pub(super) mod locate;
pub(super) mod malformed;
pub(super) mod place;
pub(super) mod places;
pub(super) mod untyped;
pub(super) mod value;
pub(super) mod way;
