//! Plugins of the usual kinds: not generic, and either with named fields that the attribute fills, or with listed
//! dependencies. Most plugins are of these kinds, so this is where the cost of the attribute matters: the library's
//! `__plugin` and `__listed` write everything but the names.

use super::{
    arguments::Arguments,
    expand::{Style, config_meta, extras, identity, listed_style},
    fields::Role,
    listed::Deps,
    shared::Checks,
    values::{self, context, value},
};
use crate::{
    deps::{self, constant},
    krate::WIDEST_TUPLE,
    source::Source,
    types,
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Fields, Ident, ItemStruct, spanned::Spanned as _};

/// The plugin's impls, if it is of a usual kind. `checks`: those of its fields (`shared.rs`).
pub(super) fn generate(
    def: &ItemStruct,
    args: &Arguments,
    roles: &[Role],
    checks: &Checks,
    source: &Source,
) -> Option<TokenStream> {
    let (krate, name) = (&args.krate, &def.ident);
    if !def.generics.params.is_empty() || args.no_lifecycle {
        return None;
    }
    if let Some(deps) = &args.deps {
        return Some(generate_listed(def, args, deps, checks, source));
    }
    let is_usual = matches!(def.fields, Fields::Named(_))
        && roles.iter().filter(|role| matches!(role, Role::Dep)).count() <= WIDEST_TUPLE;
    if !is_usual {
        return None;
    }
    let (mut deps, mut blank, mut other) = (TokenStream::new(), TokenStream::new(), TokenStream::new());
    let mut config = quote!(#krate::Option::None);
    let (cx, mut variables, mut doubtful) = (context(), 0_usize, false);
    let (mut listed, mut places) = (Vec::new(), Vec::new());
    for (field, role) in def.fields.iter().zip(roles) {
        let (ty, member) = (&field.ty, field.ident.as_ref()?);
        match role {
            Role::Dep => {
                let deps::Constant { key, of_trait, name } = constant(ty);
                let (of_trait, name) = (Ident::new(of_trait, Span::call_site()), Ident::new(name, Span::call_site()));
                // A name that no field, function or constant of the user has.
                let variable = format_ident!("__d{}", variables, span = Span::mixed_site());
                variables += 1;
                if types::is_dep_on_generic(ty) {
                    doubtful = true;
                    listed.push(quote!(<__CninfraSound as #krate::Pass>::Of<#ty>));
                } else {
                    listed.push(quote!(#ty));
                }
                deps.extend(quote!(#member #variable #of_trait #name {#key}));
                places.push(ty.span());
            }
            Role::Default(None) => {
                let ty = values::blank(ty);
                blank.extend(quote!(#member {#ty}));
            }
            role => {
                if let Role::Config(check) = role {
                    config = config_meta(def, ty, check.as_ref(), krate);
                }
                let value = value(def, ty, role, &cx, krate);
                other.extend(quote!(#member {#value}));
            }
        }
    }
    let (id, hash, digits) = identity(name, &def.generics, args, TokenStream::new()).plain(source);
    let (text, instance) = (name.to_string(), args.instance(name));
    let (extras, root) = (extras(args, &config), krate.root());
    let list = types::associated_type("Deps", &quote!((#(#listed,)*)), &places, name);
    let (mut items, mut made) = (quote!(), quote!(#name));
    if doubtful {
        let declared;
        (declared, made) = types::constructed(quote!(<__CninfraSound as #krate::Pass>::Of<#name>));
        items = quote! {
            type __CninfraSound = #krate::Sound<{ <#name as #krate::Plugin>::PLUGIN.deps.len() }>;
            #declared
        };
    }
    let Checks { std_wrappers, within, beside, .. } = checks;
    Some(quote!(#root::__plugin! {
        #name #text #id #instance #hash [#(#digits)*] deps [#deps] {#list} blank [#blank] other [#other] #cx [#({#std_wrappers})*] [#({#within})*] [#({#beside})*] {#extras}
        #made {#items}
    }))
}

/// The impls of a plugin that builds itself.
fn generate_listed(def: &ItemStruct, args: &Arguments, deps: &Deps, checks: &Checks, source: &Source) -> TokenStream {
    let name = &def.ident;
    let places = deps.places();
    let Style { deps, metas, config, construct } = listed_style(def, deps, args);
    let deps = types::associated_type("Deps", &deps, &places, name);
    let (id, hash, digits) = identity(name, &def.generics, args, TokenStream::new()).plain(source);
    let (text, instance) = (name.to_string(), args.instance(name));
    let (extras, root, cx) = (extras(args, &config), args.krate.root(), context());
    let Checks { within, beside, .. } = checks;
    quote!(#root::__listed! {
        #name #text #id #instance #hash [#(#digits)*] {#deps} {#metas} __slot __deps #cx {#construct} [#({#within})*] [#({#beside})*] {#extras}
    })
}
