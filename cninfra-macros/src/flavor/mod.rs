//! `#[derive(Flavor)]`: writes little more than the list of the fields' types. The library computes the rest.

mod endless;
mod expand;
mod model;

use crate::{
    args, broken,
    ctxt::Ctxt,
    doubt::{Doubts, Owner},
    source::Source,
};
use model::Model;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let Some(input) = broken::parse_derive(&item, &mut cx) else { return cx.finish() };
    if args::is_derived_again(&input.attrs, "Flavor", &mut cx) {
        return cx.finish();
    }
    let mut model = Model::parse(&input, &mut cx);
    let generated = if model.is_hopeless() {
        model.runs_impl()
    } else if cx.is_broken() {
        model.inert(source)
    } else {
        let types = model.fields.iter_mut().map(|field| &mut field.ty);
        let owner = Owner { name: &model.name, vis: &model.vis, generics: &model.generics, krate: &model.krate };
        let doubts = Doubts::of_derived(owner, types);
        let generated = model.generate(!doubts.is_empty(), source);
        doubts.wrap(generated)
    };
    let errors = cx.finish();
    quote!(#generated #errors)
}
