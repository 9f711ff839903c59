//! A plugin that says `no_lifecycle` and has one: it would never run. (Of a generic one this can not be asked: its impl may hold for some
//! parameters only.)

use super::arguments::Arguments;
use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::ItemStruct;

pub(super) fn check(def: &ItemStruct, args: &Arguments) -> Option<TokenStream> {
    let span = args.no_lifecycle_at.filter(|_| def.generics.params.is_empty())?;
    let (name, plugin, at) = (&def.ident, def.ident.to_string(), args.krate.at(span));
    Some(quote_spanned! {span=>
        const _: () = {
            #[allow(unused_imports)]
            use #at::IsNot as _;
            #at::idle(#at::Is::<#name>::__RUNS, #plugin)
        };
    })
}
