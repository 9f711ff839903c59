//! What holds for each key and where it comes from, to be shown.

pub(super) mod effective;
pub(super) mod gather;
pub(super) mod one_line;
pub(super) mod print;
pub(super) mod unsaid;
