//! The arguments of `#[plugin(..)]`.

use super::fields::Role;
use crate::{
    args::{self, Value},
    ctxt::Ctxt,
    krate::Krate,
    names::{self, kebab},
    types::{self, Wrapper},
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Expr, Ident, ItemStruct, Token, Type, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned as _,
    token,
};

const EXPECTED: &str = "`deps = (A, dyn B, Option<C>)`, `config = T`, `name = \"..\"`, `alias = \"..\"`, `flags = FLAGS`, \
    `no_lifecycle`, `id = \"..\"`, `crate = path`";

/// What `deps =` says.
pub(super) enum Deps {
    Tuple(Vec<Type>),
    Struct(Box<Type>),
    /// It could not be read: an error in the place of the type. (In an array's length: such a type is one that the compiler
    /// speaks of no more.)
    Broken(TokenStream),
}

impl Deps {
    /// Where each of them is.
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
}

#[derive(Default)]
pub(super) struct Arguments {
    pub(super) deps: Option<Deps>,
    pub(super) config: Option<Type>,
    /// `name`, or none if it is not valid.
    pub(super) name: Option<String>,
    pub(super) aliases: Vec<String>,
    pub(super) flags: Option<Expr>,
    pub(super) no_lifecycle: bool,
    /// Where that is said.
    pub(super) no_lifecycle_at: Option<Span>,
    pub(super) id: Option<String>,
    pub(super) krate: Krate,
    seen_config: Option<Span>,
    seen_flags: Option<Span>,
}

impl Arguments {
    /// Reads every argument, so that each mistake is reported.
    pub(super) fn parse(tokens: TokenStream, cx: &mut Ctxt) -> Self {
        let all = args::parse(tokens, cx, EXPECTED);
        let mut this = Arguments::default();
        // `Dep` in generated types is found by it: it comes first
        for arg in all.iter().filter(|arg| arg.word() == names::CRATE) {
            this.krate = args::krate(arg, cx).unwrap_or_default();
        }
        let mut seen: Vec<String> = Vec::new();
        for arg in &all {
            let word = arg.word();
            if seen.contains(&word) && word != names::ALIAS {
                cx.error(arg.span(), format_args!("CN010: `{word}` is said twice\n= help: keep one of them"));
                continue;
            }
            seen.push(word.clone());
            match (word.as_str(), &arg.value) {
                (names::CRATE, _) => {}
                (names::DEPS, Value::Is(value)) => this.deps = Some(this.deps_of(value.clone())),
                (names::DEPS, Value::List) => {
                    this.deps = Some(this.broken(
                        arg.span(),
                        "`deps(..)` is not understood here\n= help: write it with `=`: `deps = (A, dyn B, Option<C>)`",
                    ))
                }
                (names::DEPS, Value::Word) => this.deps = Some(this.broken(
                    arg.span(),
                    "`deps` takes a list or a struct\n= help: `deps = (A, dyn B, Option<C>)` or `deps = DepsStruct`",
                )),
                (names::CONFIG, Value::Is(value)) => {
                    this.seen_config = Some(arg.span());
                    match syn::parse2(value.clone()) {
                        Ok(ty) => this.config = Some(ty),
                        Err(error) => cx.syn(&error, "`config = Type`"),
                    }
                }
                (names::NAME, _) => this.name = instance(arg, cx),
                (names::ALIAS, _) => this.aliases.extend(instance(arg, cx)),
                (names::FLAGS, Value::Is(value)) => {
                    this.seen_flags = Some(arg.span());
                    match syn::parse2(value.clone()) {
                        Ok(flags) => this.flags = Some(flags),
                        Err(error) => cx.syn(&error, "`flags = FLAGS`, a const `&[Flag]`"),
                    }
                }
                (names::ID, _) => this.id = args::text(arg, cx).map(|text| text.value()),
                (names::NO_LIFECYCLE, Value::Word) => {
                    this.no_lifecycle = true;
                    this.no_lifecycle_at = Some(arg.span());
                }
                _ => args::unknown(arg, cx, EXPECTED),
            }
        }
        this
    }

    /// Writes the plugin's name for `Self` in the dependencies: they stand in an impl of another type.
    pub(super) fn name_itself(&mut self, def: &ItemStruct) {
        let types: &mut [Type] = match &mut self.deps {
            Some(Deps::Tuple(types)) => types,
            Some(Deps::Struct(ty)) => std::slice::from_mut(ty),
            _ => return,
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

    /// Stands an error in the place of the dependencies?
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.deps, Some(Deps::Broken(_)))
    }

