//! The impls of any plugin. Those of the usual kinds are written in `usual.rs`, at less cost to the compiler.

use super::{
    arguments::Arguments,
    fields::Role,
    listed::Deps,
    shared::Checks,
    values::{context, sound, value},
};
use crate::{
    deps::{self, pattern, tuple},
    key::{self, Identity},
    krate::Krate,
    source::Source,
    types,
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, Ident, ItemStruct, Member, Type, spanned::Spanned as _};

/// What differs between the two styles: injected fields and listed dependencies.
pub(super) struct Style {
    /// `Plugin::Deps`
    pub(super) deps: TokenStream,
    /// The constants of the dependencies, for the graph.
    pub(super) metas: TokenStream,
    /// The value of `config` in `PluginMeta`.
    pub(super) config: TokenStream,
    /// The body of `Plugin::create`.
    pub(super) construct: TokenStream,
}

/// Writes the impls. `checks`: those of the plugin's fields (`shared.rs`).
pub(super) fn generate(
    def: &ItemStruct,
    args: &Arguments,
    roles: &[Role],
    checks: &Checks,
    source: &Source,
) -> TokenStream {
    let (krate, name) = (&args.krate, &def.ident);
    let (_, arguments, _) = def.generics.split_for_impl();
    let bounded = key::with_bounds(&def.generics, krate);
    let (impl_generics, _, wher) = bounded.split_for_impl();
    let ty = quote!(#name #arguments);
    let key = identity(name, &def.generics, args, ty.clone()).expand(source, krate);
    let (Style { deps, metas, config, construct }, lists) = match &args.deps {
        Some(listed) => {
            let style = listed_style(def, listed, args);
            let deps = types::associated_type("Deps", &style.deps, &listed.places(), name);
            let lists = deps_impl(name, &def.generics, &deps, krate);
            (Style { deps: quote!(type Deps = <#krate::Attribute as #krate::DepsOf<Self>>::Deps;), ..style }, lists)
        }
        None => {
            let style = field_style(def, roles, krate);
            let places: Vec<_> = def
                .fields
                .iter()
                .zip(roles)
                .filter(|(_, role)| matches!(role, Role::Dep))
                .map(|(field, _)| field.ty.span())
                .collect();
            (Style { deps: types::associated_type("Deps", &style.deps, &places, name), ..style }, quote!())
        }
    };
    let extras = extras(args, &config);
    let lifecycle = lifecycle(def, args);
    let cx = context();
    let imports = types::imports(krate);
    let (statements, items) = (checks.statements(krate), checks.items(krate));
    quote!(#[allow(deprecated)] const _: () = {
        #imports
        #items
        #key
        #lists
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl #impl_generics #krate::Plugin for #ty #wher {
            #deps
            type Itself = Self;
            const PLUGIN: &'static #krate::PluginMeta = {
                #statements
                &#krate::PluginMeta { key: <Self as #krate::Key>::META, deps: #metas, #extras }
            };
            fn create<'__slot>(__slot: &'__slot #krate::Slot<Self>, __deps: <Self as #krate::Plugin>::Deps, #cx: &#krate::Context) -> #krate::Creation<'__slot> {
                #construct
            }
            fn running(__this: &#krate::Dep<Self>) -> #krate::Option<#krate::Arc<dyn #krate::Running>> {
                #lifecycle
            }
        }
    };)
}

/// The identity of the plugin.
pub(super) fn identity<'a>(
    name: &Ident,
    generics: &'a syn::Generics,
    args: &Arguments,
    ty: TokenStream,
) -> Identity<'a> {
    Identity { name: name.to_string(), instance: args.instance(name), given_id: args.id.clone(), generics, ty }
}

/// What the plugin's `impl Create` needs of it, without the bounds that make its parameters a part of its identity.
pub(super) fn deps_impl(name: &Ident, generics: &syn::Generics, deps: &TokenStream, krate: &Krate) -> TokenStream {
    let (impl_generics, arguments, wher) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[diagnostic::do_not_recommend]
        #[doc(hidden)]
        impl #impl_generics #krate::DepsOf<#name #arguments> for #krate::Attribute #wher {
            #deps
        }
    }
}

