//! The values of a plugin's fields, except for its dependencies.

use super::fields::Role;
use crate::{doubt, krate::Krate, size, types};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, ItemStruct, Type, spanned::Spanned as _};

/// The name of the context in generated code, which the user's expressions cannot see.
pub(super) fn context() -> Ident {
    Ident::new("__cx", Span::mixed_site())
}

/// The value of a field that is not a dependency.
pub(super) fn value(def: &ItemStruct, ty: &Type, role: &Role, cx: &Ident, krate: &Krate) -> TokenStream {
    let span = ty.span();
    match role {
        Role::Config(_) => {
            // As for the fields of a flavor: a type that is no section is reported once, in `PLUGIN`.
            let section = sound(def, quote!(#ty), krate, span);
            quote_spanned!(span=> match <#section as #krate::Section>::__of(#cx) {
                #krate::Result::Ok(config) => config,
                #krate::Result::Err(error) => return #krate::Creation::Now(#krate::Result::Err(error)),
            })
        }
        Role::Context => quote_spanned!(span=> <#ty as #krate::FromContext>::from_context(#cx)),
        Role::Default(Some(value)) => quote!(#value),
        Role::Refused(_) => quote!(#krate::refused()),
        Role::Default(None) | Role::Dep => {
            let params: Vec<_> = def.generics.type_params().map(|param| param.ident.to_string()).collect();
            let depends = types::contains_any(quote!(#ty), &params);
            let (ty, at) = (blank(ty), krate.at(span));
            if depends {
                return quote_spanned!(span=> <#at::Attribute as #at::BlankOf<#ty, _>>::blank());
            }
            quote_spanned!(span=> <#ty as #krate::Blank>::blank())
        }
    }
}

/// The type of a field that is filled with its default. It is inferred if the type in the struct contains a check of
/// its size.
pub(super) fn blank(ty: &Type) -> TokenStream {
    if size::may_be_unsized(ty) || doubt::has_check(ty) { quote_spanned!(ty.span()=> _) } else { quote!(#ty) }
}

/// The type, as long as the plugin's constant is correct; otherwise the compiler reports nothing more about it. (Not in
/// generic code, where the constant depends on the parameters.)
pub(super) fn sound(def: &ItemStruct, ty: TokenStream, krate: &Krate, span: Span) -> TokenStream {
    let name = &def.ident;
    if !def.generics.params.is_empty() {
        return ty;
    }
    let at = krate.at(span);
    quote_spanned!(span=> <#at::Sound<{ <#name as #at::Plugin>::PLUGIN.deps.len() }> as #at::Pass>::Of<#ty>)
}
