//! Marks a struct that an attribute makes a plugin, for a derive below it, which does not see the attribute.

use crate::args;
use syn::{Attribute, ItemStruct, parse_quote};

/// Marks the struct for a guessed `#[derive(Plugin)]`. The mark is an attribute of a tool, which rustc does not check,
/// since a derive of this name may be another macro.
pub(crate) fn add(def: &mut ItemStruct) {
    if args::derive_places(&def.attrs, "Plugin").next().is_some() {
        def.attrs.push(parse_quote!(#[rustfmt::made_plugin]));
    }
}

/// Whether the attribute is this mark.
pub(crate) fn is_mark(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "made_plugin")
}
