//! Checks, in the struct itself, which type a name means. A constant there cannot name the parameters of a generic
//! struct, so another type, which meets their bounds, stands for each.

use super::std_words;
use crate::{krate::Krate, types};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericParam, Ident, ItemStruct, TypeParamBound, TypePath, WherePredicate};

/// The bounds that every parameter meets.
const ALL: [&str; 5] = ["Key", "Send", "Sync", "Sized", "Unpin"];

/// Further bounds that parameters may have, and that the library's `Anything` meets.
const KNOWN: [&str; 9] = ["Default", "Clone", "Copy", "Debug", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

/// Types that point to plugins.
const POINTERS: [&str; 3] = ["Arc", "Dep", "Weak"];

/// Words in the paths of std's types, and `dyn`.
const LEADING: [&str; 8] = ["std", "core", "alloc", "cell", "rc", "sync", "collections", "dyn"];

/// The struct that contains the check.
pub(super) struct Stands<'a> {
    def: &'a ItemStruct,
    /// The parameters all of whose bounds `Anything` meets.
    known: Vec<&'a Ident>,
    /// The other parameters.
    unknown: Vec<&'a Ident>,
}

impl<'a> Stands<'a> {
    pub(super) fn of(def: &'a ItemStruct) -> Self {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for param in &def.generics.params {
            match param {
                GenericParam::Type(param)
                    if param.bounds.iter().all(is_known) && !is_bound(def, &param.ident, is_known) =>
                {
                    known.push(&param.ident);
                }
                GenericParam::Type(param) => unknown.push(&param.ident),
                GenericParam::Const(param) => unknown.push(&param.ident),
                GenericParam::Lifetime(param) => unknown.push(&param.lifetime.ident),
            }
        }
        Stands { def, known, unknown }
    }

    /// A constant that tells whether the path is the type of std that its last word names. `None` if that cannot be
    /// checked: the path may be an alias, and it names a parameter with a bound that `Anything` may not meet.
    pub(super) fn is_of_std(&self, path: &TypePath, krate: &Krate) -> Option<TokenStream> {
        let name = |word: &str| types::names(quote!(#path), word);
        let is_unknown = self.unknown.iter().any(|param| name(&param.to_string()));
        if is_unknown && !types::starts_in_std(&path.path) {
            return None;
        }
        if is_unknown || name("Self") || name(&self.def.ident.to_string()) || self.points_to_others(path) {
            return Some(types::is_of_std(path, krate));
        }
        let Ok(path) = syn::parse2(self.with_anything(quote!(#path), krate)) else { return None };
        Some(types::given_of_std(&path, krate))
    }

    /// Whether the type may point to another plugin. To know whether it can, the compiler needs the type of that
    /// plugin's last field, which may lead back to this plugin.
    fn points_to_others(&self, path: &TypePath) -> bool {
        let is_of_std = |word: &Ident| {
            let text = word.to_string();
            std_words::is_plain(&text)
                || std_words::is_looked_into(&text)
                || POINTERS.contains(&text.as_str())
                || LEADING.contains(&text.as_str())
                // A constant.
                || text.len() > 1 && !text.contains(|letter: char| letter.is_lowercase())
                || self.known.contains(&word)
        };
        types::any_word(quote!(#path), &|word| POINTERS.iter().any(|pointer| word == pointer))
            && types::any_word(quote!(#path), &|word| !is_of_std(word))
    }

    /// The tokens, with `Anything` for each parameter. Later words of a path, and names of associated types, stay as
    /// they are.
    fn with_anything(&self, tokens: TokenStream, krate: &Krate) -> TokenStream {
        if self.known.is_empty() {
            return tokens;
        }
        let (mut out, mut in_path) = (TokenStream::new(), false);
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let is_next = |is: char, next: Option<&TokenTree>| matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == is);
            match token {
                TokenTree::Ident(word)
                    if !in_path && self.known.iter().any(|param| word == **param) && !is_next('=', tokens.peek()) =>
                {
                    let at = krate.at(word.span());
                    out.extend(quote!(#at::Anything));
                    in_path = false;
                }
                TokenTree::Group(group) => {
                    let mut within = Group::new(group.delimiter(), self.with_anything(group.stream(), krate));
                    within.set_span(group.span());
                    out.extend([TokenTree::Group(within)]);
                    in_path = false;
                }
                token => {
                    in_path = is_next(':', Some(&token));
                    out.extend([token]);
                }
            }
        }
        out
    }
}

/// The type arguments for a generic plugin, if its parameters have no bounds but those that all parameters meet.
pub(super) fn of_keys(def: &ItemStruct, krate: &Krate) -> Option<Vec<TokenStream>> {
    let stands = |param: &GenericParam| match param {
        GenericParam::Type(param) if param.bounds.iter().all(is_of_all) && !is_bound(def, &param.ident, is_of_all) => {
            Some(quote!(#krate::Parameter))
        }
        _ => None,
    };
    def.generics.params.iter().map(stands).collect()
}

fn is_of_all(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Lifetime(_)) || ALL.iter().any(|name| types::is_trait(bound, name))
}

/// Whether `Anything` meets the bound.
fn is_known(bound: &TypeParamBound) -> bool {
    is_of_all(bound) || KNOWN.iter().any(|name| types::is_trait(bound, name))
}

/// Whether a `where` clause requires more of the parameter.
fn is_bound(def: &ItemStruct, param: &Ident, is_little: fn(&TypeParamBound) -> bool) -> bool {
    def.generics.where_clause.iter().flat_map(|clause| &clause.predicates).any(|predicate| match predicate {
        WherePredicate::Type(of) => types::names(quote!(#of), &param.to_string()) && !of.bounds.iter().all(is_little),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn asked(def: &ItemStruct, path: &TypePath) -> Option<String> {
        Some(Stands::of(def).is_of_std(path, &Krate::default())?.to_string())
    }

    #[test]
    fn what_stands_for_parameters_has_what_is_asked_of_them() {
        let def: ItemStruct = parse_quote!(
            struct A<T: Key + Clone, U, V>
            where
                U: ?Sized,
                V: Codec;
        );
        let told = |path| asked(&def, &path).unwrap_or_default();
        let all = told(parse_quote!(Rc<(T, Dyn<U = [U]>, own::T)>));
        assert!(all.contains("Anything , Dyn < U = [") && all.contains("own :: T"), "{all}");
        assert_eq!(all.matches("Anything").count(), 2, "{all}");
        // Nothing stands for a parameter with an unknown bound, and a name may be an alias with that bound.
        assert_eq!(asked(&def, &parse_quote!(Rc<V>)), None);
        assert!(told(parse_quote!(std::rc::Rc<V>)).contains("'__x"));
        assert_eq!(of_keys(&def, &Krate::default()).map(|all| all.len()), None);
        let all = of_keys(
            &parse_quote!(
                struct A<T, U: Key + Send>;
            ),
            &Krate::default(),
        );
        assert_eq!(all.map(|all| all.len()), Some(2));
    }

    #[test]
    fn what_may_lead_back_is_not_asked_for() {
        let def: ItemStruct = parse_quote!(
            struct A;
        );
        let is_asked = |path| asked(&def, &path).is_some_and(|asked| !asked.contains("'__x"));
        let asked: [TypePath; 4] = [
            parse_quote!(Weak<u8>),
            parse_quote!(Weak<ROOM>),
            parse_quote!(Mutex<Vec<std::rc::Weak<String>>>),
            parse_quote!(Cell<Config>),
        ];
        assert!(asked.into_iter().all(is_asked));
        let by_word: [TypePath; 4] =
            [parse_quote!(Weak<B>), parse_quote!(OnceCell<Dep<B>>), parse_quote!(Rc<Self>), parse_quote!(RefCell<A>)];
        assert!(!by_word.into_iter().any(is_asked));
    }
}
