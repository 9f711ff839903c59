//! A plugin that says `no_lifecycle` and has one: it would never run. Of a generic one this is asked of an impl for all its parameters: one that holds for
//! some only may well be there for something else.

use super::{arguments::Arguments, stands};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ItemStruct;

pub(super) fn check(def: &ItemStruct, args: &Arguments) -> Option<TokenStream> {
    let (name, krate) = (&def.ident, &args.krate);
    let ask = if def.generics.params.is_empty() {
        ask(def, args, &quote!(#name))?
    } else {
        let parameters = stands::of_keys(def, krate)?;
        ask(def, args, &quote!(#name<#(#parameters),*>))?
    };
    Some(quote!(const _: () = { #ask };))
}

/// A statement of a generic plugin's constant: of parameters for which nothing can stand it is asked where a flavor holds the plugin.
pub(super) fn of_generic(def: &ItemStruct, args: &Arguments) -> Option<TokenStream> {
    if def.generics.params.is_empty() || stands::of_keys(def, &args.krate).is_some() {
        return None;
    }
    let ask = ask(def, args, &quote!(Self))?;
    Some(quote!({ #ask }))
}

fn ask(def: &ItemStruct, args: &Arguments, ty: &TokenStream) -> Option<TokenStream> {
    let span = args.no_lifecycle_at?;
    let (plugin, at) = (def.ident.to_string(), args.krate.at(span));
    Some(quote_spanned! {span=>
        #[allow(unused_imports)]
        use #at::IsNot as _;
        #at::idle(#at::Is::<#ty>::__RUNS, #plugin)
    })
}
