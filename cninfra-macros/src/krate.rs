//! The path of cninfra in generated code.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Path;

/// The widest tuple for which the library implements its traits: what is longer is written as several tuples.
pub(crate) const WIDEST_TUPLE: usize = 12;

/// `::cninfra`, or what `crate = path` says.
#[derive(Clone, Default)]
pub(crate) struct Krate(Option<Path>);

impl Krate {
    pub(crate) fn named(path: Path) -> Self {
        Krate(Some(path))
    }

    /// The crate's root.
    pub(crate) fn root(&self) -> TokenStream {
        match &self.0 {
            Some(path) => quote!(#path),
            None => quote!(::cninfra),
        }
    }

    /// Whether a path of several words may lead to an item of cninfra.
    pub(crate) fn may_have(&self, path: &Path) -> bool {
        let starts_with =
            |own: &Path| own.segments.iter().zip(&path.segments).all(|(own, word)| own.ident == word.ident);
        path.segments.first().is_some_and(|first| first.ident == "prelude") || self.0.as_ref().is_some_and(starts_with)
    }

    /// The module that generated code names, at `span`: rustc reports an error in a call from the start of its path on.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        match &self.0 {
            Some(path) => quote_spanned!(span=> #path::private),
            None => quote_spanned!(span=> ::cninfra::private),
        }
    }
}

/// The module that generated code names.
impl ToTokens for Krate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let root = self.root();
        tokens.extend(quote!(#root::private));
    }
}
