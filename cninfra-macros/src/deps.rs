//! `#[derive(Deps)]`: named dependencies, for `#[plugin(deps = Struct)]`.

use crate::{
    args,
    ctxt::Ctxt,
    key,
    krate::Krate,
    names,
    types::{self, Wrapper},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Data, DeriveInput, Ident, Type, parse_quote, parse_quote_spanned, spanned::Spanned as _};

const EXPECTED: &str = "`#[deps(crate = path)]`";

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut cx = Ctxt::default();
    let mut krate = Krate::default();
    for arg in args::of_attributes(&input.attrs, names::DEPS, &mut cx, EXPECTED) {
        match arg.word().as_str() {
            names::CRATE => krate = args::krate(&arg, &mut cx).unwrap_or_default(),
            _ => args::unknown(&arg, &mut cx, EXPECTED),
        }
    }
    key::check_generics(&input.generics, &mut cx);
    let Data::Struct(data) = &input.data else {
        cx.error(input.ident.span(), "CN010: a set of dependencies is a struct");
        return inert(&input, &krate, cx);
    };
    if cx.is_broken() {
        return inert(&input, &krate, cx);
    }
    let errors = cx.finish();
    let name = &input.ident;
    let members: Vec<_> = data.fields.members().collect();
    let types: Vec<_> = data.fields.iter().map(|field| &field.ty).collect();
    let places: Vec<Ident> = (0..types.len()).map(|k| format_ident!("__V{k}")).collect();
    let bounded = key::with_bounds(&input.generics, &krate);
    let (impl_generics, arguments, wher) = bounded.split_for_impl();
    let mut wired = bounded.clone();
    wired.params.push(parse_quote!(__S));
    for place in &places {
        wired.params.push(parse_quote!(#place));
    }
    let predicates = &mut wired.make_where_clause().predicates;
    for (ty, place) in types.iter().zip(&places) {
        predicates.push(parse_quote_spanned!(ty.span()=> #ty: #krate::Inject<__S, #place>));
    }
    let (wired_generics, _, wired_where) = wired.split_for_impl();
    let metas = types.iter().map(|ty| meta(ty, &krate));
    let ats = types.iter().map(|ty| quote_spanned!(ty.span()=> <#ty as #krate::DepItem>::At<__R>));
    quote!(const _: () = {
        #[automatically_derived]
        impl #impl_generics #krate::DepSet for #name #arguments #wher {
            const DEPS: &'static [#krate::DepMeta] = &[#(#metas),*];
            type At<__R: #krate::Root> = (#(#ats,)*);
        }
        #[automatically_derived]
        impl #wired_generics #krate::Inject<__S, (#(#places,)*)> for #name #arguments #wired_where {
            fn inject(root: &__S) -> Self {
                #name { #(#members: <#types as #krate::Inject<__S, #places>>::inject(root)),* }
            }
        }
    }; #errors)
}

/// The const of a dependency, asked of the type itself where it can be seen: for a shorter message.
pub(crate) fn meta(ty: &Type, krate: &Krate) -> TokenStream {
    match types::dependency(ty) {
        Some((Wrapper::Vec, key)) => quote_spanned!(key.span()=> <#key as #krate::ManyInterface>::ALL),
        Some((wrapper, key)) => {
            let need = if wrapper == Wrapper::Dep { quote!(One) } else { quote!(Optional) };
            quote_spanned!(key.span()=> #krate::DepMeta { key: <#key as #krate::Key>::META, need: #krate::Need::#need })
        }
        None => quote_spanned!(ty.span()=> <#ty as #krate::DepItem>::META),
    }
}

/// So that the plugin that names it does not err too.
fn inert(input: &DeriveInput, krate: &Krate, cx: Ctxt) -> TokenStream {
    let (generics, arguments) = key::inert_generics(&input.generics);
    let bounded = key::with_bounds(&generics, krate);
    let (impl_generics, _, wher) = bounded.split_for_impl();
    let mut wired = bounded.clone();
    wired.params.push(parse_quote!(__S));
    let (wired_generics, _, _) = wired.split_for_impl();
    let (name, errors) = (&input.ident, cx.finish());
    quote!(const _: () = {
        impl #impl_generics #krate::DepSet for #name #arguments #wher {
            const DEPS: &'static [#krate::DepMeta] = &[];
            type At<__R: #krate::Root> = ();
        }
        impl #wired_generics #krate::Inject<__S, ()> for #name #arguments #wher {
            fn inject(_: &__S) -> Self {
                ::core::unreachable!()
            }
        }
    }; #errors)
}
