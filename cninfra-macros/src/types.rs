//! What a type looks like. A macro sees only tokens, so `Dep`, `Option` and `Vec` are recognised by their last word.

use crate::{krate::Krate, lifetimes};
use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Expr, GenericArgument, GenericParam, Generics, Lifetime, Path, PathArguments, PathSegment, Type, TypeParamBound,
    TypePath, TypeTraitObject, parse_quote, spanned::Spanned as _,
};

/// A type that wraps another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrapper {
    Dep,
    Option,
    Vec,
}

/// The wrapper and `X` of a `Dep<X>`, `Option<X>` or `Vec<X>`.
pub(crate) fn wrapper(ty: &Type) -> Option<(Wrapper, &Type)> {
    let Type::Path(path) = ungroup(ty) else { return None };
    let last = path.path.segments.last()?;
    let wrapper = match last.ident.to_string().as_str() {
        "Dep" => Wrapper::Dep,
        "Option" => Wrapper::Option,
        "Vec" => Wrapper::Vec,
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some((wrapper, inner)),
        _ => None,
    }
}

/// The dependency that a field asks for: its wrapper, and the plugin or interface.
pub(crate) fn dependency(ty: &Type) -> Option<(Wrapper, &Type)> {
    match wrapper(ty)? {
        (Wrapper::Dep, key) => Some((Wrapper::Dep, key)),
        (outer, inner) => match wrapper(inner)? {
            (Wrapper::Dep, key) => Some((outer, key)),
            _ => None,
        },
    }
}

/// Whether it is a dependency in a wrapper that must be std's `Option` or `Vec`. (For a dependency on `A<B>` this is
/// not checked: see [`is_dep_on_generic`].)
pub(crate) fn is_in_std_wrapper(ty: &Type) -> bool {
    dependency(ty).is_some_and(|(wrapper, key)| wrapper != Wrapper::Dep && !has_arguments(key))
}

/// The name and `X` of an `Option<X>`, `Vec<X>`, `Arc<X>`, `Box<X>` or `Rc<X>`.
pub(crate) fn holder(ty: &Type) -> Option<(String, &Type)> {
    let Type::Path(path) = ungroup(ty) else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let word = last.ident.to_string();
    if !may_be_of_std(path) {
        return None;
    }
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if ["Option", "Vec", "Arc", "Box", "Rc"].contains(&word.as_str()) => {
            Some((word, inner))
        }
        _ => None,
    }
}

/// Whether the word is among the tokens.
pub(crate) fn contains_word(tokens: TokenStream, word: &str) -> bool {
    has_word_that(tokens, &|ident| ident == word)
}

/// Whether one of the words is among the tokens.
pub(crate) fn contains_any(tokens: TokenStream, words: &[String]) -> bool {
    has_word_that(tokens, &|word| words.contains(&word.to_string()))
}

/// Whether `is_meant` is true of a word among the tokens.
pub(crate) fn has_word_that(tokens: TokenStream, is_meant: &dyn Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is_meant(&ident),
        TokenTree::Group(group) => has_word_that(group.stream(), is_meant),
        _ => false,
    })
}

/// The tokens, with other ones instead of the word.
pub(crate) fn replace_word(tokens: TokenStream, word: &str, with: &TokenStream) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == word => {
            let at = |mut token: TokenTree| {
                token.set_span(ident.span());
                token
            };
            with.clone().into_iter().map(at).collect()
        }
        TokenTree::Group(group) => {
            let mut all = Group::new(group.delimiter(), replace_word(group.stream(), word, with));
            all.set_span(group.span());
            TokenTree::Group(all).into()
        }
        token => TokenStream::from(token),
    });
    tokens.collect()
}

