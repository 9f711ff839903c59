//! What a type looks like. A macro sees tokens, so `Dep`, `Option` and `Vec` are known by their last word.

use crate::{krate::Krate, lifetimes};
use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Expr, GenericArgument, GenericParam, Generics, Lifetime, Path, PathArguments, PathSegment, Type, TypeParamBound,
    TypePath, TypeTraitObject, parse_quote, spanned::Spanned as _,
};

/// A type that stands around another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrapper {
    Dep,
    Option,
    Vec,
}

/// `Dep<X>`, `Option<X>` or `Vec<X>`, and `X`.
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

/// How a field asks for a dependency: by what it is wrapped in, and for what.
pub(crate) fn dependency(ty: &Type) -> Option<(Wrapper, &Type)> {
    match wrapper(ty)? {
        (Wrapper::Dep, key) => Some((Wrapper::Dep, key)),
        (outer, inner) => match wrapper(inner)? {
            (Wrapper::Dep, key) => Some((outer, key)),
            _ => None,
        },
    }
}

/// Is it a dependency in what has to be std's `Option` or `Vec`? (Of `A<B>` that is not asked: see [`asks_a_generic`].)
pub(crate) fn is_worded(ty: &Type) -> bool {
    dependency(ty).is_some_and(|(wrapper, key)| wrapper != Wrapper::Dep && !has_arguments(key))
}

/// `Option<X>`, `Vec<X>`, `Arc<X>`, `Box<X>` or `Rc<X>`, and `X`.
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

/// Is the word among the tokens?
pub(crate) fn names(tokens: TokenStream, word: &str) -> bool {
    any_word(tokens, &|ident| ident == word)
}

/// Is a word among the tokens that is meant?
pub(crate) fn any_word(tokens: TokenStream, is_meant: &dyn Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is_meant(&ident),
        TokenTree::Group(group) => any_word(group.stream(), is_meant),
        _ => false,
    })
}

/// The tokens, with others in the place of the word.
pub(crate) fn replaced(tokens: TokenStream, word: &str, with: &TokenStream) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(ident) if ident == word => {
            let at = |mut token: TokenTree| {
                token.set_span(ident.span());
                token
            };
            with.clone().into_iter().map(at).collect()
        }
        TokenTree::Group(group) => {
            let mut all = Group::new(group.delimiter(), replaced(group.stream(), word, with));
            all.set_span(group.span());
            TokenTree::Group(all).into()
        }
        token => TokenStream::from(token),
    });
    tokens.collect()
}

/// The argument of a `Dep`, to be asked for something: as an argument still, since rustc says more of an argument that it does not find than of
/// another type, and tells of it once if it says the same wherever it is written. Its place is the argument's own. It needs [`imports`].
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

/// Of an item in which an [`argument`] is written. (A name of its own: a path for each of them costs the compiler more.)
pub(crate) fn imports(krate: &Krate) -> TokenStream {
    quote! {
        #[allow(unused_imports)]
        use #krate::Argument as __CninfraArgument;
    }
}

/// May it be a type of std (or cninfra's), by its path? A word alone may, since it can be imported; but not with more or fewer arguments than that has.
pub(crate) fn may_be_of_std(TypePath { qself, path, .. }: &TypePath) -> bool {
    let is_of_cninfra = || path.segments.first().is_some_and(|first| first.ident == "cninfra");
    qself.is_none()
        && (path.segments.len() == 1 || starts_in_std(path) || is_of_cninfra())
        && path.segments.last().is_none_or(has_as_many_as_std)
}

/// Is it a path into std?
pub(crate) fn starts_in_std(path: &Path) -> bool {
    path.segments.first().is_some_and(|first| ["alloc", "core", "std"].iter().any(|name| first.ident == name))
}

/// Of the types of std with arguments that the macros know by their names.
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

/// Is the path the type of std that its last word names, whatever it is of? As a constant, where `IsNot` is imported.
///
/// The question is asked of the word with `&'x ()` for each argument, below a `for<'x>`: there the compiler asks for no bounds of what is not a known
/// lifetime, so it can be asked of every type of one's own, whatever its parameters are. (But for an alias of `<A as Family>::Of<T>` with a bound on `T`, which
/// the compiler works out: see [`given_of_std`].)
pub(crate) fn is_of_std(path: &TypePath, krate: &Krate) -> TokenStream {
    let at = krate.at(path.span());
    let question = of_std(path);
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

/// The same, of the word with its own arguments: where these have a size, and can be named.
pub(crate) fn given_of_std(path: &TypePath, krate: &Krate) -> TokenStream {
    let (at, question) = (krate.at(path.span()), of_std(path));
    quote!(#at::Given::<#path>::#question)
}

/// A name for each: the compiler tries all impls that have the name.
fn of_std(path: &TypePath) -> Ident {
    format_ident!("__OF_STD_{}", path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string()))
}

/// Is it the struct of this name?
pub(crate) fn is_itself(ty: &Type, name: &Ident) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.path.is_ident(name) || path.path.is_ident("Self"))
}

