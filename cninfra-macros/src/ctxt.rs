//! [`Ctxt`]: collects every mistake, so that all of them are reported in one run.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use std::fmt::Display;

/// The mistakes found so far. In tests it panics if it is dropped before `finish` or `finish_anywhere` was called.
#[derive(Default)]
pub(crate) struct Ctxt {
    errors: Vec<syn::Error>,
    reported_elsewhere: bool,
    is_finished: bool,
}

impl Ctxt {
    /// Adds a mistake in what the user wrote.
    pub(crate) fn error(&mut self, span: Span, message: impl Display) {
        self.errors.push(syn::Error::new(span, message));
    }

    /// Adds a mistake that concerns all of the tokens.
    pub(crate) fn error_on(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake that a parser found.
    pub(crate) fn parser_error(&mut self, error: &syn::Error, expected: impl Display) {
        self.error(error.span(), format_args!("CN010: {error}\n= help: expected {expected}"));
    }

    /// Notes a mistake that is reported elsewhere: by rustc, or by an error in the place of a type.
    pub(crate) fn note_reported(&mut self) {
        self.reported_elsewhere = true;
    }

    /// Whether a mistake has been found so far.
    pub(crate) fn is_broken(&self) -> bool {
        self.reported_elsewhere || !self.errors.is_empty()
    }

    /// All mistakes, as errors for the compiler. They are in a constant, since rustc reports no unknown names in a
    /// module that itself contains a `compile_error!`.
    pub(crate) fn finish(self) -> TokenStream {
        if self.errors.is_empty() {
            return self.finish_anywhere();
        }
        let errors = self.finish_anywhere();
        quote!(const _: () = { #errors };)
    }

    /// The same, for places where an anonymous constant is not allowed.
    pub(crate) fn finish_anywhere(mut self) -> TokenStream {
        self.is_finished = true;
        self.errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

#[cfg(test)]
impl Drop for Ctxt {
    fn drop(&mut self) {
        assert!(self.is_finished || std::thread::panicking(), "mistakes were collected and not reported");
    }
}
