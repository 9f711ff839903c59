//! Checks, in the struct itself, which type a name means. A constant there cannot name the parameters of a generic
//! struct, so another type, which meets their bounds, stands for each.

use super::std_words;
use crate::{krate::Krate, types};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericParam, Ident, ItemStruct, TypeParamBound, TypePath, WherePredicate};

/// The bounds that every parameter meets.
const MET_BY_ALL: [&str; 5] = ["Key", "Send", "Sync", "Sized", "Unpin"];

/// Further bounds that parameters may have, and that the library's `Anything` meets.
const MET_BY_ANYTHING: [&str; 9] =
    ["Default", "Clone", "Copy", "Debug", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

/// Types that point to plugins.
const POINTERS: [&str; 3] = ["Arc", "Dep", "Weak"];

/// Words in the paths of std's types, and `dyn`.
const PATH_WORDS: [&str; 8] = ["std", "core", "alloc", "cell", "rc", "sync", "collections", "dyn"];

/// The struct that contains the check.
pub(super) struct Placeholders<'a> {
    def: &'a ItemStruct,
    /// The parameters all of whose bounds `Anything` meets.
    replaceable: Vec<&'a Ident>,
    /// The other parameters.
    others: Vec<&'a Ident>,
}

impl<'a> Placeholders<'a> {
    pub(super) fn of(def: &'a ItemStruct) -> Self {
        let (mut replaceable, mut others) = (Vec::new(), Vec::new());
        for param in &def.generics.params {
            match param {
                GenericParam::Type(param)
                    if param.bounds.iter().all(is_met_by_anything)
                        && !has_further_bounds(def, &param.ident, is_met_by_anything) =>
                {
                    replaceable.push(&param.ident);
                }
                GenericParam::Type(param) => others.push(&param.ident),
                GenericParam::Const(param) => others.push(&param.ident),
                GenericParam::Lifetime(param) => others.push(&param.lifetime.ident),
            }
        }
        Placeholders { def, replaceable, others }
    }

    /// A constant that tells whether the path is the type of std that its last word names. `None` if that cannot be
    /// checked: the path may be an alias, and it names a parameter with a bound that `Anything` may not meet.
    pub(super) fn std_question(&self, path: &TypePath, krate: &Krate) -> Option<TokenStream> {
        let name = |word: &str| types::contains_word(quote!(#path), word);
        let names_another = self.others.iter().any(|param| name(&param.to_string()));
        if names_another && !types::starts_in_std(&path.path) {
            return None;
        }
        if names_another || name("Self") || name(&self.def.ident.to_string()) || self.points_to_others(path) {
            return Some(types::std_question(path, krate));
        }
        let Ok(path) = syn::parse2(self.with_anything(quote!(#path), krate)) else { return None };
        Some(types::std_question_as_written(&path, krate))
    }

    /// Whether the type may point to another plugin. To know whether it can, the compiler needs the type of that
    /// plugin's last field, which may lead back to this plugin.
    fn points_to_others(&self, path: &TypePath) -> bool {
        let is_of_std = |word: &Ident| {
            let text = word.to_string();
            std_words::is_plain(&text)
                || std_words::is_looked_into(&text)
                || POINTERS.contains(&text.as_str())
                || PATH_WORDS.contains(&text.as_str())
                // A constant.
                || text.len() > 1 && !text.contains(|letter: char| letter.is_lowercase())
                || self.replaceable.contains(&word)
        };
        types::has_word_that(quote!(#path), &|word| POINTERS.iter().any(|pointer| word == pointer))
            && types::has_word_that(quote!(#path), &|word| !is_of_std(word))
    }

    /// The tokens, with `Anything` for each parameter. Later words of a path, and names of associated types, stay as
    /// they are.
    fn with_anything(&self, tokens: TokenStream, krate: &Krate) -> TokenStream {
        if self.replaceable.is_empty() {
            return tokens;
        }
        let (mut out, mut in_path) = (TokenStream::new(), false);
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let is_next = |is: char, next: Option<&TokenTree>| matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == is);
            match token {
                TokenTree::Ident(word)
                    if !in_path
                        && self.replaceable.iter().any(|param| word == **param)
                        && !is_next('=', tokens.peek()) =>
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
pub(super) fn arguments(def: &ItemStruct, krate: &Krate) -> Option<Vec<TokenStream>> {
    let argument = |param: &GenericParam| match param {
        GenericParam::Type(param)
            if param.bounds.iter().all(is_met_by_all) && !has_further_bounds(def, &param.ident, is_met_by_all) =>
        {
            Some(quote!(#krate::Parameter))
        }
        _ => None,
    };
    def.generics.params.iter().map(argument).collect()
}

fn is_met_by_all(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Lifetime(_)) || MET_BY_ALL.iter().any(|name| types::is_trait(bound, name))
}

/// Whether `Anything` meets the bound.
fn is_met_by_anything(bound: &TypeParamBound) -> bool {
    is_met_by_all(bound) || MET_BY_ANYTHING.iter().any(|name| types::is_trait(bound, name))
}

/// Whether a `where` clause requires more of the parameter.
fn has_further_bounds(def: &ItemStruct, param: &Ident, is_met: fn(&TypeParamBound) -> bool) -> bool {
    def.generics.where_clause.iter().flat_map(|clause| &clause.predicates).any(|predicate| match predicate {
        WherePredicate::Type(of) => {
            types::contains_word(quote!(#of), &param.to_string()) && !of.bounds.iter().all(is_met)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn asked(def: &ItemStruct, path: &TypePath) -> Option<String> {
        Some(Placeholders::of(def).std_question(path, &Krate::default())?.to_string())
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
        assert_eq!(arguments(&def, &Krate::default()).map(|all| all.len()), None);
        let all = arguments(
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
