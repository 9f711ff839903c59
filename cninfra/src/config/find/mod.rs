//! Finds everything that is wrong with a section in one run, and where: the section is read again and again, each time
//! with other values in it.
//!
//! The way of a mistake: `extract` searches the layers, `again` reads them until nothing fails, and `answer` is given
//! each failure. `culprit` finds what it is about, `follows` whether it is a mistake of its own, `wording` its words;
//! `mistakes` keeps it. All of them read other values by a `trial`.
//!
//! What recurs:
//! - A failure is the *same* if it says the same about the same place: then what was changed does not matter to it.
//! - A value is *left out* (`dropped`) if it is wrong, and *made up* where a key is missing, so that reading goes on.
//! - An *unreadable* value is one that no type reads (`value::unreadable`): the failure about it shows who reads it.
//! - A *mark* identifies a value in a failure without showing it.
//! - The *budget* is how many more values may be read to search.

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
