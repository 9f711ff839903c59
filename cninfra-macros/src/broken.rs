//! Parses structs with syntax errors. If a comma between fields is missing, or written as `;`, rustc reports it and
//! goes on. So do the macros, although their parser would stop.

use crate::ctxt::Ctxt;
use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};
use syn::{DeriveInput, Ident, parse::Parse, parse_quote};

/// Parses a struct, and adds commas if nothing else is missing.
pub(crate) fn parse<T: Parse>(item: &TokenStream) -> syn::Result<T> {
    syn::parse2(item.clone()).or_else(|error| syn::parse2(mend(item)).map_err(|_| error))
}

/// Parses the item of a derive. If that fails, the error is reported, and an empty struct of the same name is returned,
/// or `None` if there is no name.
pub(crate) fn parse_derive(item: &TokenStream, cx: &mut Ctxt) -> Option<DeriveInput> {
    parse(item).map_or_else(
        |error| {
            cx.parser_error(&error, "`struct Name { field: Dep<Plugin>, .. }`");
            struct_name(item).map(|name| parse_quote!(struct #name {}))
        },
        Some,
    )
}

/// The name of a struct without parameters, whatever else is wrong with it: rustc knows the struct by that name.
pub(crate) fn struct_name(item: &TokenStream) -> Option<Ident> {
    let mut tokens =
        item.clone().into_iter().skip_while(|token| !matches!(token, TokenTree::Ident(word) if word == "struct"));
    let (Some(TokenTree::Ident(name)), next) = (tokens.nth(1), tokens.next()) else { return None };
    let is_plain = !matches!(&next, Some(TokenTree::Punct(punct)) if punct.as_char() == '<');
    // A keyword is no name.
    syn::parse2(TokenTree::Ident(name).into()).ok().filter(|_| is_plain)
}

/// Adds the commas that are missing between the fields of a struct.
fn mend(item: &TokenStream) -> TokenStream {
    let mut after_struct = false;
    let tokens = item.clone().into_iter().map(|token| match token {
        TokenTree::Group(body) if after_struct && body.delimiter() == Delimiter::Brace => {
            let mut mended = Group::new(body.delimiter(), add_commas(body.stream().into_iter().collect()));
            mended.set_span(body.span());
            mended.into()
        }
        token => {
            after_struct |= matches!(&token, TokenTree::Ident(word) if word == "struct");
            token
        }
    });
    tokens.collect()
}

fn add_commas(mut tokens: Vec<TokenTree>) -> TokenStream {
    // From the end, so that the earlier positions stay valid.
    for start in field_starts(&tokens).into_iter().rev() {
        let Some(before) = start.checked_sub(1) else { continue };
        let comma = TokenTree::Punct(Punct::new(',', Spacing::Alone));
        match &tokens[before] {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {}
            TokenTree::Punct(punct) if punct.as_char() == ';' => tokens[before] = comma,
            _ => tokens.insert(start, comma),
        }
    }
    if let Some(TokenTree::Punct(last)) = tokens.last_mut()
        && last.as_char() == ';'
    {
        *last = Punct::new(',', Spacing::Alone);
    }
    tokens.into_iter().collect()
}

/// The position where each field starts: its name, or what stands before it.
fn field_starts(tokens: &[TokenTree]) -> Vec<usize> {
    let is = |place: usize, sign: char| matches!(tokens.get(place), Some(TokenTree::Punct(p)) if p.as_char() == sign);
    let (mut all, mut depth) = (Vec::new(), 0_i32);
    for (place, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' && !is(place.wrapping_sub(1), '-') => depth -= 1,
            TokenTree::Ident(_) if depth == 0 && is(place + 1, ':') && !is(place + 2, ':') => {
                all.push(field_start(tokens, place));
            }
            _ => {}
        }
    }
    all
}

/// The start of a field: the attributes and the visibility before its name.
fn field_start(tokens: &[TokenTree], mut place: usize) -> usize {
    let is_pub = |place: usize| matches!(&tokens[place], TokenTree::Ident(word) if word == "pub");
    let is_hash = |place: usize| matches!(&tokens[place], TokenTree::Punct(punct) if punct.as_char() == '#');
    loop {
        let grouped = place >= 2 && matches!(tokens[place - 1], TokenTree::Group(_));
        place -= match place {
            1.. if is_pub(place - 1) => 1,
            _ if grouped && (is_pub(place - 2) || is_hash(place - 2)) => 2,
            _ => return place,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::ItemStruct;

    #[test]
    fn commas_are_put_between_fields() {
        let item = |text: &str| text.parse::<TokenStream>().unwrap_or_default();
        let shown = |item: &TokenStream| item.to_string().replace(' ', "");
        let text = "#[a] pub struct A<T: B> where T: C { #[x] #[y(1)] pub(crate) a: Option<Dep<dyn ::b::C>>, b: fn(u8) -> Vec<u8>, pub c: [u8; 3], }";
        let right = item(text);
        assert_eq!(shown(&mend(&right)), shown(&right));
        let wrong = [
            (">>, b", ">> b"),
            (">>, b", ">>; b"),
            ("<u8>, pub", "<u8> pub"),
            ("<u8>, pub", "<u8>; pub"),
            ("3], }", "3]; }"),
        ];
        for (from, to) in wrong {
            let wrong = item(&text.replace(from, to));
            assert!(syn::parse2::<ItemStruct>(wrong.clone()).is_err());
            assert_eq!(shown(&mend(&wrong)), shown(&right));
        }
    }

    #[test]
    fn what_can_not_be_parsed_may_have_a_name() {
        let of = |text: &str| struct_name(&text.parse().unwrap_or_default()).map(|name| name.to_string());
        assert_eq!(of("#[a] pub struct A { a b }").as_deref(), Some("A"));
        for text in ["struct A<T> { a b }", "struct struct A {}", "enum A { a b }", "struct"] {
            assert_eq!(of(text), None);
        }
    }
}
