//! Mistakes that are nearly right, but that rustc would report in more words, or twice: a `Dep` of nothing or of
//! several types, `impl Trait` instead of `dyn Trait`, an unsized field, and a misspelled attribute of a field.

use crate::{args::span_of, ctxt::Ctxt, krate::Krate, near::is_near, size, types};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, GenericArgument, Ident, PathArguments, Type, parse_quote, spanned::Spanned as _};

/// Replaces a `Dep` that is not valid, or an unsized type, with an error, so that the compiler reports nothing more
/// about the field.
pub(super) fn refuse(ty: &mut Type, krate: &Krate, cx: &mut Ctxt) -> bool {
    let error = |span, message: String, of: TokenStream| {
        let error = quote_spanned!(span=> ::core::compile_error! { #message });
        Type::Verbatim(quote!(<#krate::Sound<{ #error }> as #krate::Pass>::Of<#of>))
    };
    if let Some((span, help)) = find(ty, krate) {
        let message = format!("CN010: a `Dep` holds one plugin or one interface\n= help: {help}");
        *ty = error(span, message, quote!(()));
        cx.note_reported();
        return true;
    }
    let mut refused = false;
    while let Some(found) = size::all_unsized(ty).into_iter().find(|found| !found.is_doubted()) {
        let (span, message, at) = (found.span(), found.message(), std::ptr::from_ref(found.ty));
        let Some(ty) = size::part_at(ty, at) else { break };
        // The type is still named, so that rustc does not warn of an unused import.
        *ty = error(span, message, quote!(#krate::PhantomData<#ty>));
        cx.note_reported();
        refused = true;
    }
    refused
}

/// The place of a `Dep` that is not valid, and what to write instead.
fn find(ty: &Type, krate: &Krate) -> Option<(Span, &'static str)> {
    let Type::Path(path) = types::ungroup(ty) else { return None };
    let last = path.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    let all = || arguments.into_iter().flatten();
    if last.ident != "Dep" {
        return all().find_map(|argument| match argument {
            GenericArgument::Type(inner) => find(inner, krate),
            _ => None,
        });
    }
    let mut all = all();
    match (all.next(), all.next()) {
        (Some(GenericArgument::Type(Type::ImplTrait(inner))), None) => {
            Some((inner.impl_token.span(), "write `dyn` instead of `impl`: `Dep<dyn Interface>`"))
        }
        (Some(GenericArgument::Type(Type::TraitObject(object))), None) => types::second_trait(object)
            .map(|second| (second.span(), "use a field for each of them, or a trait that has both as supertraits")),
        (Some(_), None) => None,
        // Another type of this name.
        _ if !(types::may_be_of_std(path) || krate.may_have(&path.path)) => None,
        _ => Some((last.ident.span(), "write `Dep<Plugin>` or `Dep<dyn Interface>`")),
    }
}

/// Replaces a misspelled attribute with the one that is meant, and reports it.
pub(super) fn mend(attributes: &mut [Attribute], known: &[&str], cx: &mut Ctxt) {
    for attribute in attributes {
        let Some(word) = attribute.path().get_ident().map(ToString::to_string) else { continue };
        let meant = known.iter().find(|known| is_near(&word, known));
        let Some(meant) = meant else { continue };
        let span = span_of(attribute);
        cx.error(
            span,
            format_args!("CN010: unknown attribute `#[{word}]` on a plugin field\n= help: did you mean `#[{meant}]`?"),
        );
        let meant = Ident::new(meant, span);
        match &mut attribute.meta {
            syn::Meta::Path(path) => *path = parse_quote!(#meant),
            syn::Meta::List(list) => list.path = parse_quote!(#meant),
            syn::Meta::NameValue(value) => value.path = parse_quote!(#meant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dep_of_one_is_right() {
        let wrong: [Type; 9] = [
            parse_quote!(Dep),
            parse_quote!(cninfra::Dep),
            parse_quote!(::cninfra::prelude::Dep),
            parse_quote!(crate::infra::Dep<A, B>),
            parse_quote!(prelude::Dep),
            parse_quote!(Option<Dep<A, B>>),
            parse_quote!(Vec<Dep>),
            parse_quote!(Dep<impl I>),
            parse_quote!(Dep<dyn I + J>),
        ];
        let krate = Krate::named(parse_quote!(crate::infra));
        let is_wrong = |ty: &Type| find(ty, &krate).is_some();
        assert!(wrong.iter().all(is_wrong));
        let right: [Type; 9] = [
            parse_quote!(Dep<A>),
            parse_quote!(Vec<Dep<dyn I>>),
            parse_quote!(Dep<dyn I + Send + 'static>),
            parse_quote!(Dept),
            parse_quote!([u8; 3]),
            // Other types of this name.
            parse_quote!(graph::Dep),
            parse_quote!(Vec<crate::Dep<A, B>>),
            parse_quote!(Option<own::Dep>),
            parse_quote!(PhantomData<own::Dep<A, B>>),
        ];
        assert!(!right.iter().any(is_wrong));
    }
}
