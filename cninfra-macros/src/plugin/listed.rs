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
                Ok(said) => Deps::of(said, krate, cx),
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

    fn of(said: Said, krate: &Krate, cx: &mut Ctxt) -> Self {
        let (entries, after) = match said {
            Said::List { entries, after } => (entries, after),
            Said::Type(ty) => {
                return match types::ungroup(&ty) {
                    _ if names_impl(&ty) => Deps::broken(ty.span(), IMPL),
                    Type::Path(_) | Type::Macro(_) => Deps::Struct(ty),
                    _ => Deps::broken(ty.span(), NEITHER),
                };
            }
        };
        let (mut read, mut wrong) = (Vec::new(), Vec::new());
        for entry in list::entries(entries) {
            match entry.parse::<Type>() {
                Ok(ty) => match never(&ty) {
                    Some((span, message)) => wrong.push((span, message.to_string())),
                    None => read.push(handle(&ty, krate)),
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

    fn broken(span: Span, message: &str) -> Self {
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
    pub(super) fn name_itself(&mut self, def: &ItemStruct) {
        let types: &mut [Type] = match self {
            Deps::Tuple(types) | Deps::Broken(Broken { read: types, .. }) => types,
            Deps::Struct(ty) => std::slice::from_mut(ty),
        };
        for ty in types {
            let tokens = quote!(#ty);
            if types::names(tokens.clone(), "Self") {
                let (name, (_, arguments, _)) = (&def.ident, def.generics.split_for_impl());
                let named = types::replaced(tokens, "Self", &quote!(#name #arguments));
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
fn handle(ty: &Type, krate: &Krate) -> Type {
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
fn never(ty: &Type) -> Option<(Span, &'static str)> {
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
        _ => names_impl(whole).then(|| (whole.span(), IMPL)),
    }
}

fn names_impl(ty: &Type) -> bool {
    types::names(quote!(#ty), "impl")
}

enum Said {
    /// `(..)`, and the tokens after it.
    List {
        entries: TokenStream,
        after: TokenStream,
    },
    Type(Box<Type>),
}

impl Parse for Said {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Paren) {
            return Ok(Said::Type(Box::new(input.parse()?)));
        }
        let inner;
        parenthesized!(inner in input);
        Ok(Said::List { entries: inner.parse()?, after: input.parse()? })
    }
}
