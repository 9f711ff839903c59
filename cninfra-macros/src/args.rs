//! The arguments of an attribute: `name` or `name = tokens`, separated by commas. Every mistake is collected, and
//! parsing goes on.

use crate::{ctxt::Ctxt, expected::Expected, krate::Krate, list, types};
use proc_macro2::{Span, TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::{
    Attribute, Error, Fields, Generics, Ident, LitStr, Path, Token,
    ext::IdentExt as _,
    parse::{Parse, ParseStream, Parser as _},
    punctuated::Punctuated,
};

/// One argument.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows the name of an argument.
pub(crate) enum Value {
    /// Nothing.
    Word,
    /// `= tokens`
    Is(TokenStream),
    /// `(tokens)`: never valid, but often meant.
    List,
    /// Something else, with its error.
    Wrong(Error),
}

impl Arg {
    pub(crate) fn word(&self) -> String {
        self.name.unraw().to_string()
    }

    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let Ok(name) = Ident::parse_any(input) else {
            return Err(match input.parse::<TokenTree>() {
                Ok(other) => Error::new(other.span(), format_args!("invalid argument `{other}`")),
                Err(error) => error,
            });
        };
        let mut value = Value::Word;
        if input.peek(syn::token::Paren) {
            input.parse::<TokenTree>()?;
            value = Value::List;
        } else if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            return Ok(Arg { name, value: Value::Is(input.parse()?) });
        }
        if !input.is_empty() {
            value = Value::Wrong(input.error("expected `,`"));
            input.parse::<TokenStream>()?;
        }
        Ok(Arg { name, value })
    }
}

/// Parses a list of arguments. `expected` is part of the message about an entry that cannot be parsed.
pub(crate) fn parse(tokens: TokenStream, cx: &mut Ctxt, expected: &Expected) -> Vec<Arg> {
    let read = |entry: &list::Entry| entry.parse().map_err(|error| cx.parser_error(&error, expected)).ok();
    list::entries(tokens).iter().filter_map(read).collect()
}

/// Reports and removes arguments that are given twice.
pub(crate) fn reject_repeats(mut all: Vec<Arg>, repeatable: &[&str], cx: &mut Ctxt) -> Vec<Arg> {
    let mut seen = BTreeSet::new();
    all.retain(|arg| {
        let word = arg.word();
        let again = !repeatable.contains(&word.as_str()) && !seen.insert(word.clone());
        if again {
            cx.error(arg.span(), format_args!("CN010: `{word}` is given twice\n= help: remove one of them"));
        }
        !again
    });
    all
}

/// The arguments of all attributes `#[name(..)]`.
pub(crate) fn of_attributes(attributes: &[Attribute], name: &str, cx: &mut Ctxt, expected: &Expected) -> Vec<Arg> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident(name)) {
        match &attribute.meta {
            syn::Meta::List(list) => all.extend(parse(list.tokens.clone(), cx, expected)),
            _ => cx.error(
                span_of(attribute),
                format_args!("CN010: `#[{name}]` needs arguments\n= help: expected {expected}"),
            ),
        }
    }
    reject_repeats(all, &[], cx)
}

/// Reports an argument that is not valid.
pub(crate) fn report_unknown(arg: &Arg, cx: &mut Ctxt, expected: &Expected) {
    match &arg.value {
        Value::Wrong(error) => cx.parser_error(error, expected),
        _ => cx.error(arg.span(), format_args!("CN010: {}", unknown(arg, expected))),
    }
}

/// The error about such an argument, without its code, and its help: what is expected, or the argument that is meant.
pub(crate) fn unknown(arg: &Arg, expected: &Expected) -> String {
    let (word, list) = (arg.word(), if matches!(arg.value, Value::List) { "(..)" } else { "" });
    let help = match expected.meant(&word) {
        Some(meant) => format!("did you mean {}?", meant.shown),
        None => format!("expected {expected}"),
    };
    format!("invalid argument `{word}{list}`\n= help: {help}")
}

