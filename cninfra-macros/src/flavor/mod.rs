//! `#[derive(Flavor)]`: little more than the list of the fields' types. What follows from it is worked out in the library.

mod expand;
mod model;

use crate::{args, ctxt::Ctxt, source::Source};
use model::Model;
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
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
