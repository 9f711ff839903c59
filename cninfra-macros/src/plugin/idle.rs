//! Checks that a plugin with `no_lifecycle` has no lifecycle, which would never run. A generic plugin is checked with
//! types that can stand for any parameter; a lifecycle for only some parameters would overlap with an impl that is
//! written here.

use super::{arguments::Arguments, placeholders};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ItemStruct;

pub(super) fn check(def: &ItemStruct, args: &Arguments) -> Option<TokenStream> {
    let (span, name) = (args.no_lifecycle_at?, &def.ident);
    let question = if def.generics.params.is_empty() {
        question(def, args, &quote!(#name), span)
    } else {
        check_of_generic(def, args, span)
    };
    Some(quote!(const _: () = { #question };))
}

fn question(def: &ItemStruct, args: &Arguments, ty: &TokenStream, span: Span) -> TokenStream {
    let (plugin, at) = (def.ident.to_string(), args.krate.at(span));
    quote_spanned! {span=>
        #[allow(unused_imports)]
        use #at::IsNot as _;
        #at::idle(#at::Is::<#ty>::__RUNS, #plugin)
    }
}

fn check_of_generic(def: &ItemStruct, args: &Arguments, span: Span) -> TokenStream {
    let (name, at) = (&def.ident, args.krate.at(span));
    let (impl_generics, arguments, wher) = def.generics.split_for_impl();
    let all = placeholders::arguments(def, &args.krate).map(|parameters| quote!(#name<#(#parameters),*>));
    let runs = all.as_ref().map_or(quote!(false), |all| quote!({ #at::Is::<#all>::__RUNS }));
    let question = all.map(|all| question(def, args, &all, span));
    let refused = quote! {
        #[diagnostic::do_not_recommend]
        impl #impl_generics #at::CN034NoLifecycle<#runs> for #name #arguments #wher {}
    };
    let refused = with_span(refused, span);
    quote!(#refused #question)
}

/// Gives all tokens the same span, where rustc then reports errors about them.
fn with_span(tokens: TokenStream, span: Span) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| {
        let mut token = match token {
            TokenTree::Group(group) => Group::new(group.delimiter(), with_span(group.stream(), span)).into(),
            token => token,
        };
        token.set_span(span);
        token
    });
    tokens.collect()
}
