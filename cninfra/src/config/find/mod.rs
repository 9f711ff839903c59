//! Finds everything that is wrong with a section in one run, and where: the section is read again and again, each time
//! with other values in it.

pub(super) mod again;
pub(super) mod alternatives;
pub(super) mod answer;
pub(super) mod beyond;
pub(super) mod blame;
pub(super) mod culprit;
pub(super) mod elsewhere;
pub(super) mod extract;
pub(super) mod first_lack;
pub(super) mod fits;
pub(super) mod follows;
pub(super) mod found_spot;
pub(super) mod holds;
pub(super) mod items;
pub(super) mod lacks;
pub(super) mod left_out;
pub(super) mod looks;
pub(super) mod marked;
pub(super) mod mistakes;
pub(super) mod narrow;
pub(super) mod one_by_one;
pub(super) mod order;
pub(super) mod trial;
pub(super) mod usual;
pub(super) mod variants;
pub(super) mod wording;
