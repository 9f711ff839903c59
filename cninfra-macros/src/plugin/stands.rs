//! Which type a word means, asked in the struct itself: there a constant can not name the parameters of a generic one, and so another type, that has what
//! is asked of a parameter, stands for each.

use super::std_words;
use crate::{krate::Krate, types};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericParam, Ident, ItemStruct, TypeParamBound, TypePath, WherePredicate};

/// What every parameter has.
const ALL: [&str; 5] = ["Key", "Send", "Sync", "Sized", "Unpin"];

/// What `Anything` of the library has beside these, and parameters may be asked for.
const KNOWN: [&str; 9] = ["Default", "Clone", "Copy", "Debug", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

/// What points to plugins.
const POINTERS: [&str; 3] = ["Arc", "Dep", "Weak"];

/// What paths of std's begin with.
const LEADING: [&str; 8] = ["std", "core", "alloc", "cell", "rc", "sync", "collections", "dyn"];

/// The struct in which is asked.
pub(super) struct Stands<'a> {
    def: &'a ItemStruct,
    /// Its parameters of which nothing is asked but what is known.
    known: Vec<&'a Ident>,
    /// The others.
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

    /// Is the path the type of std that its last word names? None where that can not be asked: if what may be an alias is of a parameter of which more is
    /// asked than is known.
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

    /// Does it point to what may be another plugin? To ask of that whether it may be pointed to is to ask for its last field, which may ask for this plugin.
    fn points_to_others(&self, path: &TypePath) -> bool {
        let is_of_std = |word: &Ident| {
            let text = word.to_string();
            std_words::is_plain(&text)
                || std_words::is_looked_into(&text)
                || POINTERS.contains(&text.as_str())
                || LEADING.contains(&text.as_str())
                // a constant
                || text.len() > 1 && !text.contains(|letter: char| letter.is_lowercase())
                || self.known.contains(&word)
        };
        types::any_word(quote!(#path), &|word| POINTERS.iter().any(|pointer| word == pointer))
            && types::any_word(quote!(#path), &|word| !is_of_std(word))
    }

    /// The tokens, with what stands for the parameters. (Not a word of a path, nor the name of an associated type.)
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

/// The arguments of a generic plugin, if nothing is asked of its parameters but what all have.
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

/// Is it a bound that is fulfilled by what stands for the parameter?
fn is_known(bound: &TypeParamBound) -> bool {
    is_of_all(bound) || KNOWN.iter().any(|name| types::is_trait(bound, name))
}

/// Is more asked of the parameter, in a `where` clause?
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
        // of what more is asked nothing stands for, and a word may be an alias that asks for it
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
