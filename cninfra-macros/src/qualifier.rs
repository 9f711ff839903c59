//! `#[derive(Qualifier)]`.

use crate::{
    args::{self, Value},
    ctxt::Ctxt,
    expected::Expected,
    key::{self, Identity},
    krate::Krate,
    names,
    source::Source,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

const EXPECTED: Expected = Expected {
    attribute: names::QUALIFIER,
    arguments: &["name = \"..\"", "id = \"..\"", "crate = path"],
    synonyms: &[("instance", names::NAME), ("rename", names::NAME), ("suffix", names::NAME)],
};

pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
    key::check_generics(&input.generics, &mut cx);
    let mut krate = Krate::default();
    let mut instance = names::kebab(&input.ident.to_string());
    let mut span = input.ident.span();
    let mut given_id = None;
    for arg in args::of_attributes(&input.attrs, names::QUALIFIER, &mut cx, &EXPECTED) {
        match (arg.word().as_str(), &arg.value) {
            (names::CRATE, _) => krate = args::krate(&arg, &mut cx).unwrap_or_default(),
            (names::ID, Value::Is(_)) => given_id = args::text(&arg, &mut cx).map(|text| text.value()),
            (names::NAME, Value::Is(_)) => {
                if let Some(text) = args::text(&arg, &mut cx) {
                    (instance, span) = (text.value(), text.span());
                }
            }
            _ => args::report_unknown(&arg, &mut cx, &EXPECTED),
        }
    }
    if !instance.is_empty() && !names::is_instance_name(&instance) {
        cx.error(span, format_args!("CN021: `{instance}` cannot be part of an instance name\n= help: use a to z, 0 to 9 and `-`: `#[qualifier(name = \"..\")]`"));
        instance = String::new();
    }
    let name = &input.ident;
    let (generics, arguments) = key::inert_generics(&input.generics);
    let identity =
        Identity { name: name.to_string(), instance, given_id, generics: &generics, ty: quote!(#name #arguments) };
    let (key, errors) = (identity.expand(source, &krate), cx.finish());
    quote!(const _: () = { #key }; #errors)
}
