//! Finds what a trait that is used through `dyn` cannot have. rustc would report it wherever the trait object is named;
//! here it is reported once, and excluded from the object, so that it causes no further errors.

use crate::{ctxt::Ctxt, types};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{
    FnArg, GenericParam, Generics, ItemTrait, ReturnType, Signature, TraitItem, TypeParamBound, WherePredicate,
    parse_quote, spanned::Spanned as _,
};

/// Supertraits that use `Self` by value or as a type argument, or have methods with type parameters.
const BY_VALUE: [&str; 9] = ["Clone", "Copy", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Sized"];

/// Reports what cannot be used through the trait object.
pub(crate) fn check(def: &mut ItemTrait, cx: &mut Ctxt) {
    let object = format!("dyn {}", def.ident);
    def.supertraits =
        std::mem::take(&mut def.supertraits).into_iter().filter(|bound| check_supertrait(bound, cx)).collect();
    let mut without_size = Vec::new();
    def.items.retain_mut(|item| match item {
        TraitItem::Const(item) => {
            refuse(item.ident.span(), &item.ident, &object, "is a constant", "make it a method", cx);
            false
        }
        TraitItem::Type(item) if !requires_sized(&item.generics) => {
            let mend = format!("make it a parameter of the trait: `trait {}<{}>`", def.ident, item.ident);
            refuse(item.ident.span(), &item.ident, &object, "is an associated type", &mend, cx);
            item.generics.make_where_clause().predicates.push(sized_bound());
            without_size.push(item.ident.to_string());
            true
        }
        _ => true,
    });
    for item in &mut def.items {
        let TraitItem::Fn(method) = item else { continue };
        if requires_sized(&method.sig.generics) {
            continue;
        }
        let reasons = reasons(&method.sig);
        for (span, reason) in &reasons {
            refuse(
                *span,
                &method.sig.ident,
                &object,
                reason,
                "change its signature (a future can be a `cninfra::BoxFuture`), or exclude it with `where Self: Sized`",
                cx,
            );
        }
        let sig = &method.sig;
        if !reasons.is_empty() || types::contains_any(quote!(#sig), &without_size) {
            method.sig.generics.make_where_clause().predicates.push(sized_bound());
        }
    }
}

fn check_supertrait(bound: &TypeParamBound, cx: &mut Ctxt) -> bool {
    let TypeParamBound::Trait(bound) = bound else { return true };
    let Some(last) = bound.path.segments.last() else { return true };
    let name = last.ident.to_string();
    // A path outside std is another trait. A single word may be either, and rustc would report std's trait wherever the
    // interface is named.
    if bound.path.segments.len() > 1 && !types::starts_in_std(&bound.path) {
        return true;
    }
    if !BY_VALUE.contains(&name.as_str()) {
        return true;
    }
    cx.error(
        bound.span(),
        format_args!("CN032: `{name}` cannot be a supertrait of an interface\n= help: remove it: a `Dep` can be cloned, whatever it holds; write another trait with this name as a path: `self::{name}`"),
    );
    false
}

fn refuse(span: Span, name: &syn::Ident, object: &str, reason: &str, mend: &str, cx: &mut Ctxt) {
    cx.error(span, format_args!("CN032: `{name}` cannot be used through `{object}`: it {reason}\n= help: {mend}"));
}

/// The reasons why a method cannot be called through the object.
fn reasons(sig: &Signature) -> Vec<(Span, &'static str)> {
    // A function without `self` cannot be called through the object, whatever else it has.
    if sig.receiver().is_none() {
        return vec![(sig.ident.span(), "takes no `self`")];
    }
    let mut all = Vec::new();
    let parameter = sig.generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_)));
    all.extend(parameter.map(|parameter| (parameter.span(), "has type parameters")));
    for input in &sig.inputs {
        let FnArg::Typed(input) = input else { continue };
        let ty = &input.ty;
        if types::contains_word(quote!(#ty), "impl") {
            all.push((ty.span(), "takes an `impl Trait`"));
        } else if matches!(**ty, syn::Type::Path(_) | syn::Type::Reference(_)) && contains_self(quote!(#ty)) {
            all.push((ty.span(), "takes `Self`"));
        }
    }
    if let ReturnType::Type(_, ty) = &sig.output {
        if types::contains_word(quote!(#ty), "impl") {
            all.push((ty.span(), "returns an `impl Trait`"));
        } else if contains_self(quote!(#ty)) {
            all.push((ty.span(), "returns `Self`"));
        }
    }
    all
}

fn sized_bound() -> WherePredicate {
    parse_quote!(Self: ::core::marker::Sized)
}

/// Whether there is a `where Self: Sized`.
fn requires_sized(generics: &Generics) -> bool {
    let Some(clause) = &generics.where_clause else { return false };
    clause.predicates.iter().any(|predicate| match predicate {
        WherePredicate::Type(predicate) => {
            let (ty, bounds) = (&predicate.bounded_ty, &predicate.bounds);
            quote!(#ty).to_string() == "Self" && types::contains_word(quote!(#bounds), "Sized")
        }
        _ => false,
    })
}

/// Whether the tokens contain `Self`, other than as `Self::Something`.
fn contains_self(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let projected = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
                if !projected {
                    return true;
                }
            }
            TokenTree::Group(group) if contains_self(group.stream()) => return true,
            _ => {}
        }
    }
    false
}
