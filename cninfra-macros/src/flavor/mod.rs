//! `#[derive(Flavor)]`: little more than the list of the fields' types. What follows from it is worked out in the library.

mod expand;
mod model;

use crate::{args, broken, ctxt::Ctxt, source::Source};
use model::Model;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_quote};

pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let input: DeriveInput = match broken::parse(&item) {
        Ok(input) => input,
        Err(error) => {
            cx.syn(&error, "`struct Name { field: Dep<Plugin>, .. }`");
            let Some(name) = broken::named(&item) else { return cx.finish() };
            parse_quote!(struct #name {})
        }
    };
    if args::derived_again(&input.attrs, "Flavor", &mut cx) {
        return cx.finish();
    }
    let model = Model::parse(&input, &mut cx);
    if model.is_hopeless() {
        return cx.finish();
    }
    let generated = if cx.is_broken() { model.inert(source) } else { model.generate(source) };
    let errors = cx.finish();
    quote!(#generated #errors)
}
