//! That a struct is made a plugin by an attribute: for a derive below it, which does not see that.

use crate::args;
use syn::{Attribute, ItemStruct, parse_quote};

/// Tells a guessed `#[derive(Plugin)]`. (By an attribute of a tool, of which rustc asks nothing: a derive of this name may be
/// another one.)
pub(crate) fn tell(def: &mut ItemStruct) {
    if args::derived(&def.attrs, "Plugin").next().is_some() {
        def.attrs.push(parse_quote!(#[rustfmt::made_plugin]));
    }
}

/// Was it told?
pub(crate) fn is_told(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "made_plugin")
}
