//! The impls of a wrong plugin. They make it a plugin, so that its users cause no further errors, but they do nothing.

use super::{
    arguments::Arguments,
    expand::{identity, metas},
    fields::Role,
    listed::Deps,
    shared::Checks,
};
use crate::{deps::tuple, key, source::Source, types};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, ItemStruct, Type, spanned::Spanned as _};

/// `checks`: those of the fields (`shared.rs`), except those in the struct itself. What they find is still
/// reported, and so are wrong dependencies.
pub(super) fn of_struct(
    def: &ItemStruct,
    args: &Arguments,
    roles: &[Role],
    checks: &Checks,
    source: &Source,
) -> TokenStream {
    let krate = &args.krate;
    let (deps, read) = match &args.deps {
        Some(Deps::Tuple(types)) => (quote!((#(#types,)*)), types.clone()),
        Some(Deps::Struct(ty)) => (quote!(#ty), vec![*ty.clone()]),
        Some(Deps::Broken(broken)) => (broken.error.clone(), broken.read.clone()),
        None => {
            let fields = def.fields.iter().zip(roles).filter(|(_, role)| matches!(role, Role::Dep));
            let types = fields.map(|(field, _)| field.ty.clone());
            // A type that no field can have is another error.
            let types: Vec<Type> = types.filter(|ty| !types::is_impossible(ty, &def.generics)).collect();
            (tuple(&types, krate), types)
        }
    };
    // A type that names a parameter may be wrong because of it.
    let read: Vec<_> = read.into_iter().filter(|ty| !types::depends_on_parameters(ty, &def.generics)).collect();
    let listed = match (&args.deps, &read[..]) {
        (_, []) => quote!(),
        (Some(Deps::Struct(_)), [ty, ..]) => quote_spanned!(ty.span()=> let _ = <#ty as #krate::Listed>::DEPS;),
        (_, types) => {
            let metas = metas(types, krate);
            quote!(let _: &[#krate::DepMeta] = #metas;)
        }
    };
    generate(&def.ident, &def.generics, &deps, &listed, checks, args, source)
}

pub(super) fn of_item(name: &Ident, generics: &Generics, args: &Arguments, source: &Source) -> TokenStream {
    generate(name, generics, &quote!(()), &quote!(), &Checks::default(), args, source)
}

fn generate(
    name: &Ident,
    generics: &Generics,
    deps: &TokenStream,
    listed: &TokenStream,
    checks: &Checks,
    args: &Arguments,
    source: &Source,
) -> TokenStream {
    let krate = &args.krate;
    let (generics, arguments) = key::inert_generics(generics);
    let bounded = key::with_bounds(&generics, krate);
    let (impl_generics, _, wher) = bounded.split_for_impl();
    let ty = quote!(#name #arguments);
    let key = identity(name, &generics, args, ty.clone()).expand(source, krate);
    let (list_generics, _, list_wher) = generics.split_for_impl();
    let (statements, items) = (checks.statements(krate), checks.items(krate));
    let imports = types::imports(krate);
    quote!(const _: () = {
        #imports
        #items
        #key
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl #list_generics #krate::DepsOf<#ty> for #krate::Attribute #list_wher {
            type Deps = #deps;
        }
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl #impl_generics #krate::Plugin for #ty #wher {
            type Deps = <#krate::Attribute as #krate::DepsOf<Self>>::Deps;
            type Itself = Self;
            const PLUGIN: &'static #krate::PluginMeta = {
                #statements
                #listed
                &#krate::PluginMeta::bare(<Self as #krate::Key>::META)
            };
            fn create<'__slot>(_: &'__slot #krate::Slot<Self>, _: <#krate::Attribute as #krate::DepsOf<Self>>::Deps, _: &#krate::Context) -> #krate::Creation<'__slot> {
                ::core::unreachable!()
            }
            fn running(_: &#krate::Dep<Self>) -> #krate::Option<#krate::Arc<dyn #krate::Running>> {
                #krate::Option::None
            }
        }
    };)
}
