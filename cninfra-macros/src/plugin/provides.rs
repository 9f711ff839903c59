//! Refuses `#[provides(..)]` on a plugin: a flavor says which plugin provides an interface.

use crate::{
    args::{self, span_of},
    ctxt::Ctxt,
    names,
};
use proc_macro2::TokenTree;
use syn::{Attribute, ItemStruct, Meta};

/// Derives of std and serde, which have no attribute of this name.
const DERIVES: [&str; 11] =
    ["Clone", "Copy", "Debug", "Default", "Deserialize", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Serialize"];

/// Attributes that are no macros, except for `derive`.
const INERT: [&str; 9] =
    ["allow", "deny", "deprecated", "doc", "expect", "must_use", "non_exhaustive", "serde", "warn"];

/// Reports and removes the attribute on the struct.
pub(super) fn refuse(attributes: &mut Vec<Attribute>, cx: &mut Ctxt) {
    refuse_where(attributes, cx, is_provides);
}

/// The same for its fields, if no other macro can have such an attribute, and if the field is not conditional: what is
/// disabled may have any attribute.
pub(super) fn refuse_on_fields(def: &mut ItemStruct, cx: &mut Ctxt) {
    // Most plugins have none.
    if !def.fields.iter().flat_map(|field| &field.attrs).any(is_of_flavor) || !def.attrs.iter().all(is_without_macro) {
        return;
    }
    let is_conditional =
        |attribute: &Attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr");
    for field in def.fields.iter_mut().filter(|field| !field.attrs.iter().any(is_conditional)) {
        refuse_where(&mut field.attrs, cx, is_of_flavor);
    }
}

fn refuse_where(attributes: &mut Vec<Attribute>, cx: &mut Ctxt, is_meant: fn(&Attribute) -> bool) {
    attributes.retain(|attribute| {
        let is = is_meant(attribute);
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

fn is_provides(attribute: &Attribute) -> bool {
    attribute.path().is_ident(names::PROVIDES)
}

/// Whether it is written as for a flavor: `#[provides(dyn ..)]`.
fn is_of_flavor(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    is_provides(attribute)
        && matches!(list.tokens.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "dyn")
}

/// Whether no macro that is not known is behind the attribute.
fn is_without_macro(attribute: &Attribute) -> bool {
    INERT.iter().any(|name| attribute.path().is_ident(name))
        || attribute.path().is_ident("derive")
            && args::derives(attribute).all(|derived| DERIVES.iter().any(|name| derived == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn what_may_be_of_another_macro_is_left() {
        let left = |mut def: ItemStruct| {
            let mut cx = Ctxt::default();
            refuse_on_fields(&mut def, &mut cx);
            let is_told = !cx.finish().is_empty();
            let left = def.fields.iter().flat_map(|field| &field.attrs).filter(|a| is_provides(a)).count();
            (left, is_told)
        };
        let told = parse_quote!(
            #[doc = "a"]
            #[derive(Debug, serde::Serialize)]
            struct A {
                #[provides(dyn I)]
                a: Dep<dyn I>,
            }
        );
        assert_eq!(left(told), (0, true));
        let of_others: [ItemStruct; 4] = [
            parse_quote!(
                #[derive(Debug, Other)]
                struct A {
                    #[provides(dyn I)]
                    a: Dep<dyn I>,
                }
            ),
            parse_quote!(
                #[other]
                struct A {
                    #[provides(dyn I)]
                    a: Dep<dyn I>,
                }
            ),
            parse_quote!(
                struct A {
                    #[cfg(test)]
                    #[provides(dyn I)]
                    a: Dep<dyn I>,
                }
            ),
            parse_quote!(
                struct A(#[provides(I)] Dep<dyn I>);
            ),
        ];
        for def in of_others {
            assert_eq!(left(def), (1, false));
        }
    }
}
