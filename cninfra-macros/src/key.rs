//! Identity: a hash of package, version, crate, file and name, all known when the macro runs. So its digits can be
//! written as a type, and nothing is evaluated for each plugin.

use crate::{ctxt::Ctxt, krate::Krate, source::Source};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    GenericParam, Generics, Ident, Lifetime, Token, TypeParamBound, WherePredicate, parse_quote, punctuated::Punctuated,
};

/// The number of digits of a key, four bits each.
const DIGITS: u32 = 7;

/// The identity of a type.
pub(crate) struct Identity<'a> {
    /// The name for messages: `Etcd`, `dyn KeyVal`.
    pub(crate) name: String,
    /// The instance name, such as `etcd`, before the parameters' names are appended.
    pub(crate) instance: String,
    /// The argument `id = ".."`.
    pub(crate) given_id: Option<String>,
    pub(crate) generics: &'a Generics,
    /// The type, with its arguments.
    pub(crate) ty: TokenStream,
}

/// FNV-1a, as `cninfra::graph::hash` computes it.
fn fnv(text: impl IntoIterator<Item = u8>) -> u64 {
    text.into_iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

impl Identity<'_> {
    fn id(&self, source: &Source) -> u64 {
        let parts: &[&str] = match &self.given_id {
            Some(given) => &[given],
            None => &[&source.package, &source.version, &source.crate_name, &source.file, &self.name],
        };
        let mut h = fnv(parts.iter().flat_map(|part| part.bytes().chain([0xff])));
        // The digits are the low bits: mix all others into them.
        h ^= h >> 33;
        h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
        // 0 is not a valid id: see `cninfra::graph`.
        (h ^ (h >> 33)).max(1)
    }

    /// For a type that is not generic: its id, the hash of its instance name, and the names of its digits.
    pub(crate) fn plain(&self, source: &Source) -> (u64, u64, Vec<Ident>) {
        let id = self.id(source);
        let digits = (0..DIGITS).map(|place| format_ident!("X{:x}", (id >> (4 * place)) & 15)).collect();
        (id, fnv(self.instance.bytes()), digits)
    }

    /// Writes the `impl Key`.
    pub(crate) fn expand(&self, source: &Source, krate: &Krate) -> TokenStream {
        let (name, instance, ty) = (&self.name, &self.instance, &self.ty);
        let params: Vec<&Ident> = self.generics.type_params().map(|param| &param.ident).collect();
        let bounded = with_bounds(self.generics, krate);
        let (impl_generics, _, wher) = bounded.split_for_impl();
        let id = self.id(source);
        let mut digits = quote!(__Tail);
        for param in params.iter().rev() {
            digits = quote!(<#param as #krate::Key>::Digits<#digits>);
        }
        for place in (0..DIGITS).rev() {
            let digit = format_ident!("X{:x}", (id >> (4 * place)) & 15);
            digits = quote!(#krate::#digit<#digits>);
        }
        let meta = if params.is_empty() {
            let hash = fnv(instance.bytes());
            quote!(#krate::KeyMeta {
                name: #name, module: ::core::module_path!(), id: #id, instance: #instance, instance_id: #hash,
            })
        } else {
            // Separate consts, so that references to them are `'static`.
            quote!(#krate::KeyMeta {
                name: const { &#krate::generic_name(#name, &[#(<#params as #krate::Key>::META.name),*]) }.as_str(),
                module: ::core::module_path!(),
                id: { let h = #id; #(let h = #krate::mix(h, <#params as #krate::Key>::META.id);)* h },
                instance: const {
                    &#krate::generic_instance(#instance, &[#(<#params as #krate::Key>::META.instance),*])
                }.as_str(),
                instance_id: #krate::hash(
                    #krate::HASH_START,
                    const {
                        &#krate::generic_instance(#instance, &[#(<#params as #krate::Key>::META.instance),*])
                    }.as_str(),
                ),
            })
        };
        quote! {
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl #impl_generics #krate::Key for #ty #wher {
                const META: &'static #krate::KeyMeta = &#meta;
                type Digits<__Tail: #krate::Digits + ?#krate::Sized> = #digits;
            }
        }
    }
}

/// Adds the bounds that make type parameters a part of the identity. They come before the user's bounds, or in a
/// `where` clause, so that the parameters still end with what the user wrote: see [`impl_params`]. (They are not always
/// in a `where` clause, since clippy wants all bounds of a parameter in one place.)
pub(crate) fn with_bounds(generics: &Generics, krate: &Krate) -> Generics {
    let mut bounded = generics.clone();
    let mut predicates: Vec<WherePredicate> = Vec::new();
    for param in bounded.type_params_mut() {
        param.default = None;
        let own: Punctuated<TypeParamBound, Token![+]> =
            parse_quote!(#krate::Key + ::core::marker::Send + ::core::marker::Sync);
        if param.bounds.is_empty() {
            let name = &param.ident;
            predicates.push(parse_quote!(#name: #own));
        } else {
            param.bounds = own.into_iter().chain(param.bounds.clone()).collect();
        }
    }
    if !predicates.is_empty() {
        bounded.make_where_clause().predicates.extend(predicates);
    }
    bounded
}

/// The parameters of an impl in which the types of a struct's fields are written again. Without parameters they are
/// `<>`, at the place of the struct's name.
///
/// If rustc does not find such a type, it says "you might be missing a type parameter", with the place after the last
/// parameter. It reports the type once if all that it says is the same, so the place must be the same as for the
/// struct.
pub(crate) fn impl_params(generics: &Generics, name: &Ident) -> TokenStream {
    if generics.params.is_empty() {
        return quote_spanned!(name.span()=> <>);
    }
    let (impl_generics, ..) = generics.split_for_impl();
    quote!(#impl_generics)
}

/// Reports parameters that cannot be part of an identity.
pub(crate) fn check_generics(generics: &Generics, cx: &mut Ctxt) {
    for param in &generics.params {
        match param {
            GenericParam::Type(_) => {}
            GenericParam::Lifetime(lifetime) => cx.error(
                lifetime.lifetime.span(),
                "CN014: lifetime parameters are not allowed here\n= help: what an agent runs cannot borrow: hold the value itself, or an `Arc` of it",
            ),
            GenericParam::Const(param) => cx.error(
                param.ident.span(),
                "CN014: const parameters are not allowed here\n= help: use a type parameter, and types with `#[derive(Qualifier)]` for it",
            ),
        }
    }
}

/// The generics without lifetimes, for which inert impls write `'static`, and the type's arguments.
pub(crate) fn inert_generics(generics: &Generics) -> (Generics, TokenStream) {
    let mut kept = generics.clone();
    kept.params = generics.params.iter().filter(|p| !matches!(p, GenericParam::Lifetime(_))).cloned().collect();
    if generics.lifetimes().next().is_some() {
        // The predicates may name the lifetimes.
        kept.where_clause = None;
    }
    let arguments = generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(_) => {
            let lifetime = Lifetime::new("'static", Span::call_site());
            quote!(#lifetime)
        }
        GenericParam::Type(param) => {
            let name = &param.ident;
            quote!(#name)
        }
        GenericParam::Const(param) => {
            let name = &param.ident;
            quote!(#name)
        }
    });
    let arguments = if generics.params.is_empty() { quote!() } else { quote!(<#(#arguments),*>) };
    (kept, arguments)
}
