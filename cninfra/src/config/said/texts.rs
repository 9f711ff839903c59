//! Puts original texts back that were converted by what they look like.

use crate::config::written::{value, way::Way};
use figment::value::Value;

/// Ways in a section, with the original texts.
pub(in crate::config) type OriginalTexts = Vec<(Way, Value)>;

/// Puts these texts back wherever the converted value is still the one from that text.
pub(in crate::config) fn restore<'t>(value: &mut Value, texts: impl IntoIterator<Item = &'t (Way, Value)>) {
    for (way, text) in texts {
        if value::at(value, way).is_some_and(|here| here.tag() == text.tag()) {
            value::replace(value, way, text.clone());
        }
    }
}
