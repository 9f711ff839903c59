//! A `Dep` in a container that is no way to ask for dependencies: the field would be filled with its default, which is empty, and nobody would
//! see it. Only containers that nothing is put into later: a `Mutex` or a `OnceLock` may well begin empty.

use crate::{ctxt::Ctxt, types};
use syn::{GenericArgument, PathArguments, Type, spanned::Spanned as _};

/// What is empty by default.
const EMPTY: [&str; 7] = ["BTreeMap", "BTreeSet", "HashMap", "HashSet", "Option", "Vec", "VecDeque"];
/// What is as empty as what it holds.
const AROUND: [&str; 2] = ["Arc", "Box"];

pub(super) fn refuse(ty: &Type, cx: &mut Ctxt) {
    if holds(ty, false) {
        cx.error(
            ty.span(),
            "CN033: plugins are not asked for in this way: the field would hold its default, which is empty\n= help: a dependency is `Dep<Plugin>`, \
             `Dep<dyn Interface>`, `Option<Dep<..>>` or `Vec<Dep<dyn Interface>>`; if the default is meant: `#[default(Default::default())]`",
        );
    }
}

/// Holds it a `Dep`, and nothing by default? `empty`: what stands around it is.
fn holds(ty: &Type, empty: bool) -> bool {
    if let Type::Tuple(tuple) = types::ungroup(ty) {
        return tuple.elems.iter().any(|inner| holds(inner, empty));
    }
    let Type::Path(path) = types::ungroup(ty) else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
    let word = last.ident.to_string();
    if word == "Dep" {
        // one of two is another type
        return empty && arguments.args.len() == 1;
    }
    let is_empty = EMPTY.contains(&word.as_str());
    if !types::may_be_of_std(path) || !(is_empty || AROUND.contains(&word.as_str())) {
        return false;
    }
    arguments.args.iter().any(|inner| matches!(inner, GenericArgument::Type(inner) if holds(inner, empty || is_empty)))
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
        let told: Vec<_> = wrong.iter().map(|ty| holds(ty, false)).collect();
        assert_eq!(told, [true, true, false, true]);
        let right: [Type; 6] = [
            parse_quote!(OnceLock<Dep<A>>),
            parse_quote!(Mutex<Vec<Dep<A>>>),
            parse_quote!(Vec<fn(Dep<A>)>),
            // others of these names
            parse_quote!(own::HashMap<str, Dep<A>>),
            parse_quote!(Vec<own::Dep<A, B>>),
            // it has no default, which is told of as such
            parse_quote!(Arc<Dep<A>>),
        ];
        assert!(!right.iter().any(|ty| holds(ty, false)));
    }
}
