//! Lists whose entries are separated by commas. Each entry is parsed separately, so that a wrong one does not hide
//! mistakes in others.

use proc_macro2::{Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Error, parse::Parse, spanned::Spanned as _};

/// The tokens between two commas.
pub(crate) struct Entry {
    tokens: TokenStream,
    /// The place of the entry; for an empty one, that of the comma behind it.
    span: Span,
}

impl Entry {
    /// All tokens as one entry, if there are any.
    pub(crate) fn whole(tokens: &TokenStream) -> Option<Self> {
        (!tokens.is_empty()).then(|| Entry { tokens: tokens.clone(), span: tokens.span() })
    }

    /// Parses the whole entry.
    ///
    /// # Errors
    /// Fails if the entry cannot be parsed, with a place within it.
    pub(crate) fn parse<T: Parse>(&self) -> syn::Result<T> {
        if self.tokens.is_empty() {
            return Err(Error::new(self.span, "unexpected `,`"));
        }
        syn::parse2(self.tokens.clone()).map_err(|error| {
            // The parser's error has no place in the input if it is at the end: use the last token.
            let is_at_end = error.to_string().starts_with("unexpected end of input");
            let last = self.tokens.clone().into_iter().last().filter(|_| is_at_end);
            last.map_or(error.clone(), |last| Error::new(last.span(), error))
        })
    }
}

impl ToTokens for Entry {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut place = Punct::new(',', Spacing::Alone);
        place.set_span(self.span);
        // The place of an empty entry is its comma.
        if self.tokens.is_empty() { place.to_tokens(tokens) } else { self.tokens.to_tokens(tokens) }
    }
}

/// The entries, in order. A trailing comma adds none.
pub(crate) fn entries(tokens: TokenStream) -> Vec<Entry> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let within = within_angles(&tokens);
    let mut all = Vec::new();
    let mut entry = TokenStream::new();
    for (token, within) in tokens.into_iter().zip(within) {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' && !within => {
                let tokens = std::mem::take(&mut entry);
                let span = if tokens.is_empty() { comma.span() } else { tokens.span() };
                all.push(Entry { tokens, span });
            }
            token => entry.extend([token]),
        }
    }
    if !entry.is_empty() {
        all.push(Entry { span: entry.span(), tokens: entry });
    }
    all
}

/// Which tokens are between a `<` and its `>`. A `<` without a `>` is no bracket, so that it does not swallow the
/// entries after it.
fn within_angles(tokens: &[TokenTree]) -> Vec<bool> {
    let (mut within, mut open) = (vec![false; tokens.len()], Vec::new());
    let mut before: Option<&Punct> = None;
    for (place, token) in tokens.iter().enumerate() {
        let punct = if let TokenTree::Punct(punct) = token { Some(punct) } else { None };
        let is_arrow = before.is_some_and(|p| p.spacing() == Spacing::Joint && matches!(p.as_char(), '-' | '='));
        match punct.map(Punct::as_char) {
            Some('<') => open.push(place),
            Some('>') if !is_arrow => {
                if let Some(start) = open.pop() {
                    within[start..place].fill(true);
                }
            }
            _ => {}
        }
        before = punct;
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let tokens = text.parse().unwrap_or_default();
        entries(tokens).iter().map(|entry| entry.tokens.to_string().replace(' ', "")).collect()
    }

    #[test]
    fn entries_end_at_commas() {
        assert_eq!(split("A, B<C, D>, (E, F), dyn Fn(G) -> H,"), ["A", "B<C,D>", "(E,F)", "dynFn(G)->H"]);
        assert_eq!(split("A<fn() -> B, C>, D"), ["A<fn()->B,C>", "D"]);
        assert_eq!(split(", A,, B"), ["", "A", "", "B"]);
        assert_eq!(split(""), [""; 0]);
    }

    #[test]
    fn a_lone_angle_swallows_nothing() {
        assert_eq!(split("A < B, C, D<E, F>"), ["A<B", "C", "D<E,F>"]);
        assert_eq!(split("A > B, C"), ["A>B", "C"]);
    }
}