    fn broken(&self, span: Span, expected: &str) -> Deps {
        let message = format!("CN010: {expected}");
        Deps::Broken(quote_spanned!(span=> [(); ::core::compile_error! { #message }]))
    }

    fn deps_of(&self, tokens: TokenStream) -> Deps {
        if types::names(tokens.clone(), "impl") {
            let expected = "`impl Trait` is no dependency\n= help: an interface is asked for by `dyn Trait`";
            return self.broken(tokens.span(), expected);
        }
        match syn::parse2::<Listed>(tokens) {
            Ok(Listed::Struct(ty)) if matches!(types::ungroup(&ty), Type::Path(_) | Type::Macro(_)) => Deps::Struct(ty),
            Ok(Listed::Struct(ty)) => self.broken(
                ty.span(),
                "`deps` takes a list or a struct\n= help: `deps = (A, dyn B, Option<C>)` or `deps = DepsStruct`",
            ),
            Ok(Listed::Tuple(types)) if let Some((span, expected)) = types.iter().find_map(never) => {
                self.broken(span, expected)
            }
            Ok(Listed::Tuple(types)) => Deps::Tuple(types.iter().map(|ty| self.handle(ty)).collect()),
            Err(error) => {
                let expected = format!("{error}\n= help: `deps = (A, dyn B, Option<C>)`, or `deps = DepsStruct`");
                self.broken(error.span(), &expected)
            }
        }
    }

    /// `A` as `Dep<A>`, `Option<A>` as `Option<Dep<A>>`; what is a handle already stays.
    fn handle(&self, ty: &Type) -> Type {
        let krate = &self.krate;
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
        // parsed, so that it can be looked into
        syn::parse2(tokens.clone()).unwrap_or(Type::Verbatim(tokens))
    }

    /// What can be said only with the struct at hand.
    pub(super) fn check(&self, def: &ItemStruct, roles: &[Role], cx: &mut Ctxt) {
        let has_config = self.seen_config.is_some()
            || roles.iter().any(|role| matches!(role, Role::Config(_) | Role::Refused(true)));
        if let (Some(span), Some(_), false) = (self.seen_flags, &self.flags, has_config) {
            let mend = match self.deps {
                Some(_) => "say its type: `config = T`",
                None => "mark the field that holds it with `#[config]`",
            };
            cx.error(
                span,
                format_args!(
                    "CN030: a flag sets a key of the config section, and this plugin has none\n= help: {mend}"
                ),
            );
        }
        if let (Some(span), None) = (self.seen_config, &self.deps) {
            cx.error(
                span,
                "CN010: `config = ..` is for a plugin with `deps = ..`\n= help: mark the field that holds it with `#[config]`",
            );
        }
        let instance = self.instance(&def.ident);
        // a parameter's name is appended, and makes it another one
        if let (Some(message), None, None) = (reserved(&instance), &self.name, def.generics.type_params().next()) {
            cx.error(def.ident.span(), message);
        }
        if !names::is_instance_name(&instance) {
            cx.error(
                def.ident.span(),
                format_args!(
                    "CN021: `{instance}` can not be an instance name\n= help: give it one: `#[plugin(name = \"..\")]`"
                ),
            );
        }
    }

    /// The instance name, before the parameters' names are appended.
    pub(super) fn instance(&self, ident: &Ident) -> String {
        self.name.clone().unwrap_or_else(|| kebab(&ident.to_string()))
    }
}

/// The sections of the agent itself.
const RESERVED: [&str; 2] = ["agent", "logs"];

/// What is wrong with a name that is one of them, as sections are compared: without dashes.
fn reserved(instance: &str) -> Option<String> {
    let section = RESERVED.into_iter().find(|section| instance.replace('-', "") == *section)?;
    Some(format!(
        "CN021: `{section}` is a config section of the agent itself\n= help: give the plugin another name: `#[plugin(name = \"..\")]`"
    ))
}

/// A name that a config section can have.
fn instance(arg: &args::Arg, cx: &mut Ctxt) -> Option<String> {
    let text = args::text(arg, cx)?;
    if let Some(message) = reserved(&text.value()) {
        cx.error(text.span(), message);
        return None;
    }
    if names::is_instance_name(&text.value()) {
        return Some(text.value());
    }
    cx.error(
        text.span(),
        format_args!("CN021: `{}` can not be an instance name\n= help: use a to z, 0 to 9 and `-`", text.value()),
    );
    None
}

/// Where a list has what can be no dependency, of whatever types it is made, and what to write.
fn never(ty: &Type) -> Option<(Span, &'static str)> {
    let ty = types::wrapper(ty).map_or(ty, |(_, inner)| inner);
    match types::ungroup(types::wrapper(ty).map_or(ty, |(_, inner)| inner)) {
        Type::Reference(lent) => Some((
            lent.and_token.span(),
            "a plugin holds no references\n= help: list the plugin, or the interface, itself",
        )),
        Type::TraitObject(object) => types::second_trait(object).map(|second| {
            (second.span(), "a dependency is one interface\n= help: list each; or a trait with both as its supertraits")
        }),
        _ => None,
    }
}

enum Listed {
    Tuple(Vec<Type>),
    Struct(Box<Type>),
}

impl Parse for Listed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(token::Paren) {
            return Ok(Listed::Struct(Box::new(input.parse()?)));
        }
        let inner;
        parenthesized!(inner in input);
        if !input.is_empty() {
            return Err(input.error("unexpected token after the list"));
        }
        Ok(Listed::Tuple(Punctuated::<Type, Token![,]>::parse_terminated(&inner)?.into_iter().collect()))
    }
}
