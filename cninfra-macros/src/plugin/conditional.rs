//! Plugins with fields behind `#[cfg(..)]`. An attribute sees such fields whether they are enabled or not, a derive
//! sees only those that are enabled. So the attribute leaves the impls to a derive.

use super::{arguments::Arguments, impls, malformed, with_brackets};
use crate::{
    ctxt::Ctxt,
    doubt::{self, Replacement},
    size,
    source::Source,
    types,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemStruct, Meta, Type, spanned::Spanned as _};

/// The helper attribute of the derive that holds the arguments of `#[plugin(..)]`.
const ARGUMENTS: &str = "__cninfra_arguments";

/// Whether a field, or an attribute of one, is conditional.
pub(super) fn has_conditions(def: &ItemStruct) -> bool {
    let mut attributes = def.fields.iter().flat_map(|field| &field.attrs);
    attributes.any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"))
}

/// The struct as it stands, with the derive on it.
pub(super) fn defer(given: &TokenStream, mut def: ItemStruct) -> TokenStream {
    // The derive reports the mistakes in the arguments.
    let mut cx = Ctxt::default();
    let krate = Arguments::parse(given.clone(), &mut cx).krate;
    // A type that no field can have is reported in the struct, if the field is enabled: a derive could not remove it
    // from the struct.
    let mut asking = Vec::new();
    let members: Vec<_> = def.fields.members().collect();
    for (place, (field, member)) in def.fields.iter_mut().zip(members).enumerate() {
        if malformed::refuse(&mut field.ty, &krate, &mut cx) {
            continue;
        }
        let (mut ty, written) = (field.ty.clone(), &field.ty);
        let span = ty.span();
        // A constant cannot name a parameter.
        if size::may_be_unsized(written) && !types::depends_on_parameters(written, &def.generics) {
            let sized = doubt::size_check(written, &def.ident, &member, &krate);
            ty = Type::Verbatim(doubt::guarded(&sized, "Any", quote!(#written), span, &krate));
        } else if !doubt::add_checks(&mut ty, &krate) {
            continue;
        }
        asking.push(Replacement { place, ty, written: written.clone() });
    }
    doubt::replace_types(&mut def.fields, asking);
    let _ = cx.finish();
    let def = with_brackets(&def);
    quote! {
        #[derive(#krate::ConditionalPlugin)]
        #[__cninfra_arguments(#given)]
        #def
    }
}

/// Expands the derive.
pub(crate) fn expand(item: TokenStream, source: &Source) -> TokenStream {
    let mut def: ItemStruct = match syn::parse2(item) {
        Ok(def) => def,
        Err(error) => return error.to_compile_error(),
    };
    let mut given = TokenStream::new();
    def.attrs.retain(|attribute| {
        let is_mine = attribute.path().is_ident(ARGUMENTS);
        if let (true, Meta::List(list)) = (is_mine, &attribute.meta) {
            given = list.tokens.clone();
        }
        !is_mine
    });
    impls(given, &mut def, false, source)
}
