//! A macro that there is not, but that is guessed: `#[derive(Plugin)]`. It says what to write, and lets the struct be a plugin, so that nothing else errs
//! for it.
//!
//! (There is none for a guessed `#[flavor]`: it would be in the way of the attribute of `#[derive(Flavor)]` where that stands above the derive. rustc says what
//! is meant.)

use crate::{args, ctxt::Ctxt, plugin, source::Source};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, ItemStruct, Path, parse_quote};

/// Tells the derive below `#[plugin]` of that, which it does not see. (By an attribute of a tool, of which rustc asks nothing: a derive of this name may be
/// another one.)
pub(crate) fn tell(def: &mut ItemStruct) {
    if args::derived(&def.attrs, "Plugin").next().is_some() {
        def.attrs.push(parse_quote!(#[rustfmt::made_plugin]));
    }
}

pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
    cx.error(
        input.ident.span(),
        "CN010: a plugin is made by an attribute, and not derived\n= help: write `#[plugin]`, and take `Plugin` out of the `#[derive(..)]`",
    );
    let errors = cx.finish();
    // an attribute, above or below, makes it one
    let is_made = |path: &Path| path.segments.last().is_some_and(|last| last.ident == "made_plugin");
    if input.attrs.iter().any(|attribute| args::is_plugin(attribute) || is_made(attribute.path())) {
        return errors;
    }
    let generated = plugin::inert(&input.ident, &input.generics, source);
    quote!(#generated #errors)
}
