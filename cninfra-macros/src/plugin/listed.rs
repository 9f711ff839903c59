//! What `deps = ..` lists. Each entry is parsed separately: wrong ones are reported, and the others are still checked.

use crate::{
    args::{self, Arg},
    ctxt::Ctxt,
    krate::Krate,
    list,
    types::{self, Wrapper},
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    ItemStruct, Type, parenthesized,
    parse::{Parse, ParseStream},
    spanned::Spanned as _,
    token,
};

const EXPECTED: &str = "`deps = (A, dyn B, Option<C>)`, or `deps = DepsStruct`";
const NEITHER: &str =
    "`deps` expects a list or a struct\n= help: write `deps = (A, dyn B, Option<C>)` or `deps = DepsStruct`";
const IMPL: &str = "`impl Trait` is not a dependency\n= help: write `dyn Trait` for an interface";

/// The value of `deps`.
pub(super) enum Deps {
    Tuple(Vec<Type>),
    Struct(Box<Type>),
    Broken(Broken),
}

/// Dependencies, some of which could not be parsed.
pub(super) struct Broken {
    /// An error in the place of the type. It is in the length of an array: about such a type, the compiler reports
    /// nothing more.
    pub(super) error: TokenStream,
    /// The dependencies that could be parsed.
    pub(super) read: Vec<Type>,
}

impl Deps {
    /// Parses the value of `arg`, which is `deps`.
    pub(super) fn parse(arg: &Arg, krate: &Krate, cx: &mut Ctxt) -> Self {
        match &arg.value {
            args::Value::Is(value) => match args::value(arg, value) {
                Ok(written) => Deps::of(written, krate, cx),
                Err(error) => Deps::broken(error.span(), &format!("{error}\n= help: expected {EXPECTED}")),
            },
            args::Value::List => Deps::broken(
                arg.span(),
                "invalid argument `deps(..)`\n= help: write it with `=`: `deps = (A, dyn B, Option<C>)`",
            ),
            args::Value::Word => Deps::broken(arg.span(), NEITHER),
            args::Value::Wrong(error) => Deps::broken(error.span(), &format!("{error}\n= help: expected {EXPECTED}")),
        }
    }

    fn of(written: Written, krate: &Krate, cx: &mut Ctxt) -> Self {
        let (entries, after) = match written {
            Written::List { entries, after } => (entries, after),
            Written::Type(ty) => {
                return match types::ungroup(&ty) {
                    _ if contains_impl(&ty) => Deps::broken(ty.span(), IMPL),
                    Type::Path(_) | Type::Macro(_) => Deps::Struct(ty),
                    _ => Deps::broken(ty.span(), NEITHER),
                };
            }
        };
        let (mut read, mut wrong) = (Vec::new(), Vec::new());
        for entry in list::entries(entries) {
            match entry.parse::<Type>() {
                Ok(ty) => match refusal(&ty) {
                    Some((span, message)) => wrong.push((span, message.to_string())),
                    None => read.push(as_handle(&ty, krate)),
                },
                Err(error) => wrong.push((error.span(), format!("{error}\n= help: expected {EXPECTED}"))),
            }
        }
        if !after.is_empty() {
            wrong.push((after.span(), format!("unexpected token after the list\n= help: expected {EXPECTED}")));
        }
        let mut wrong = wrong.into_iter();
        let Some((span, message)) = wrong.next() else { return Deps::Tuple(read) };
        for (span, message) in wrong {
            cx.error(span, format_args!("CN010: {message}"));
        }
        Deps::Broken(Broken { error: error(span, &message), read })
    }

    /// An error in the place of the dependencies.
    pub(super) fn broken(span: Span, message: &str) -> Self {
        Deps::Broken(Broken { error: error(span, message), read: Vec::new() })
    }

    /// The places of the dependencies.
    pub(super) fn places(&self) -> Vec<Span> {
        match self {
            Deps::Tuple(types) => {
                let key = |ty| types::dependency(ty).map_or(ty, |(_, key)| key);
                types.iter().map(|ty| key(ty).span()).collect()
            }
            Deps::Struct(ty) => vec![ty.span()],
            Deps::Broken(_) => Vec::new(),
        }
    }

    /// Replaces `Self` with the name of the plugin, since the dependencies are written in an impl of another type.
    pub(super) fn replace_self(&mut self, def: &ItemStruct) {
        let types: &mut [Type] = match self {
            Deps::Tuple(types) | Deps::Broken(Broken { read: types, .. }) => types,
            Deps::Struct(ty) => std::slice::from_mut(ty),
        };
        for ty in types {
            let tokens = quote!(#ty);
            if types::contains_word(tokens.clone(), "Self") {
                let (name, (_, arguments, _)) = (&def.ident, def.generics.split_for_impl());
                let named = types::replace_word(tokens, "Self", &quote!(#name #arguments));
                *ty = syn::parse2(named.clone()).unwrap_or(Type::Verbatim(named));
            }
        }
    }
}

fn error(span: Span, message: &str) -> TokenStream {
    let message = format!("CN010: {message}");
    quote_spanned!(span=> [(); ::core::compile_error! { #message }])
}

/// Turns `A` into `Dep<A>`, and `Option<A>` into `Option<Dep<A>>`. A handle stays as it is.
fn as_handle(ty: &Type, krate: &Krate) -> Type {
    if types::dependency(ty).is_some() {
        return ty.clone();
    }
    let tokens = match types::wrapper(ty) {
        Some((wrapper @ (Wrapper::Option | Wrapper::Vec), inner)) => {
            let wrapper = format_ident!("{wrapper:?}");
            quote_spanned!(ty.span()=> #krate::#wrapper<#krate::Dep<#inner>>)
        }
        _ => quote_spanned!(ty.span()=> #krate::Dep<#ty>),
    };
    // Parsed, so that its parts can be examined.
    syn::parse2(tokens.clone()).unwrap_or(Type::Verbatim(tokens))
}

/// The place of an entry that cannot be a dependency, whatever types it contains, and the error.
fn refusal(ty: &Type) -> Option<(Span, &'static str)> {
    let whole = ty;
    let ty = types::wrapper(ty).map_or(ty, |(_, inner)| inner);
    match types::ungroup(types::wrapper(ty).map_or(ty, |(_, inner)| inner)) {
        Type::Reference(lent) => Some((
            lent.and_token.span(),
            "a plugin cannot hold references\n= help: list the plugin or the interface itself",
        )),
        Type::TraitObject(object) if let Some(second) = types::second_trait(object) => Some((
            second.span(),
            "a dependency is a single interface\n= help: list each of them, or a trait that has both as supertraits",
        )),
        _ => contains_impl(whole).then(|| (whole.span(), IMPL)),
    }
}

fn contains_impl(ty: &Type) -> bool {
    types::contains_word(quote!(#ty), "impl")
}

enum Written {
    /// `(..)`, and the tokens after it.
    List {
        entries: TokenStream,
        after: TokenStream,
    },
    Type(Box<Type>),
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Paren) {
            return Ok(Written::Type(Box::new(input.parse()?)));
        }
        let inner;
        parenthesized!(inner in input);
        Ok(Written::List { entries: inner.parse()?, after: input.parse()? })
    }
}
