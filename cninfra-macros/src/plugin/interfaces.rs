//! Fields that depend on an interface. If the trait is no interface, a handle to it is not shared between threads, and
//! futures that borrow the plugin are not `Send`: rustc would report that, too, in its own words. So the type of such a
//! field contains a check in the struct itself, which fails at the same place and with the same words as the plugin's
//! constant. If it fails, rustc reports nothing more about the type.

use super::fields::Role;
use crate::{
    deps::{self, Constant},
    krate::Krate,
    types,
};
use proc_macro2::Span;
use quote::{format_ident, quote_spanned};
use syn::{ItemStruct, Type, Visibility, spanned::Spanned as _};

/// Adds the check to private fields. Fields that others can see keep their type. So do those with `dyn Trait<A>`, since
/// a type argument may lead back to the plugin.
pub(super) fn guard(def: &mut ItemStruct, roles: &[Role], krate: &Krate) {
    for (field, role) in def.fields.iter_mut().zip(roles) {
        if matches!(role, Role::Dep) && matches!(field.vis, Visibility::Inherited) {
            field.ty = guarded(&field.ty, krate).unwrap_or_else(|| field.ty.clone());
        }
    }
}

/// The type, as long as its trait is an interface.
fn guarded(ty: &Type, krate: &Krate) -> Option<Type> {
    let (_, key) = types::dependency(ty).filter(|(_, key)| types::is_dyn(key) && !types::is_generic_dyn(key))?;
    let Constant { of_trait, .. } = deps::constant(ty);
    let of_trait = format_ident!("{of_trait}");
    // The added tokens have the attribute's span; otherwise clippy would find the field's type more complex than the
    // user wrote it.
    let (asking, around) = (krate.at(key.span()), ty.span().resolved_at(Span::mixed_site()));
    let check = quote_spanned!(key.span()=> <#key as #asking::#of_trait>::ASKED);
    let at = krate.at(around);
    Some(Type::Verbatim(quote_spanned!(around=> #at::Sure<{ #check }, #ty>)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn private_fields_ask_for_plain_interfaces() {
        let mut def: ItemStruct = parse_quote!(
            struct A {
                one: Dep<dyn Kv>,
                maybe: Option<Dep<dyn Kv + Send>>,
                all: Vec<Dep<dyn Kv>>,
                of_one: Dep<dyn Kv<A>>,
                plugin: Dep<B>,
                pub seen: Dep<dyn Kv>,
                pub(crate) shown: Dep<dyn Kv>,
                other: u8,
            }
        );
        let mut roles: Vec<_> = (0..7).map(|_| Role::Dep).collect();
        roles.push(Role::Default(None));
        guard(&mut def, &roles, &Krate::default());
        let asks = |of: &str| {
            let of = format_ident!("{of}");
            quote!(as ::cninfra::private::#of>::ASKED).to_string()
        };
        let asked = def.fields.iter().map(|field| {
            let ty = &field.ty;
            let ty = quote!(#ty).to_string();
            (ty.contains(&asks("Interface")), ty.contains(&asks("ManyInterface")))
        });
        let (no, one, many) = ((false, false), (true, false), (false, true));
        assert_eq!(asked.collect::<Vec<_>>(), [one, one, many, no, no, no, no, no]);
    }
}