/// `dyn Trait`, which can be an interface only.
pub(crate) fn is_dyn(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::TraitObject(_))
}

/// Is it `dyn Trait<A>`?
pub(crate) fn is_generic_dyn(ty: &Type) -> bool {
    let Type::TraitObject(object) = ungroup(ty) else { return false };
    object.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| !last.arguments.is_none()),
        _ => false,
    })
}

/// Is it `A<B>`?
pub(crate) fn has_arguments(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.path.segments.last().is_some_and(|last| !last.arguments.is_none()))
}

/// Is it a dependency on `A<B>`? Whether `B` can be an argument of `A` is asked by the compiler wherever the type is written, or a value of it made. So
/// generated code does that by what it speaks of no more (`Sound`), if the answer is no; then the only errors are those of the words that the user wrote.
pub(crate) fn asks_a_generic(ty: &Type) -> bool {
    dependency(ty).is_some_and(|(_, key)| has_arguments(key))
}

/// An associated type. Where rustc tells of a private type in it, it is where the type is that it is of, or where the struct is, if there are several.
pub(crate) fn named(name: &str, ty: &TokenStream, places: &[Span], of: &Ident) -> TokenStream {
    let place = if let [place] = places { *place } else { of.span() };
    let name = Ident::new(name, place);
    quote_spanned!(place=> type #name = #ty;)
}

/// A type that a value is made of by the names of its fields: the item that gives it a name, and the name.
pub(crate) fn made(ty: TokenStream) -> (TokenStream, TokenStream) {
    (quote!(type __CninfraMade = #ty;), quote!(__CninfraMade))
}

/// Is it this trait, by the last word of its path?
pub(crate) fn is_trait(bound: &TypeParamBound, name: &str) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Of `dyn A + B`, the second trait that is no marker: no object has two.
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

/// Can no field have it: is it made of an `impl Trait`, a `_`, or a reference without a lifetime, or a `Dep` of two interfaces, or does it name a lifetime that its
/// struct does not declare?
pub(crate) fn is_impossible(ty: &Type, generics: &Generics) -> bool {
    // most fields are a name, and asked no more
    if matches!(ty, Type::Path(path) if path.path.segments.len() == 1 && path.path.segments[0].arguments.is_none()) {
        return false;
    }
    let is_double = dependency(ty).is_some_and(|(_, key)| match ungroup(key) {
        Type::TraitObject(object) => second_trait(object).is_some(),
        _ => false,
    });
    is_double || is_never(ty) || lifetimes::undeclared(ty, generics).is_some()
}

/// Is it `impl Trait`, `_` or a reference without a lifetime, or made of one?
fn is_never(ty: &Type) -> bool {
    match ungroup(ty) {
        Type::ImplTrait(_) | Type::Infer(_) => true,
        Type::Reference(lent) => lent.lifetime.is_none() || is_never(&lent.elem),
        Type::Array(array) => matches!(array.len, Expr::Infer(_)) || is_never(&array.elem),
        Type::Slice(slice) => is_never(&slice.elem),
        Type::Ptr(pointer) => is_never(&pointer.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(is_never),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            PathArguments::AngleBracketed(arguments) => arguments
                .args
                .iter()
                .any(|argument| matches!(argument, GenericArgument::Type(inner) if is_never(inner))),
            _ => false,
        }),
        _ => false,
    }
}

/// Does the type name a parameter of the generic struct? (`Self` does.)
pub(crate) fn depends_on_parameters(ty: &Type, generics: &Generics) -> bool {
    !generics.params.is_empty()
        && (names(quote!(#ty), "Self") || generics.params.iter().any(|param| names_parameter(ty, param)))
}

fn names_parameter(ty: &Type, param: &GenericParam) -> bool {
    let name = match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    };
    names(quote!(#ty), &name.to_string())
}

/// The `$t:ty` of a `macro_rules` arrives in an invisible group.
pub(crate) fn ungroup(mut ty: &Type) -> &Type {
    loop {
        match ty {
            Type::Group(group) => ty = &group.elem,
            Type::Paren(paren) => ty = &paren.elem,
            _ => return ty,
        }
    }
}

/// Do the tokens name one of the parameters?
pub(crate) fn mentions(tokens: TokenStream, params: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => params.contains(&ident.to_string()),
        TokenTree::Group(group) => mentions(group.stream(), params),
        _ => false,
    })
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
