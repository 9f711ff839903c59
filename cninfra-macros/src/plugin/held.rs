//! Finds a `Dep` in a container that is not a way to ask for dependencies: the field would be filled with its default,
//! which is empty, and nobody would notice. Only containers that are not filled later count: a `Mutex` or a `OnceLock`
//! may well start empty.

use crate::{krate::Krate, types};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, PathArguments, Type, TypePath};

/// Containers that are empty by default.
const EMPTY: [&str; 7] = ["BTreeMap", "BTreeSet", "HashMap", "HashSet", "Option", "Vec", "VecDeque"];
/// Pointers, whose default is empty if that of their content is.
const AROUND: [&str; 2] = ["Arc", "Box"];

/// A constant that tells whether the type is such a container: the compiler decides, since another type may have the
/// same name. `depends`: whether the type names something that a constant cannot name.
pub(super) fn question(ty: &Type, depends: bool, krate: &Krate) -> Option<TokenStream> {
    let ask = if depends { types::std_question } else { types::std_question_as_written };
    let words = containers(ty, false)?.into_iter().map(|path| ask(path, krate));
    Some(quote!(true #(&& #words)*))
}

/// The containers around a `Dep`, if the type holds nothing by default as long as they are std's. `empty`: whether a
/// container further out is empty by default.
fn containers(ty: &Type, empty: bool) -> Option<Vec<&TypePath>> {
    if let Type::Tuple(tuple) = types::ungroup(ty) {
        return tuple.elems.iter().find_map(|inner| containers(inner, empty));
    }
    let Type::Path(path) = types::ungroup(ty) else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let word = last.ident.to_string();
    if word == "Dep" {
        // A `Dep` with two arguments is another type.
        return (empty && arguments.args.len() == 1).then(Vec::new);
    }
    let is_empty = EMPTY.contains(&word.as_str());
    if !types::may_be_of_std(path) || !(is_empty || AROUND.contains(&word.as_str())) {
        return None;
    }
    let mut words = arguments.args.iter().find_map(|inner| match inner {
        GenericArgument::Type(inner) => containers(inner, empty || is_empty),
        _ => None,
    })?;
    words.push(path);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn what_would_be_empty_for_ever_is_known() {
        let wrong: [Type; 4] = [
            parse_quote!(Option<Vec<Dep<dyn I>>>),
            parse_quote!(std::collections::HashMap<String, cninfra::Dep<A>>),
            parse_quote!(Arc<[u8]>),
            parse_quote!(Vec<(String, Box<Dep<A>>)>),
        ];
        let told: Vec<_> = wrong.iter().map(|ty| containers(ty, false).is_some()).collect();
        assert_eq!(told, [true, true, false, true]);
        let right: [Type; 6] = [
            parse_quote!(OnceLock<Dep<A>>),
            parse_quote!(Mutex<Vec<Dep<A>>>),
            parse_quote!(Vec<fn(Dep<A>)>),
            // Other types with these names.
            parse_quote!(own::HashMap<str, Dep<A>>),
            parse_quote!(Vec<own::Dep<A, B>>),
            // It has no default, which is another error.
            parse_quote!(Arc<Dep<A>>),
        ];
        assert!(!right.iter().any(|ty| containers(ty, false).is_some()));
    }
}
