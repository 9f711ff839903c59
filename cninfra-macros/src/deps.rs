//! `#[derive(Deps)]`: named dependencies, for `#[plugin(deps = Struct)]`.

use crate::{
    args, broken,
    ctxt::Ctxt,
    doubt::{Doubts, Owner},
    expected::Expected,
    key,
    krate::{Krate, WIDEST_TUPLE},
    names,
    plugin::std_words,
    size::{self, Sizes},
    types::{self, Wrapper},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Data, DeriveInput, Ident, Type, spanned::Spanned as _};

const EXPECTED: Expected = Expected { attribute: names::DEPS, arguments: &["crate = path"], synonyms: &[] };

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut cx = Ctxt::default();
    let Some(input) = broken::parse_derive(&item, &mut cx) else { return cx.finish() };
    // A separate `Ctxt`, so that a mistake in the attribute does not hide others.
    let (mut attribute, mut krate) = (Ctxt::default(), Krate::default());
    for arg in args::of_attributes(&input.attrs, names::DEPS, &mut attribute, &EXPECTED) {
        match arg.word().as_str() {
            names::CRATE => krate = args::krate(&arg, &mut attribute).unwrap_or_default(),
            _ => args::report_unknown(&arg, &mut attribute, &EXPECTED),
        }
    }
    let (generated, errors) = (generate(input, &krate, cx), attribute.finish());
    quote!(#generated #errors)
}

