//! Checks that the flags of a plugin's config section are valid, and that none of its fields is a section without the
//! attribute. Plugins that have neither flags nor a field that is named like a section get no code for it.

use super::{arguments::Arguments, fields::Role, shared::is_plain};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Field, ItemStruct, Type, spanned::Spanned as _};

use crate::types;

pub(super) fn check(def: &ItemStruct, args: &Arguments, roles: &[Role]) -> TokenStream {
    let (krate, name, plugin) = (&args.krate, &def.ident, def.ident.to_string());
    let generic = !def.generics.params.is_empty();
    let flags = args.flags.as_ref().map(|flags| {
        let at = krate.at(flags.span());
        match generic {
            false => quote_spanned! {flags.span()=>
                const _: () = #at::check_flags(<#name as #at::Plugin>::PLUGIN.flags, #plugin);
            },
            // `Self` is not known here.
            true if types::contains_word(quote!(#flags), "Self") => quote!(),
            true => quote_spanned!(flags.span()=> const _: () = #at::check_flags(#flags, #plugin);),
        }
    });
    let has_config = roles.iter().any(|role| matches!(role, Role::Config(_) | Role::Refused(true)));
    let candidates = def.fields.iter().zip(def.fields.members()).zip(roles).filter(|((field, _), role)| {
        matches!(role, Role::Default(None))
            && args.deps.is_none()
            && !has_config
            && !generic
            && (is_live(&field.ty) || is_named_as_section(field))
            && !is_plain(&field.ty)
            && !contains_self(&field.ty)
    });
    let unmarked = candidates.map(|((field, member), _)| {
        let (ty, field) = (&field.ty, quote!(#member).to_string());
        let at = krate.at(ty.span());
        // Another type may be called `Live`.
        let question = format_ident!("{}", if is_live(ty) { "__SECTION" } else { "__READ" });
        quote_spanned! {ty.span()=>
            const _: () = {
                #[allow(unused_imports)]
                use #at::IsNot as _;
                #at::unmarked(#at::Is::<#ty>::#question, #plugin, #field)
            };
        }
    });
    quote!(#flags #(#unmarked)*)
}

/// Whether the type is known only inside the struct.
fn contains_self(ty: &Type) -> bool {
    types::contains_word(quote!(#ty), "Self")
}

/// Whether the type is called `Live`, as one that follows a file.
fn is_live(ty: &Type) -> bool {
    let Type::Path(path) = types::ungroup(ty) else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Live" && !last.arguments.is_none())
}

/// Whether the type, or that in an `Option`, is called a config, or the field is.
fn is_named_as_section(field: &Field) -> bool {
    let ty = match types::holder(&field.ty) {
        Some((holder, inner)) if holder == "Option" => inner,
        _ => &field.ty,
    };
    let Type::Path(path) = types::ungroup(ty) else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let (ty, field) = (last.ident.to_string(), field.ident.as_ref().map(ToString::to_string).unwrap_or_default());
    let named = ["Config", "Conf", "Settings", "Options"].iter().any(|word| ty.ends_with(word));
    last.arguments.is_none() && (named || ["config", "conf", "settings", "options"].contains(&field.as_str()))
}
