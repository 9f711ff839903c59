//! [`Ctxt`]: collects every mistake, so that all of them are reported in one run.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use std::fmt::Display;

/// The mistakes found so far. It must be asked for them in the end: dropped unasked, it panics in tests.
#[derive(Default)]
pub(crate) struct Ctxt {
    errors: Vec<syn::Error>,
    elsewhere: bool,
    asked: bool,
}

impl Ctxt {
    /// A mistake, on what the user wrote.
    pub(crate) fn error(&mut self, span: Span, message: impl Display) {
        self.errors.push(syn::Error::new(span, message));
    }

    /// The same, on all of the tokens.
    pub(crate) fn error_on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// A mistake that a parser found.
    pub(crate) fn syn(&mut self, error: &syn::Error, expected: &str) {
        self.error(error.span(), format_args!("CN010: {error}\n= help: expected {expected}"));
    }

    /// A mistake that is told of without this: by rustc, or by an error that stands in the place of a type.
    pub(crate) fn told(&mut self) {
        self.elsewhere = true;
    }

    /// Is something wrong so far?
    pub(crate) fn is_broken(&self) -> bool {
        self.elsewhere || !self.errors.is_empty()
    }

    /// Everything that is wrong, as tokens that say so to the compiler. In a constant: of a module with a `compile_error!` of its own, rustc tells of no
    /// unknown name.
    pub(crate) fn finish(self) -> TokenStream {
        if self.errors.is_empty() {
            return self.finish_anywhere();
        }
        let errors = self.finish_anywhere();
        quote!(const _: () = { #errors };)
    }

    /// The same, where a constant without a name may not stand.
    pub(crate) fn finish_anywhere(mut self) -> TokenStream {
        self.asked = true;
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

#[cfg(test)]
impl Drop for Ctxt {
    fn drop(&mut self) {
        assert!(self.asked || std::thread::panicking(), "mistakes were collected and not told");
    }
}
