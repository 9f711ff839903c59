//! Nested flavors that contain one another. rustc reports the structs, and then each constant of a flavor that uses
//! another one's, in up to a hundred lines. So the cycle is cut at a field whose flavor has the same name or a later
//! one in alphabetical order, which every cycle has, and is reported there.

use super::model::{Field, Model};
use crate::doubt;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Type, spanned::Spanned as _};

/// The name of the flavor that a field's type may be, if it has no type arguments.
fn nested_name(ty: &Type) -> Option<&Ident> {
    let Type::Path(path) = ty else { return None };
    let is_plain = path.qself.is_none() && path.path.segments.iter().all(|part| part.arguments.is_none());
    path.path.segments.last().map(|last| &last.ident).filter(|_| is_plain)
}

/// The check that a flavor does not contain itself. It fails with our message, and reports nothing if a flavor that it
/// leads to has been reported.
pub(super) struct Ends {
    /// The checks of the flavors that it leads to. They are in a function because of its parameters: see
    /// `key::impl_params`.
    pub(super) checks: TokenStream,
    /// The flavor's type `Ends`, which cannot be determined if it contains itself. The declarations of the fields that
    /// lead on depend on it.
    pub(super) ends: TokenStream,
}

impl Ends {
    /// For a flavor that is not checked.
    pub(super) fn unchecked() -> Self {
        Ends {
            checks: quote!(),
            ends: quote!(
                type Ends = ();
            ),
        }
    }
}

impl Model {
    /// Whether the field leads on to a flavor with the same name or a later one in alphabetical order.
    pub(super) fn leads_on(&self, field: &Field) -> bool {
        self.generics.params.is_empty() && nested_name(&field.ty).is_some_and(|nested| *nested >= self.name)
    }

    pub(super) fn ends(&self, impl_params: &TokenStream) -> Ends {
        let (krate, name) = (&self.krate, &self.name);
        let leading: Vec<_> = self.fields.iter().filter(|field| self.leads_on(field)).map(|field| &field.ty).collect();
        if leading.is_empty() {
            return Ends::unchecked();
        }
        let (place, what) = match leading[..] {
            [ty] => (
                ty.span(),
                format!(
                    "`{}` cannot be a field of `{name}`",
                    nested_name(ty).map_or_else(String::new, Ident::to_string)
                ),
            ),
            _ => (name.span(), format!("`{name}` contains itself")),
        };
        // A flavor of the same name does not come later.
        let others = leading
            .iter()
            .filter(|ty| nested_name(ty) != Some(name))
            .map(|ty| quote_spanned!(ty.span()=> let _: <#ty as #krate::Declared>::Ends;));
        let at = krate.at(place);
        let message = format!(
            "CN007: {what}: flavors cannot contain each other\n= help: move what both need into a third flavor, which both can contain"
        );
        // A struct whose last field is unsized. If the flavor is endless, rustc has already reported that, and takes
        // the struct for sized.
        let constant = quote_spanned! {place=>
            #[allow(dead_code)]
            struct __CninfraEnds { flavor: #name, end: [::core::primitive::u8] }
            ended();
            #at::no_size(#at::Is::<__CninfraEnds>::__SIZED, #message)
        };
        let ends = doubt::guarded(&constant, "Of", quote!(()), name.span(), krate);
        Ends { checks: quote!(const fn ended #impl_params () { #(#others)* }), ends: quote!(type Ends = #ends;) }
    }
}
