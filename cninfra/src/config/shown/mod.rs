//! Shows the config: the value in force for each key, and where it comes from.

pub(super) mod effective;
pub(super) mod gather;
pub(super) mod one_line;
pub(super) mod print;
pub(super) mod unsaid;