/// The impl, and the mistakes in the struct.
fn generate(mut input: DeriveInput, krate: &Krate, mut cx: Ctxt) -> TokenStream {
    key::check_generics(&input.generics, &mut cx);
    let Data::Struct(data) = &input.data else {
        cx.error(
            input.ident.span(),
            "CN010: a set of dependencies must be a struct\n= help: move `#[derive(Deps)]` to a struct",
        );
        return inert(&input, krate, None, cx);
    };
    if data.fields.iter().any(|field| types::is_itself(&field.ty, &input.ident)) {
        // rustc reports this, and would report more about an impl.
        return cx.finish();
    }
    match size::sizes_of(&data.fields) {
        Sizes::Known => {}
        Sizes::Reported => cx.note_reported(),
        Sizes::Unsized(ty) => {
            cx.note_reported();
            let message = size::message(ty);
            let error = quote_spanned!(ty.span()=> ::core::compile_error! { #message });
            return inert(&input, krate, Some(error), cx);
        }
    }
    if args::has_impossible_field(&data.fields, &input.generics) {
        cx.note_reported();
    }
    if cx.is_broken() {
        return inert(&input, krate, None, cx);
    }
    let errors = cx.finish();
    let Data::Struct(data) = &mut input.data else { return errors };
    let owner = Owner { name: &input.ident, vis: &input.vis, generics: &input.generics, krate };
    let doubts = Doubts::of_derived(owner, data.fields.iter_mut().map(|field| &mut field.ty));
    let name = &input.ident;
    let members: Vec<_> = data.fields.members().collect();
    let types: Vec<Type> = data.fields.iter().map(|field| field.ty.clone()).collect();
    let variables: Vec<Ident> = (0..types.len()).map(|k| format_ident!("d{k}")).collect();
    let bounded = key::with_bounds(&input.generics, krate);
    let (_, arguments, wher) = bounded.split_for_impl();
    let impl_generics = key::impl_params(&bounded, name);
    let metas = types.iter().map(|ty| meta(ty, krate));
    let mut listed = quote!(&[#(#metas),*]);
    let worded: Vec<_> = types.iter().filter(|ty| types::is_in_std_wrapper(ty)).collect();
    if !worded.is_empty() {
        listed = quote!({ #(let _: <#worded as #krate::Worded>::Is;)* #listed });
    }
    let (mut tuple, pattern) = (tuple(&types, krate), pattern(&variables, krate));
    let (mut declared, mut made, mut itself) = (quote!(), quote!(#name), quote!(Self));
    // An alias may stand for an unsized type.
    let is_doubtful = |ty: &Type| types::dependency(ty).is_none() || types::is_dep_on_generic(ty);
    if input.generics.params.is_empty() && (!doubts.is_empty() || types.iter().any(is_doubtful)) {
        let sound = quote!(<#krate::Sound<{ <#name as #krate::Listed>::DEPS.len() }> as #krate::Pass>::Any);
        tuple = quote!(#sound<#tuple>);
        (declared, made) = types::constructed(quote!(#sound<#name>));
        itself = quote!(#sound<Self>);
    }
    let imports = types::imports(krate);
    let places: Vec<_> = types.iter().map(Type::span).collect();
    let tuple = types::associated_type("Tuple", &tuple, &places, name);
    let generated = quote!(const _: () = {
        #imports
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        impl #impl_generics #krate::Listed for #name #arguments #wher {
            #tuple
            const DEPS: &'static [#krate::DepMeta] = #listed;
            fn build(tuple: Self::Tuple) -> #itself {
                #declared
                let #pattern = tuple;
                #made { #(#members: #variables),* }
            }
        }
    };);
    let generated = doubts.wrap(generated);
    quote!(#generated #errors)
}

/// The path of a dependency's constant: `<#key as #of_trait>::#name`. If the macro can see the plugin or interface itself,
/// its own constant is used, for a shorter message.
pub(crate) struct Constant<'a> {
    pub(crate) key: &'a Type,
    pub(crate) of_trait: &'static str,
    pub(crate) name: &'static str,
}

pub(crate) fn constant(ty: &Type) -> Constant<'_> {
    match types::dependency(ty) {
        Some((Wrapper::Vec, key)) => Constant { key, of_trait: "ManyInterface", name: "ALL" },
        Some((wrapper, key)) => Constant {
            key,
            // The type arguments may be what is wrong, which `GenericKey`'s message says.
            of_trait: if types::is_generic_dyn(key) || types::has_arguments(key) {
                "GenericKey"
            } else if types::is_dyn(key) {
                "Interface"
            } else {
                trait_for_word(key)
            },
            name: if wrapper == Wrapper::Dep { "ONE" } else { "OPTIONAL" },
        },
        None => Constant { key: ty, of_trait: "DepItem", name: "META" },
    }
}

/// The trait that is required of a plugin. Its message fits if the name is that of a well-known type that is no plugin.
/// (A plugin may have such a name, too: then all these traits give it the same constants.)
fn trait_for_word(key: &Type) -> &'static str {
    match types::ungroup(key) {
        Type::Path(path) if types::may_be_of_std(path) => match path.path.segments.last() {
            Some(last) if std_words::is_value(&last.ident.to_string()) => "ValueKey",
            Some(last) if ["Context", "Kv", "Logger"].iter().any(|name| last.ident == name) => "GivenKey",
            _ => "Key",
        },
        _ => "Key",
    }
}

/// The constant of a dependency.
pub(crate) fn meta(ty: &Type, krate: &Krate) -> TokenStream {
    let Constant { key, of_trait, name } = constant(ty);
    let (of_trait, name) = (format_ident!("{of_trait}"), format_ident!("{name}"));
    let key_span = key.span();
    let key = if types::dependency(ty).is_some() { types::argument(key) } else { quote!(#key) };
    quote_spanned!(key_span=> <#key as #krate::#of_trait>::#name)
}

/// `(A, B)`; for more than twelve, `More<(..), ..>`.
pub(crate) fn tuple(types: &[Type], krate: &Krate) -> TokenStream {
    if types.len() <= WIDEST_TUPLE {
        return quote!((#(#types,)*));
    }
    let (head, rest) = (&types[..WIDEST_TUPLE], tuple(&types[WIDEST_TUPLE..], krate));
    quote!(#krate::More<(#(#head,)*), #rest>)
}

pub(crate) fn pattern(variables: &[Ident], krate: &Krate) -> TokenStream {
    if variables.len() <= WIDEST_TUPLE {
        return quote!((#(#variables,)*));
    }
    let (head, rest) = (&variables[..WIDEST_TUPLE], pattern(&variables[WIDEST_TUPLE..], krate));
    quote!(#krate::More((#(#head,)*), #rest))
}

/// The types of the fields.
fn fields(input: &DeriveInput) -> impl Iterator<Item = &Type> {
    let fields = if let Data::Struct(data) = &input.data { Some(&data.fields) } else { None };
    fields.into_iter().flatten().map(|field| &field.ty)
}

/// An impl for a wrong struct, so that the plugin that names it causes no further error; its other mistakes are still
/// reported. `no_size`: for an unsized struct, which no function can return, the error that takes the place of its
/// dependencies.
fn inert(input: &DeriveInput, krate: &Krate, no_size: Option<TokenStream>, cx: Ctxt) -> TokenStream {
    let (generics, arguments) = key::inert_generics(&input.generics);
    let bounded = key::with_bounds(&generics, krate);
    let (impl_generics, _, wher) = bounded.split_for_impl();
    let (name, errors) = (&input.ident, cx.finish());
    let build = no_size.is_none().then(|| {
        quote!(
            fn build(_: ()) -> Self {
                ::core::unreachable!()
            }
        )
    });
    let deps = no_size.unwrap_or_else(|| {
        let asked = fields(input).filter(|ty| !types::is_impossible(ty, &input.generics));
        // A type that names a parameter may be wrong because of it.
        let asked = asked.filter(|ty| !types::depends_on_parameters(ty, &input.generics)).map(|ty| meta(ty, krate));
        quote!({ let _: &[#krate::DepMeta] = &[#(#asked),*]; &[] })
    });
    let imports = types::imports(krate);
    quote!(const _: () = {
        #imports
        impl #impl_generics #krate::Listed for #name #arguments #wher {
            type Tuple = ();
            const DEPS: &'static [#krate::DepMeta] = #deps;
            #build
        }
    }; #errors)
}
