//! `#[derive(Plugin)]`: it is no macro of cninfra, but users may guess it. It reports what to write instead, and makes
//! the struct a plugin, so that it causes no further errors.
//!
//! There is no such macro for a guessed `#[flavor]`: it would conflict with the helper attribute of `#[derive(Flavor)]`
//! if that stands above the derive. rustc suggests what is meant.

use crate::{args, ctxt::Ctxt, mark, plugin, source::Source};
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
    cx.error(
        input.ident.span(),
        "CN010: a plugin is declared with an attribute, not derived\n= help: write `#[plugin]`, and remove `Plugin` from `#[derive(..)]`",
    );
    let errors = cx.finish();
    // An attribute, above or below, makes the struct a plugin.
    if input.attrs.iter().any(|attribute| args::is_plugin(attribute) || mark::is_mark(attribute)) {
        return errors;
    }
    let generated = plugin::inert(&input.ident, &input.generics, source);
    quote!(#generated #errors)
}