/// Parses everything after `name =`.
///
/// # Errors
/// Fails if the value cannot be parsed, with a place within the argument.
pub(crate) fn value<T: Parse>(arg: &Arg, value: &TokenStream) -> syn::Result<T> {
    match list::Entry::whole(value) {
        Some(value) => value.parse(),
        None => Err(Error::new(arg.span(), format_args!("`{}` has no value", arg.word()))),
    }
}

/// Parses `crate = path`.
pub(crate) fn krate(arg: &Arg, cx: &mut Ctxt) -> Option<Krate> {
    if let Value::Is(value) = &arg.value
        && let Ok(path) = Path::parse_mod_style.parse2(value.clone())
    {
        return Some(Krate::named(path));
    }
    cx.error(arg.span(), "CN010: `crate` expects a path\n= help: write `crate = path::to::cninfra`");
    None
}

/// Parses `name = "text"`.
pub(crate) fn text(arg: &Arg, cx: &mut Ctxt) -> Option<LitStr> {
    if let Value::Is(value) = &arg.value
        && let Ok(text) = syn::parse2::<LitStr>(value.clone())
    {
        return Some(text);
    }
    let word = arg.word();
    cx.error(arg.span(), format_args!("CN010: `{word}` expects a string literal\n= help: write `{word} = \"..\"`"));
    None
}

/// The place of the attribute's name, where a reader looks.
pub(crate) fn span_of(attribute: &Attribute) -> Span {
    attribute.path().segments.last().map_or_else(Span::call_site, |last| last.ident.span())
}

/// Reports and removes a second attribute of this name.
pub(crate) fn reject_repeated(attributes: &mut Vec<Attribute>, name: &str, cx: &mut Ctxt) {
    attributes.retain(|attribute| {
        let last = attribute.path().segments.last();
        let again = last.is_some_and(|last| last.ident == name) && attribute.path().segments.len() <= 2;
        if again {
            cx.error(span_of(attribute), format_args!("CN010: `#[{name}]` is given twice\n= help: remove one of them"));
        }
        !again
    });
}

/// The error for a struct that is to be both. Each of the two macros sees the other one, in whatever order they stand.
pub(crate) const PLUGIN_AND_FLAVOR: &str =
    "CN010: a plugin cannot be a flavor\n= help: remove `#[plugin]` or `#[derive(Flavor)]`";

/// Whether it is `#[plugin]`.
pub(crate) fn is_plugin(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "plugin")
}

/// Whether there is a field that no struct can have: a second one of a name, one of a type `impl Trait`, or one with a
/// lifetime that is not declared. rustc reports it for the struct, and would report it again for the generated code.
pub(crate) fn has_impossible_field(fields: &Fields, generics: &Generics) -> bool {
    let mut names = BTreeSet::new();
    fields.iter().any(|field| {
        let again = field.ident.as_ref().is_some_and(|name| !names.insert(name.to_string()));
        again || types::is_impossible(&field.ty, generics)
    })
}

/// The places where the attributes derive something of this name.
pub(crate) fn derive_places<'a>(attributes: &'a [Attribute], name: &'a str) -> impl Iterator<Item = Span> + 'a {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).flat_map(|attribute| {
        attribute.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).unwrap_or_default()
    });
    lists
        .filter_map(|path| path.segments.last().map(|last| last.ident.clone()))
        .filter(move |last| last == name)
        .map(|last| last.span())
}

/// Whether the same derive follows below, in another `#[derive(..)]`. It is reported, and only that one writes the
/// impls. (A second one in the same list cannot be seen from here.)
pub(crate) fn is_derived_again(attributes: &[Attribute], name: &str, cx: &mut Ctxt) -> bool {
    let mut again = false;
    for span in derive_places(attributes, name) {
        cx.error(span, format_args!("CN010: `{name}` is derived twice\n= help: remove one of them"));
        again = true;
    }
    again
}
