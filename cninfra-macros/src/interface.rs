//! `#[interface]` and `#[interface(many)]`.

use crate::{
    args::{self, Value, repeated},
    ctxt::Ctxt,
    dynamic,
    key::{self, Identity},
    krate::Krate,
    names, plugin,
    source::Source,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Item, ItemTrait, ReturnType, TraitItem, Type, TypeParamBound, parse_quote, spanned::Spanned as _};

const EXPECTED: &str =
    "`#[interface]`, `#[interface(many)]`, `#[interface(id = \"..\")]`, `#[interface(crate = path)]`";

pub(crate) fn expand(arguments: TokenStream, item: TokenStream, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let (mut many, mut given, mut krate) = (false, None, Krate::default());
    for arg in args::parse(arguments, &mut cx, EXPECTED) {
        match (arg.word().as_str(), &arg.value) {
            (names::MANY, Value::Word) => many = true,
            (names::ID, Value::Is(_)) => given = args::text(&arg, &mut cx).map(|text| text.value()),
            (names::CRATE, _) => krate = args::krate(&arg, &mut cx).unwrap_or_default(),
            _ => args::unknown(&arg, &mut cx, EXPECTED),
        }
    }
    match syn::parse2(item.clone()) {
        Ok(def) => generate(def, many, given, &krate, source, cx),
        Err(error) => no_trait(&item, &error, source, cx),
    }
}

/// The trait is an interface all the same, of several plugins or of one, so that what names it does not err too.
pub(crate) fn instead(def: ItemTrait, source: &Source, cx: Ctxt) -> TokenStream {
    if def.attrs.iter().any(|attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "interface"))
    {
        let errors = cx.finish();
        return quote!(#def #errors);
    }
    generate(def, true, None, &Krate::default(), source, cx)
}

/// The item is given back, and what can be a plugin is one, so that what names it does not err too.
fn no_trait(item: &TokenStream, error: &syn::Error, source: &Source, mut cx: Ctxt) -> TokenStream {
    const EXPECTED: &str = "CN010: an interface is a trait\n= help: put `#[interface]` on a trait";
    let mut instead = None;
    match syn::parse2::<Item>(item.clone()) {
        Ok(Item::Struct(def)) if !def.attrs.iter().any(args::is_plugin) => {
            cx.error(def.ident.span(), EXPECTED);
            instead = Some(plugin::inert(&def.ident, &def.generics, source));
        }
        Ok(other) => cx.error(other.span(), EXPECTED),
        Err(_) => cx.error(error.span(), format_args!("CN010: {error}")),
    }
    let errors = cx.finish();
    quote!(#item #instead #errors)
}

fn generate(
    mut def: ItemTrait,
    many: bool,
    given: Option<String>,
    krate: &Krate,
    source: &Source,
    mut cx: Ctxt,
) -> TokenStream {
    key::check_generics(&def.generics, &mut cx);
    repeated(&mut def.attrs, "interface", &mut cx);
    let mut is_plugin = None;
    def.attrs.retain(|attribute| {
        let is = args::is_plugin(attribute);
        is_plugin = is_plugin.or(is.then(|| args::span_of(attribute)));
        !is
    });
    if let Some(span) = is_plugin {
        cx.error(
            span,
            "CN010: an interface is no plugin\n= help: keep `#[interface]`, and put `#[plugin]` on a struct",
        );
    }
    dynamic::check(&mut def, &mut cx);
    share(&mut def);
    if !def.attrs.iter().any(|a| a.path().segments.last().is_some_and(|last| last.ident == "async_trait")) {
        refuse_async(&mut def);
    }
    // what was meant is not known: allow both
    let many = many || cx.is_broken();
    let errors = cx.finish();
    let impls = impls(&def, many, given, source, krate);
    quote! {
        #def
        #impls
        #errors
    }
}

/// Plugins are shared between threads: so is what they provide.
fn share(def: &mut ItemTrait) {
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

/// A bare `async fn` can not be called through `dyn`. The error stands in the place of what the method returns, so that
/// its callers and implementors do not err too.
fn refuse_async(def: &mut ItemTrait) {
    for item in &mut def.items {
        let TraitItem::Fn(method) = item else { continue };
        if let Some(token) = method.sig.asyncness.take() {
            let message = "CN023: an `async fn` can not be called through an interface\n= help: put `#[cninfra::async_trait]` on the trait \
                and on its impls, or return a `cninfra::BoxFuture`";
            let error = quote_spanned!(token.span=> [(); ::core::compile_error! { #message }]);
            method.sig.output = ReturnType::Type(Default::default(), Box::new(Type::Verbatim(error)));
            // who leaves it at its default does not err
            method.default = method.default.take().map(|_| parse_quote!({ ::core::unreachable!() }));
            if method.default.is_none() {
                method.semi_token = Some(Default::default());
            }
        }
    }
}

fn impls(def: &ItemTrait, many: bool, given: Option<String>, source: &Source, krate: &Krate) -> TokenStream {
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
        given,
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
