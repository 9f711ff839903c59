//! A macro that there is not, but that is guessed: `#[derive(Plugin)]`. It says what to write, and lets the struct be a plugin, so that nothing else errs
//! for it.
//!
//! (There is none for a guessed `#[flavor]`: it would be in the way of the attribute of `#[derive(Flavor)]` where that stands above the derive. rustc says what
//! is meant.)

use crate::{args, ctxt::Ctxt, made, plugin, source::Source};
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
    // an attribute, above or below, makes it one
    if input.attrs.iter().any(|attribute| args::is_plugin(attribute) || made::is_told(attribute)) {
        return errors;
    }
    let generated = plugin::inert(&input.ident, &input.generics, source);
    quote!(#generated #errors)
}
