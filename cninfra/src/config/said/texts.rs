//! Texts in the place of what they look like.

use crate::config::written::{value, way::Way};
use figment::value::Value;

/// Places in a section, with the texts that are there.
pub(in crate::config) type Looks = Vec<(Way, Value)>;

/// Puts texts where what was taken for something else is still there.
pub(in crate::config) fn put<'t>(value: &mut Value, texts: impl IntoIterator<Item = &'t (Way, Value)>) {
    for (way, text) in texts {
        if value::at(value, way).is_some_and(|here| here.tag() == text.tag()) {
            value::replace(value, way, text.clone());
        }
    }
}
