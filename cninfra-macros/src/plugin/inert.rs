//! The impls of a plugin that is not right: it is one, so that what uses it does not err too, but it does nothing.

use super::{
    arguments::Arguments,
    expand::{identity, metas},
    fields::Role,
    listed::Deps,
    shared::Asked,
};
use crate::{deps::tuple, key, source::Source, types};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, ItemStruct, Type, spanned::Spanned as _};

/// `asked` asks whether its fields are, where that is not asked in the struct itself: what is not is told of all the same. So are wrong dependencies.
pub(super) fn of_struct(
    def: &ItemStruct,
    args: &Arguments,
    roles: &[Role],
    asked: &Asked,
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
            // what no field can have is told of as such
            let types: Vec<Type> = types.filter(|ty| !types::is_impossible(ty, &def.generics)).collect();
            (tuple(&types, krate), types)
        }
    };
    // what names a parameter may be wrong by that
    let read: Vec<_> = read.into_iter().filter(|ty| !types::depends_on_parameters(ty, &def.generics)).collect();
    let listed = match (&args.deps, &read[..]) {
        (_, []) => quote!(),
        (Some(Deps::Struct(_)), [ty, ..]) => quote_spanned!(ty.span()=> let _ = <#ty as #krate::Listed>::DEPS;),
        (_, types) => {
            let metas = metas(types, krate);
            quote!(let _: &[#krate::DepMeta] = #metas;)
        }
    };
    generate(&def.ident, &def.generics, &deps, &listed, asked, args, source)
}

pub(super) fn of_item(name: &Ident, generics: &Generics, args: &Arguments, source: &Source) -> TokenStream {
    generate(name, generics, &quote!(()), &quote!(), &Asked::default(), args, source)
}

fn generate(
    name: &Ident,
    generics: &Generics,
    deps: &TokenStream,
    listed: &TokenStream,
    asked: &Asked,
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
    let (statements, items) = (asked.statements(krate), asked.items(krate));
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
