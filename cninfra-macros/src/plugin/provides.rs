//! Refuses `#[provides(..)]` on a plugin: a flavor says which plugin provides an interface.

use crate::{args::span_of, ctxt::Ctxt, names};
use syn::Attribute;

/// Reports and removes the attribute on the struct.
pub(super) fn refuse(attributes: &mut Vec<Attribute>, cx: &mut Ctxt) {
    attributes.retain(|attribute| {
        let is = attribute.path().is_ident(names::PROVIDES);
        if is {
            let help = "write `#[provides(dyn ..)] field: Dep<..>` in the struct with `#[derive(Flavor)]`";
            cx.error(
                span_of(attribute),
                format_args!("CN010: `#[provides]` belongs in a flavor, not on a plugin\n= help: {help}"),
            );
        }
        !is
    });
}