/// The argument of a `Dep`, as generated code writes it for a check. It is still an argument of another type: if rustc
/// does not find an argument, it says more than about another type, and reports it once only if it says the same
/// wherever the argument is written. Its place is that of the user's argument. It needs [`imports`].
pub(crate) fn argument(ty: &Type) -> TokenStream {
    if is_dyn(ty) {
        return quote!(#ty);
    }
    let tokens = quote!(#ty);
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    let last = spans.last().unwrap_or(first);
    let mut end = Punct::new('>', Spacing::Alone);
    end.set_span(last);
    quote_spanned!(first=> __CninfraArgument<#tokens #end)
}

/// The import for an item that contains an [`argument`]. (It has a short name, since a path for each argument costs the
/// compiler more.)
pub(crate) fn imports(krate: &Krate) -> TokenStream {
    quote! {
        #[allow(unused_imports)]
        use #krate::Argument as __CninfraArgument;
    }
}

/// Whether the path may be that of a type of std or cninfra. A single word may, since it can be imported, but not with
/// more or fewer arguments than that type has.
pub(crate) fn may_be_of_std(TypePath { qself, path, .. }: &TypePath) -> bool {
    let is_of_cninfra = || path.segments.first().is_some_and(|first| first.ident == "cninfra");
    qself.is_none()
        && (path.segments.len() == 1 || starts_in_std(path) || is_of_cninfra())
        && path.segments.last().is_none_or(has_as_many_as_std)
}

/// Whether the path leads into std.
pub(crate) fn starts_in_std(path: &Path) -> bool {
    path.segments.first().is_some_and(|first| ["alloc", "core", "std"].iter().any(|name| first.ident == name))
}

/// Whether the number of arguments is right, for those types of std that the macros recognise by their names.
fn has_as_many_as_std(PathSegment { ident, arguments }: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(all) = arguments else { return true };
    let is_lifetime = |argument: &&GenericArgument| matches!(argument, GenericArgument::Lifetime(_));
    let count = all.args.len() - all.args.iter().filter(is_lifetime).count();
    match ident.to_string().as_str() {
        "Arc" | "BTreeSet" | "Box" | "Cell" | "Mutex" | "OnceCell" | "OnceLock" | "Option" | "Rc" | "RefCell"
        | "RwLock" | "Vec" | "VecDeque" | "Weak" => count == 1,
        "HashSet" | "LazyLock" | "Result" => (1..=2).contains(&count),
        "BTreeMap" => count == 2,
        "HashMap" => (2..=3).contains(&count),
        _ => true,
    }
}

/// A constant that tells whether the path is the type of std that its last word names, whatever its arguments are.
/// `IsNot` must be in scope.
///
/// It is asked with `&'x ()` for each argument, inside a `for<'x>`: there the compiler does not check bounds, since the
/// lifetime is not known. So it can be asked of every user's type, whatever the bounds of its parameters are. (Except
/// for an alias of `<A as Family>::Of<T>` with a bound on `T`, which the compiler resolves: see
/// [`std_question_as_written`].)
pub(crate) fn std_question(path: &TypePath, krate: &Krate) -> TokenStream {
    let at = krate.at(path.span());
    let question = std_constant(path);
    let lifetime = Lifetime::new("'__x", Span::mixed_site());
    let mut path = path.clone();
    if let Some(PathSegment { arguments: PathArguments::AngleBracketed(all), .. }) = path.path.segments.last_mut() {
        for argument in &mut all.args {
            if let GenericArgument::Type(inner) = argument {
                *inner = parse_quote!(&#lifetime ());
            }
        }
    }
    quote!(#at::Word::<for<#lifetime> fn(#path)>::#question)
}

/// The same with the path's own arguments, if they are sized and can be named.
pub(crate) fn std_question_as_written(path: &TypePath, krate: &Krate) -> TokenStream {
    let (at, question) = (krate.at(path.span()), std_constant(path));
    quote!(#at::Given::<#path>::#question)
}

/// Each type has a constant of its own name, since the compiler tries all impls that have the name.
fn std_constant(path: &TypePath) -> Ident {
    format_ident!("__OF_STD_{}", path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string()))
}

/// Whether it is the struct of this name.
pub(crate) fn is_itself(ty: &Type, name: &Ident) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.path.is_ident(name) || path.path.is_ident("Self"))
}

/// Whether it is `dyn Trait`, which can only be an interface.
pub(crate) fn is_dyn(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::TraitObject(_))
}

/// Whether it is `dyn Trait<A>`.
pub(crate) fn is_generic_dyn(ty: &Type) -> bool {
    let Type::TraitObject(object) = ungroup(ty) else { return false };
    object.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| !last.arguments.is_none()),
        _ => false,
    })
}

/// Whether it is `A<B>`.
pub(crate) fn has_arguments(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| !last.arguments.is_none()))
}

/// Whether it is a dependency on `A<B>`. The compiler checks whether `B` can be an argument of `A` wherever the type is
/// written, or a value of it is made. So generated code does that with a type (`Sound`) about which the compiler
/// reports nothing more if the answer is no; then the only errors are about what the user wrote.
pub(crate) fn is_dep_on_generic(ty: &Type) -> bool {
    dependency(ty).is_some_and(|(_, key)| has_arguments(key))
}

