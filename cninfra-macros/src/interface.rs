//! `#[interface]` and `#[interface(many)]`.

use crate::{
    args::{self, Value},
    ctxt::Ctxt,
    dynamic,
    expected::Expected,
    key::{self, Identity},
    krate::Krate,
    names,
    source::Source,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Item, ItemTrait, ReturnType, TraitItem, Type, TypeParamBound, parse_quote, spanned::Spanned as _};

const EXPECTED: Expected = Expected {
    attribute: "interface",
    arguments: &["", "many", "id = \"..\"", "crate = path"],
    synonyms: &[
        ("all", names::MANY),
        ("collection", names::MANY),
        ("list", names::MANY),
        ("multi", names::MANY),
        ("multiple", names::MANY),
        ("several", names::MANY),
    ],
};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let (mut many, mut given_id, mut krate) = (false, None, Krate::default());
    let arguments = args::parse(arguments, &mut cx, &EXPECTED);
    for arg in args::reject_repeats(arguments, &[], &mut cx) {
        match (arg.word().as_str(), &arg.value) {
            (names::MANY, Value::Word) => many = true,
            (names::ID, Value::Is(_)) => given_id = args::text(&arg, &mut cx).map(|text| text.value()),
            (names::CRATE, _) => krate = args::krate(&arg, &mut cx).unwrap_or_default(),
            _ => args::report_unknown(&arg, &mut cx, &EXPECTED),
        }
    }
    let mut def: ItemTrait = match syn::parse2(item.clone()) {
        Ok(def) => def,
        Err(error) => {
            match syn::parse2::<Item>(item.clone()) {
                Ok(other) => cx
                    .error(other.span(), "CN010: an interface must be a trait\n= help: move `#[interface]` to a trait"),
                Err(_) => cx.error(error.span(), format_args!("CN010: {error}")),
            }
            let errors = cx.finish_anywhere();
            return quote!(#item #errors);
        }
    };
    key::check_generics(&def.generics, &mut cx);
    args::reject_repeated(&mut def.attrs, "interface", &mut cx);
    dynamic::check(&mut def, &mut cx);
    add_send_and_sync(&mut def);
    if !def.attrs.iter().any(|a| a.path().segments.last().is_some_and(|last| last.ident == "async_trait")) {
        refuse_async(&mut def);
    }
    // If something is wrong, what was meant is not known: allow both.
    let many = many || cx.is_broken();
    let errors = cx.finish();
    let impls = impls(&def, many, given_id, source, &krate);
    quote! {
        #def
        #impls
        #errors
    }
}

/// Adds `Send` and `Sync` to the supertraits: plugins are shared between threads, and so is what they provide.
fn add_send_and_sync(def: &mut ItemTrait) {
    for name in ["Send", "Sync"] {
        let is = |bound: &TypeParamBound| match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == name),
            _ => false,
        };
        if !def.supertraits.iter().any(is) {
            let name = format_ident!("{name}");
            def.supertraits.push(parse_quote!(::core::marker::#name));
            def.colon_token.get_or_insert_default();
        }
    }
}

/// Reports a bare `async fn`, which cannot be called through `dyn`. The error takes the place of the method's return
/// type, so that its callers and implementors cause no further errors.
fn refuse_async(def: &mut ItemTrait) {
    for item in &mut def.items {
        let TraitItem::Fn(method) = item else { continue };
        if let Some(token) = method.sig.asyncness.take() {
            let message = "CN023: an `async fn` cannot be called through an interface\n= help: add `#[cninfra::async_trait]` to the trait \
                and to its impls, or return a `cninfra::BoxFuture`";
            let error = quote_spanned!(token.span=> [(); ::core::compile_error! { #message }]);
            method.sig.output = ReturnType::Type(Default::default(), Box::new(Type::Verbatim(error)));
            // An impl that relies on the default causes no error.
            method.default = method.default.take().map(|_| parse_quote!({ ::core::unreachable!() }));
            if method.default.is_none() {
                method.semi_token = Some(Default::default());
            }
        }
    }
}

fn impls(def: &ItemTrait, many: bool, given_id: Option<String>, source: &Source, krate: &Krate) -> TokenStream {
    let name = &def.ident;
    let (generics, arguments) = key::inert_generics(&def.generics);
    let bounded = key::with_bounds(&generics, krate);
    let (impl_generics, _, wher) = bounded.split_for_impl();
    let ty = quote!(dyn #name #arguments);
    let mut accepts = bounded.clone();
    accepts.params.push(parse_quote!(__P: #name #arguments + 'static));
    let (accept_generics, _, _) = accepts.split_for_impl();
    let identity = Identity {
        name: format!("dyn {name}"),
        instance: names::kebab(&name.to_string()),
        given_id,
        generics: &generics,
        ty: ty.clone(),
    };
    let key = identity.expand(source, krate);
    let bound = if many { quote!(#krate::Many<#krate::One<__Path>>) } else { quote!(#krate::Found<__Path>) };
    let collection = many.then(|| {
        quote! {
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl #impl_generics #krate::ManyInterface for #ty #wher {}
        }
    });
    quote!(const _: () = {
        #key
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl #impl_generics #krate::Interface for #ty #wher {
            const MANY: ::core::primitive::bool = #many;
            type Bound<__Path> = #bound;
            type Itself = Self;
        }
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl #accept_generics #krate::Accepts<__P> for #ty #wher {
            fn accept(plugin: #krate::Arc<__P>) -> #krate::Arc<Self> {
                plugin
            }
        }
        #collection
    };)
}
