//! Lifetimes that a field's type names, but its struct does not declare.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericArgument, Generics, Lifetime, PathArguments, Type, TypeParamBound, spanned::Spanned as _};

/// The place of the first such lifetime, and the type with `'static` instead of each.
pub(crate) fn undeclared(ty: &Type, generics: &Generics) -> Option<(Span, Type)> {
    if !may_contain_lifetime(ty) {
        return None;
    }
    let declared = generics.lifetimes().map(|param| param.lifetime.ident.to_string()).collect();
    let (tokens, found) = with_static(quote!(#ty), declared);
    found.map(|span| (span, syn::parse2(tokens.clone()).unwrap_or(Type::Verbatim(tokens))))
}

/// Makes each reference without a lifetime `'static`, and returns the place of the first. (In function types, such
/// references are correct.)
pub(crate) fn make_static(ty: &mut Type) -> Option<Span> {
    match ty {
        Type::Reference(lent) => {
            let found = lent.lifetime.is_none().then(|| lent.and_token.span());
            lent.lifetime.get_or_insert_with(|| Lifetime::new("'static", lent.and_token.span()));
            let within = make_static(&mut lent.elem);
            found.or(within)
        }
        Type::Group(group) => make_static(&mut group.elem),
        Type::Paren(paren) => make_static(&mut paren.elem),
        Type::Slice(slice) => make_static(&mut slice.elem),
        Type::Array(array) => make_static(&mut array.elem),
        Type::Ptr(pointer) => make_static(&mut pointer.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().fold(None, |first, inner| first.or(make_static(inner))),
        Type::Path(path) => {
            let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else {
                return None;
            };
            arguments.args.iter_mut().fold(None, |first, argument| match argument {
                GenericArgument::Type(inner) => first.or(make_static(inner)),
                _ => first,
            })
        }
        _ => None,
    }
}

/// Whether the type may name a lifetime. Most types do not, and are not searched token by token.
fn may_contain_lifetime(ty: &Type) -> bool {
    let in_path = |path: &syn::Path| {
        path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::None => false,
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(|argument| match argument {
                GenericArgument::Type(inner) => may_contain_lifetime(inner),
                _ => true,
            }),
            PathArguments::Parenthesized(_) => true,
        })
    };
    match ty {
        Type::Path(path) => path.qself.is_some() || in_path(&path.path),
        Type::TraitObject(object) => object.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => bound.lifetimes.is_some() || in_path(&bound.path),
            _ => true,
        }),
        // What a macro expands to is not known.
        Type::Macro(_) => false,
        Type::Group(group) => may_contain_lifetime(&group.elem),
        Type::Paren(paren) => may_contain_lifetime(&paren.elem),
        _ => true,
    }
}

/// The tokens with `'static` instead of each lifetime that is not declared, and the place of the first of these.
fn with_static(tokens: TokenStream, mut declared: Vec<String>) -> (TokenStream, Option<Span>) {
    // `for<'a> fn(&'a str)` declares a lifetime for what follows.
    let mut declares = false;
    // What a macro makes of its tokens is not known.
    let mut of_macro = false;
    let (mut out, mut found) = (TokenStream::new(), None);
    let mut tokens = tokens.into_iter();
    while let Some(mut token) = tokens.next() {
        let is_of_macro =
            std::mem::replace(&mut of_macro, matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '!'));
        match &token {
            TokenTree::Ident(word) => declares = word == "for",
            TokenTree::Punct(punct) if punct.as_char() == '>' => declares = false,
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                out.extend([token]);
                let Some(TokenTree::Ident(mut name)) = tokens.next() else { continue };
                let text = name.to_string();
                if declares {
                    declared.push(text);
                } else if text != "static" && text != "_" && !declared.contains(&text) {
                    found = found.or(Some(name.span()));
                    name = Ident::new("static", name.span());
                }
                token = name.into();
            }
            // A block is code: it has labels, and functions with their own lifetimes.
            TokenTree::Group(group) if !is_of_macro && group.delimiter() != Delimiter::Brace => {
                let (inner, within) = with_static(group.stream(), declared.clone());
                let mut replaced = Group::new(group.delimiter(), inner);
                replaced.set_span(group.span());
                found = found.or(within);
                token = replaced.into();
            }
            _ => {}
        }
        out.extend([token]);
    }
    (out, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn lifetimes_that_are_not_declared_are_seen() {
        let generics: Generics = parse_quote!(<'a, T>);
        let is = |ty: Type| undeclared(&ty, &generics).is_some();
        let wrong: [Type; 4] = [
            parse_quote!(&'b str),
            parse_quote!(Cow<'b, str>),
            parse_quote!((u8, [&'b str; 2])),
            parse_quote!(Box<dyn for<'c> Fn(&'c str) -> &'b str>),
        ];
        assert!(wrong.into_iter().all(is));
        let right: [Type; 9] = [
            parse_quote!(&'a str),
            parse_quote!(Cow<'static, str>),
            parse_quote!(for<'b> fn(&'b str) -> Cow<'b, str>),
            parse_quote!(Option<Box<dyn for<'b, 'c> Fn(&'b str, &'c str) -> &'c [u8] + Send + 'static>>),
            parse_quote!(fn(&'_ str)),
            parse_quote!(
                [u8; {
                    let c = 'b';
                    c as usize
                }]
            ),
            parse_quote!(
                [u8; {
                    const fn len<'b>(text: &'b str) -> usize {
                        text.len()
                    }
                    len("b")
                }]
            ),
            parse_quote!(
                Ring<
                    {
                        'b: loop {
                            break 'b 4;
                        }
                    },
                >
            ),
            parse_quote!((made!['b], u8)),
        ];
        assert!(!right.into_iter().any(is));
    }
}