/// An associated type. If it contains a private type, rustc reports that where the only dependency is written, or at
/// the struct's name if there are several.
pub(crate) fn associated_type(name: &str, ty: &TokenStream, places: &[Span], of: &Ident) -> TokenStream {
    let place = if let [place] = places { *place } else { of.span() };
    let name = Ident::new(name, place);
    quote_spanned!(place=> type #name = #ty;)
}

/// A type of which generated code makes a value, field by field: the item that gives the type a name, and that name.
pub(crate) fn constructed(ty: TokenStream) -> (TokenStream, TokenStream) {
    (quote!(type __CninfraMade = #ty;), quote!(__CninfraMade))
}

/// Whether the bound is this trait, by the last word of its path.
pub(crate) fn is_trait(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == name))
}

/// The second trait of `dyn A + B` that is not a marker: no trait object can have two.
pub(crate) fn second_trait(object: &TypeTraitObject) -> Option<&TypeParamBound> {
    const MARKERS: [&str; 5] = ["RefUnwindSafe", "Send", "Sync", "Unpin", "UnwindSafe"];
    let mut traits = object.bounds.iter().filter(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| !MARKERS.iter().any(|name| last.ident == name))
        }
        _ => false,
    });
    traits.nth(1)
}

/// Whether no field can have the type: it contains an `impl Trait`, a `_` or a reference without a lifetime, it is a
/// `Dep` of two interfaces, or it names a lifetime that the struct does not declare.
pub(crate) fn is_impossible(ty: &Type, generics: &Generics) -> bool {
    // Most fields have a single name as their type, and need no further look.
    if matches!(ty, Type::Path(path) if path.path.segments.len() == 1 && path.path.segments[0].arguments.is_none()) {
        return false;
    }
    let is_double = dependency(ty).is_some_and(|(_, key)| match ungroup(key) {
        Type::TraitObject(object) => second_trait(object).is_some(),
        _ => false,
    });
    is_double || has_impossible_part(ty) || lifetimes::undeclared(ty, generics).is_some()
}

/// Whether it is, or contains, `impl Trait`, `_` or a reference without a lifetime.
fn has_impossible_part(ty: &Type) -> bool {
    match ungroup(ty) {
        Type::ImplTrait(_) | Type::Infer(_) => true,
        Type::Reference(lent) => lent.lifetime.is_none() || has_impossible_part(&lent.elem),
        Type::Array(array) => matches!(array.len, Expr::Infer(_)) || has_impossible_part(&array.elem),
        Type::Slice(slice) => has_impossible_part(&slice.elem),
        Type::Ptr(pointer) => has_impossible_part(&pointer.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(has_impossible_part),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            PathArguments::AngleBracketed(arguments) => arguments
                .args
                .iter()
                .any(|argument| matches!(argument, GenericArgument::Type(inner) if has_impossible_part(inner))),
            _ => false,
        }),
        _ => false,
    }
}

/// Whether the type names a parameter of the generic struct. (`Self` does.)
pub(crate) fn depends_on_parameters(ty: &Type, generics: &Generics) -> bool {
    !generics.params.is_empty()
        && (contains_word(quote!(#ty), "Self") || generics.params.iter().any(|param| contains_parameter(ty, param)))
}

fn contains_parameter(ty: &Type, param: &GenericParam) -> bool {
    let name = match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    };
    contains_word(quote!(#ty), &name.to_string())
}

/// The type without groups and parentheses: the `$t:ty` of a `macro_rules` arrives in an invisible group.
pub(crate) fn ungroup(mut ty: &Type) -> &Type {
    loop {
        match ty {
            Type::Group(group) => ty = &group.elem,
            Type::Paren(paren) => ty = &paren.elem,
            _ => return ty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn dependencies_are_known_by_their_last_word() {
        let kind = |ty: Type| dependency(&ty).map(|(wrapper, _)| wrapper);
        assert_eq!(kind(parse_quote!(cninfra::Dep<dyn Kv>)), Some(Wrapper::Dep));
        assert_eq!(kind(parse_quote!(std::option::Option<Dep<A>>)), Some(Wrapper::Option));
        assert_eq!(kind(parse_quote!(Vec<(Dep<A>)>)), Some(Wrapper::Vec));
        for ty in [parse_quote!(Option<A>), parse_quote!(Dep), parse_quote!([Dep<A>; 2]), parse_quote!(Dep<A, B>)] {
            assert_eq!(kind(ty), None);
        }
    }
}