/// The part of `PluginMeta` that is empty for most plugins: config, aliases, flags.
pub(super) fn extras(args: &Arguments, config: &TokenStream) -> TokenStream {
    let (aliases, is_named) = (&args.aliases, args.name.is_some());
    let flags = args.flags.as_ref().map_or_else(|| quote!(&[]), |flags| quote!(#flags));
    quote!(config: #config, aliases: &[#(#aliases),*], flags: #flags, is_named: #is_named)
}

fn lifecycle(def: &ItemStruct, args: &Arguments) -> TokenStream {
    let (krate, name) = (&args.krate, &def.ident);
    if args.no_lifecycle {
        return quote!({ let _ = __this; #krate::Option::None });
    }
    if def.generics.params.is_empty() {
        return quote!({
            #[allow(unused_imports)]
            use #krate::WithoutLifecycle as _;
            #krate::Probe::<#name>::running(__this)
        });
    }
    // Method lookup in generic code would silently find no lifecycle if its impl has conditions. So it is required
    // here.
    // `__this` does not get the name's span, which may be that of another macro.
    let (this, at) = (quote!(__this), krate.at(name.span()));
    quote_spanned!(name.span()=> <#at::Attribute as #at::HasLifecycle<Self, _>>::__running(#this, 0))
}

pub(super) fn listed_style(def: &ItemStruct, listed: &Deps, args: &Arguments) -> Style {
    let (krate, name) = (&args.krate, &def.ident);
    let (deps, metas) = match listed {
        Deps::Tuple(types) => (quote!((#(#types,)*)), metas(types, krate)),
        Deps::Struct(ty) => (quote!(#ty), quote_spanned!(ty.span()=> <#ty as #krate::Listed>::DEPS)),
        Deps::Broken(broken) => (broken.error.clone(), quote!(&[])),
    };
    // `impl Create` uses these types: if one of them is wrong, only `PLUGIN` reports it, and not also the futures.
    let deps = sound(def, deps, krate, name.span());
    let this = sound(def, quote!(Self), krate, name.span());
    let cx = context();
    let arguments = quote!(__slot, __deps, #cx); // Not with the name's span, which may be that of another macro.
    let construct = quote_spanned! {name.span()=>
        <#this as #krate::Creates>::__creating(#arguments)
    };
    let config =
        args.config.as_ref().map_or_else(|| quote!(#krate::Option::None), |ty| config_meta(def, ty, None, krate));
    Style { deps, metas, config, construct }
}

pub(super) fn config_meta(def: &ItemStruct, ty: &Type, check: Option<&Expr>, krate: &Krate) -> TokenStream {
    // A type that is no section is reported once, and not also for its check.
    let ty = match check {
        Some(_) if def.generics.params.is_empty() => {
            let at = krate.at(ty.span());
            quote_spanned! {ty.span()=>
                <#at::Sound<{ let _ = <#ty as #at::Section>::META; 0 }> as #at::Pass>::Of<#ty>
            }
        }
        _ => quote!(#ty),
    };
    let section = quote_spanned!(ty.span()=> <#ty as #krate::Section>::META);
    let check = check.map(|check| {
        let at = krate.at(check.span());
        // Assigned to a variable rather than passed to a function: rustc would also show where that function is.
        quote_spanned!(check.span()=> .__checked(|section| {
            let check: #at::CheckOf<#ty> = #check;
            #at::check_config::<#ty>(section, check)
        }))
    });
    quote!(#krate::Option::Some(#section #check))
}

fn field_style(def: &ItemStruct, roles: &[Role], krate: &Krate) -> Style {
    let members: Vec<Member> = def.fields.members().collect();
    let (mut listed, mut variables, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut config = quote!(#krate::Option::None);
    let cx = context();
    for (k, (field, role)) in def.fields.iter().zip(roles).enumerate() {
        let ty = &field.ty;
        values.push(match role {
            Role::Dep => {
                let variable = format_ident!("__d{k}", span = Span::mixed_site());
                listed.push(ty.clone());
                variables.push(variable.clone());
                quote!(#variable)
            }
            other => {
                if let Role::Config(check) = other {
                    config = config_meta(def, ty, check.as_ref(), krate);
                }
                value(def, ty, other, &cx, krate)
            }
        });
    }
    let pattern = pattern(&variables, krate);
    let mut deps = tuple(&listed, krate);
    let (mut declared, mut made) = (quote!(), quote!(Self));
    if def.generics.params.is_empty() && listed.iter().any(types::is_dep_on_generic) {
        let name = &def.ident;
        deps = sound(def, deps, krate, name.span());
        (declared, made) = types::constructed(sound(def, quote!(#name), krate, name.span()));
    }
    Style {
        deps,
        metas: metas(&listed, krate),
        config,
        construct: quote! {
            #declared
            let _ = #cx;
            let #pattern = __deps;
            #krate::created(__slot, #made { #(#members: #values),* })
        },
    }
}

pub(super) fn metas(types: &[Type], krate: &Krate) -> TokenStream {
    let metas = types.iter().map(|ty| deps::meta(ty, krate));
    quote!(&[#(#metas),*])
}
