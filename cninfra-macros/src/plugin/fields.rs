//! Finds out what each field of a plugin is filled with, and removes the helper attributes from the fields.

use super::malformed;
use crate::{
    args::{self, span_of},
    ctxt::Ctxt,
    expected::Expected,
    krate::Krate,
    lifetimes, names, types,
};
use proc_macro2::Span;
use quote::quote;
use syn::{Attribute, Expr, Fields, Generics, Ident, Type, parse_quote, spanned::Spanned as _};

/// What a field is filled with.
pub(super) enum Role {
    Dep,
    /// The config section, with its check.
    Config(Option<Expr>),
    Context,
    Default(Option<Expr>),
    /// An error about the field has been reported. The value is whether it is marked as the config section.
    Refused(bool),
}

const HELPERS: [&str; 4] = [names::CONFIG, names::CONTEXT, names::DEFAULT, names::DEP];

/// The fields' roles, in order. `owned`: the plugin, if its struct can be changed. `listed`: whether the plugin lists
/// its dependencies and fills its fields itself.
pub(super) fn parse(
    fields: &mut Fields,
    owned: Option<(&Ident, &Generics)>,
    listed: bool,
    krate: &Krate,
    cx: &mut Ctxt,
) -> Vec<Role> {
    let mut has_config = false;
    let mut roles = Vec::new();
    for field in fields {
        let ty = &field.ty;
        // For a field behind a `#[cfg]` it has been reported: see `conditional.rs`.
        let mut refused = owned.is_none() && types::contains_word(quote!(#ty), "compile_error");
        if refused {
            cx.note_reported();
        }
        if let Some((name, generics)) = owned {
            refused = refuse_lifetime(&mut field.ty, generics, cx);
            refused |= refuse_itself(&mut field.ty, name, generics, krate, cx);
        }
        refused = refused
            || refuse_reference(&mut field.ty, owned.is_some(), listed, krate, cx)
            || malformed::refuse(&mut field.ty, krate, cx);
        malformed::mend(&mut field.attrs, &HELPERS, cx);
        let attributes = take_helpers(&mut field.attrs);
        if listed {
            for attribute in &attributes {
                let name = name_of(attribute);
                cx.error(
                    span_of(attribute),
                    format_args!("CN010: `#[{name}]` is not allowed in a plugin with `deps = ..`\n= help: such a plugin fills its fields in `Create::create`"),
                );
            }
            roles.push(if refused { Role::Refused(false) } else { Role::Default(None) });
            continue;
        }
        if let [_, second, ..] = &attributes[..] {
            cx.error(
                span_of(second),
                "CN010: a field can have only one of these attributes\n= help: remove the others",
            );
        }
        roles.push(match attributes.first() {
            Some(attribute) => role_of(attribute, (!refused).then_some(&field.ty), &mut has_config, cx),
            None if refused => Role::Refused(false),
            None if types::dependency(&field.ty).is_some() => Role::Dep,
            None => Role::Default(None),
        });
    }
    roles
}

const NO_REFERENCE: &str = "CN010: a plugin cannot hold references\n= help: a dependency is `Dep<Plugin>` or `Dep<dyn Interface>`; hold anything else by value, or in an `Arc`";

/// Refuses a reference without a lifetime: a plugin outlives whatever it could borrow from. A handle takes its place,
/// so that rustc does not ask for the lifetime; if the struct is not `owned`, rustc does ask. If the plugin fills its
/// fields itself (`listed`), its code expects a reference; so the error is put inside the type, about which rustc then
/// reports nothing more.
fn refuse_reference(ty: &mut Type, owned: bool, listed: bool, krate: &Krate, cx: &mut Ctxt) -> bool {
    let lent = match types::dependency(ty) {
        Some((_, Type::Reference(lent))) => lent,
        None if let Type::Reference(lent) = types::ungroup(ty)
            && lent.lifetime.is_none() =>
        {
            lent
        }
        _ if owned => {
            let Some(span) = lifetimes::make_static(ty) else { return false };
            if listed {
                *ty = error_type(span, NO_REFERENCE, cx);
            } else {
                cx.error(span, NO_REFERENCE);
            }
            return true;
        }
        _ => return false,
    };
    if owned && listed {
        *ty = error_type(lent.and_token.span(), NO_REFERENCE, cx);
        return true;
    }
    let inner = &lent.elem;
    if owned || lent.lifetime.is_some() {
        cx.error(lent.and_token.span(), NO_REFERENCE);
    } else {
        cx.note_reported();
    }
    *ty = parse_quote!(#krate::Dep<#inner>);
    true
}

/// A type about which rustc reports nothing more than the error inside. (An error that takes the place of a whole type
/// is `()`.)
fn error_type(span: Span, message: &str, cx: &mut Ctxt) -> Type {
    cx.note_reported();
    let error = syn::Error::new(span, message).to_compile_error();
    parse_quote!([(); { #error }])
}

/// Refuses a lifetime that is not declared: rustc would say how to declare it, and so lead to the next error. `'static`
/// takes its place. Returns whether there is one.
fn refuse_lifetime(ty: &mut Type, generics: &Generics, cx: &mut Ctxt) -> bool {
    let Some((span, mended)) = lifetimes::undeclared(ty, generics) else { return false };
    cx.error(
        span,
        "CN014: only the lifetime `'static` is allowed here\n= help: what an agent runs cannot borrow: hold the value itself, or an `Arc` of it",
    );
    *ty = mended;
    true
}

/// Refuses a plugin that holds itself: rustc would report its size in several ways. A handle takes its place. Returns
/// whether it is one.
fn refuse_itself(ty: &mut Type, name: &Ident, generics: &Generics, krate: &Krate, cx: &mut Ctxt) -> bool {
    let is_itself = types::is_itself(ty, name);
    if is_itself {
        cx.error(ty.span(), "CN033: a plugin cannot hold itself\n= help: remove the field");
        // By name, since `Self` is another type in the impls of an inert plugin.
        let (_, arguments, _) = generics.split_for_impl();
        *ty = parse_quote!(#krate::Dep<#name #arguments>);
    }
    is_itself
}

/// Removes the helper attributes from a field, and returns them.
fn take_helpers(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    let (mine, rest) = std::mem::take(attributes)
        .into_iter()
        .partition(|attribute| HELPERS.iter().any(|name| attribute.path().is_ident(name)));
    *attributes = rest;
    mine
}

fn name_of(attribute: &Attribute) -> String {
    attribute.path().get_ident().map(ToString::to_string).unwrap_or_default()
}

/// The role that an attribute gives its field. `ty`: `None` if an error about the type has been reported; mistakes in
/// the attribute are reported all the same.
fn role_of(attribute: &Attribute, ty: Option<&Type>, has_config: &mut bool, cx: &mut Ctxt) -> Role {
    let name = name_of(attribute);
    if name == names::DEFAULT {
        return match attribute.parse_args() {
            Ok(value) if ty.is_some() => Role::Default(Some(value)),
            Ok(_) => Role::Refused(false),
            Err(_) => {
                cx.error(
                    span_of(attribute),
                    "CN010: `#[default]` expects one expression\n= help: write `#[default(expression)]`",
                );
                Role::Refused(false)
            }
        };
    }
    let check = if name == names::CONFIG { parse_check(attribute, cx) } else { None };
    if name != names::CONFIG && !matches!(attribute.meta, syn::Meta::Path(_)) {
        cx.error(span_of(attribute), format_args!("CN010: `#[{name}]` takes no arguments\n= help: write `#[{name}]`"));
    }
    let is_config = name == names::CONFIG;
    let is_dependency = ty.is_some_and(|ty| types::dependency(ty).is_some());
    if is_config && !is_dependency && std::mem::replace(has_config, true) {
        cx.error(
            span_of(attribute),
            "CN010: this plugin has a second `#[config]`\n= help: a plugin has one config section: combine both in one struct",
        );
    }
    let Some(ty) = ty else { return Role::Refused(is_config) };
    match name.as_str() {
        names::DEP => Role::Dep,
        _ if is_dependency => {
            cx.error(
                span_of(attribute),
                format_args!("CN010: `#[{name}]` is not allowed on a dependency\n= help: remove the attribute"),
            );
            // It is not known which of the two is meant.
            Role::Refused(is_config)
        }
        names::CONTEXT | names::CONFIG if matches!(types::ungroup(ty), Type::Reference(_)) => {
            cx.error(
                ty.span(),
                if name == names::CONTEXT {
                    "CN027: a `#[context]` field cannot hold a reference\n= help: use `Context` or `Logger`, without `&`"
                } else {
                    "CN026: a config section cannot be a reference\n= help: hold the section itself, without `&`"
                },
            );
            Role::Refused(name == names::CONFIG)
        }
        names::CONTEXT => Role::Context,
        _ => Role::Config(check),
    }
}

const CHECK: Expected = Expected {
    attribute: names::CONFIG,
    arguments: &["check = HttpConfig::check"],
    synonyms: &[("validate", names::CHECK)],
};

/// The path in `#[config(check = path)]`.
fn parse_check(attribute: &Attribute, cx: &mut Ctxt) -> Option<Expr> {
    let wrong = |span, cx: &mut Ctxt| {
        cx.error(
            span,
            "CN010: `#[config]` accepts only `check = path`\n= help: write `#[config]`, or `#[config(check = HttpConfig::check)]`",
        );
    };
    let list = match &attribute.meta {
        syn::Meta::Path(_) => return None,
        syn::Meta::List(list) if !list.tokens.is_empty() => list,
        _ => {
            wrong(span_of(attribute), cx);
            return None;
        }
    };
    let all = args::parse(list.tokens.clone(), cx, &CHECK);
    let mut check = None;
    for arg in args::reject_repeats(all, &[], cx) {
        match &arg.value {
            args::Value::Is(value) if arg.word() == names::CHECK => match args::value(&arg, value) {
                Ok(path) => check = Some(path),
                Err(_) => wrong(arg.span(), cx),
            },
            _ => wrong(arg.span(), cx),
        }
    }
    check
}
