//! Nested flavors that contain one another. rustc tells of the structs, and then of each constant of the one that takes the other's, in up to a hundred lines. So
//! the way round is cut where it leads on to a name that comes later, as it does somewhere, and told there.

use super::model::{Field, Model};
use crate::doubt;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Type, spanned::Spanned as _};

/// The name by which a field's type is another flavor, if it may be one without parameters.
fn nested(ty: &Type) -> Option<&Ident> {
    let Type::Path(path) = ty else { return None };
    let is_plain = path.qself.is_none() && path.path.segments.iter().all(|part| part.arguments.is_none());
    path.path.segments.last().map(|last| &last.ident).filter(|_| is_plain)
}

/// Does the flavor end? It asks with our words, and says nothing where a flavor to which it leads has been told of.
pub(super) struct Ends {
    /// What it asks of others. (A function, for its parameters' sake: see `key::opened`.)
    pub(super) asked: TokenStream,
    /// Its type that can not be known, if it contains itself: on which depends what it says of the fields that lead on.
    pub(super) ends: TokenStream,
}

impl Ends {
    /// Of one that is not asked.
    pub(super) fn unasked() -> Self {
        Ends {
            asked: quote!(),
            ends: quote!(
                type Ends = ();
            ),
        }
    }
}

impl Model {
    /// Does the field lead on to a flavor whose name comes later?
    pub(super) fn leads_on(&self, field: &Field) -> bool {
        self.generics.params.is_empty() && nested(&field.ty).is_some_and(|nested| *nested >= self.name)
    }

    pub(super) fn ends(&self, opened: &TokenStream) -> Ends {
        let (krate, name) = (&self.krate, &self.name);
        let leading: Vec<_> = self.fields.iter().filter(|field| self.leads_on(field)).map(|field| &field.ty).collect();
        if leading.is_empty() {
            return Ends::unasked();
        }
        let (place, what) = match leading[..] {
            [ty] => (
                ty.span(),
                format!("`{}` cannot be a field of `{name}`", nested(ty).map_or_else(String::new, Ident::to_string)),
            ),
            _ => (name.span(), format!("`{name}` contains itself")),
        };
        // of names that are the same none comes later
        let others = leading
            .iter()
            .filter(|ty| nested(ty) != Some(name))
            .map(|ty| quote_spanned!(ty.span()=> let _: <#ty as #krate::Declared>::Ends;));
        let at = krate.at(place);
        let message = format!(
            "CN007: {what}: flavors cannot contain each other\n= help: move what both need into a third flavor, which both can contain"
        );
        // of what ends in something without a size, rustc takes it for one that has a size if it is endless: of that it has told already
        let constant = quote_spanned! {place=>
            #[allow(dead_code)]
            struct __CninfraEnds { flavor: #name, end: [::core::primitive::u8] }
            ended();
            #at::no_size(#at::Is::<__CninfraEnds>::__SIZED, #message)
        };
        let ends = doubt::guard(&constant, "Of", quote!(()), name.span(), krate);
        Ends { asked: quote!(const fn ended #opened () { #(#others)* }), ends: quote!(type Ends = #ends;) }
    }
}
