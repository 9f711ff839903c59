//! A plugin that holds itself, by value: rustc would tell of its size in several ways.

use crate::{
    ctxt::Ctxt,
    known::{self, Doubts},
    krate::{self, Krate},
    types,
};
use quote::quote;
use syn::{GenericArgument, Generics, Ident, PathArguments, Type, spanned::Spanned as _};

const MESSAGE: &str = "CN033: a plugin can not hold itself\n= help: take the field away";

/// Puts an error in its place, or, if it stands in what may be another type than it looks, what is one if it is none. Is the field wrong for sure?
pub(super) fn refuse(ty: &mut Type, name: &Ident, generics: &Generics, krate: &Krate, cx: &mut Ctxt) -> bool {
    let Some((within, doubts)) = find(ty, name, Vec::new()) else { return false };
    let span = within.span();
    if doubts.is_empty() {
        *within = krate::error(span, MESSAGE, &quote!(()), krate);
        cx.told();
        return true;
    }
    // by its name, which an alias knows, too
    let (_, arguments, _) = generics.split_for_impl();
    let mut name = name.clone();
    name.set_span(span);
    *within = known::asked(&doubts, &Type::Verbatim(quote!(#name #arguments)), MESSAGE, krate);
    false
}

/// Where a type holds the plugin without a pointer, and what must be std's for that.
fn find<'a>(ty: &'a mut Type, name: &Ident, doubts: Doubts) -> Option<(&'a mut Type, Doubts)> {
    let is_itself = match types::ungroup(ty) {
        Type::Path(path) if path.qself.is_none() && path.path.segments.len() == 1 => {
            path.path.segments.iter().all(|word| word.ident == *name || word.ident == "Self")
        }
        _ => false,
    };
    match ty {
        _ if is_itself => Some((ty, doubts)),
        Type::Group(group) => find(&mut group.elem, name, doubts),
        Type::Paren(paren) => find(&mut paren.elem, name, doubts),
        Type::Array(array) => find(&mut array.elem, name, doubts),
        Type::Tuple(tuple) => tuple.elems.iter_mut().find_map(|inner| find(inner, name, doubts.clone())),
        Type::Path(path) => {
            let known = known::named(path).filter(|known| known.inline)?;
            let doubts = [&doubts[..], &[known.compared(path)?]].concat();
            let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else {
                return None;
            };
            arguments.args.iter_mut().find_map(|argument| match argument {
                GenericArgument::Type(inner) => find(inner, name, doubts.clone()),
                _ => None,
            })
        }
        _ => None,
    }
}
