//! Plugins are shared between threads: so is what they hold. What is not is told of once, on the field.
//!
//! A type that looks as if it were not is asked for in the struct itself, by a constant on which the field's type depends: where that fails, the
//! type is one that the compiler speaks of no more, so that nothing else errs for it: neither futures that borrow the plugin nor
//! plugins that depend on it. The plainest types are not asked for at all.
//!
//! Of all others that would go round in a circle where they lead back to the plugin, as types of one's own may. So the constant is beside the struct,
//! and a bound of the struct depends on it: it is looked at wherever code names the plugin, and code that names one that fails is not looked at further.
//! Whether a type is shared does not depend on bounds, so there is no circle.

use crate::{krate::Krate, types};
use proc_macro2::{TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    GenericArgument, ItemStruct, PathArguments, Type, Visibility, WherePredicate, parse_quote, spanned::Spanned as _,
};

use super::{
    arguments::{Arguments, Deps},
    fields::Role,
};

/// Types that are never shared, by their last word; no name that shared types have too, such as `Receiver`.
const LOCAL: [&str; 5] = ["Rc", "Cell", "RefCell", "UnsafeCell", "LazyCell"];

/// Traits of std whose `dyn` is not shared unless it says so.
const UNSHARED: [&str; 7] = ["Any", "Error", "Fn", "FnMut", "FnOnce", "Future", "Iterator"];

/// Types that are, if what they hold is: of these alone nothing is asked, since a question costs the compiler more than the field itself.
const PLAIN: [&str; 34] = [
    "bool",
    "char",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "str",
    "String",
    "Arc",
    "BTreeMap",
    "BTreeSet",
    "Box",
    "Duration",
    "HashMap",
    "HashSet",
    "Instant",
    "Mutex",
    "OnceLock",
    "Option",
    "PathBuf",
    "RwLock",
    "SystemTime",
    "Vec",
    "VecDeque",
];

/// What asks whether the fields are shared.
#[derive(Default)]
pub(super) struct Shared {
    /// For the plugin's constant.
    pub(super) asked: TokenStream,
    /// A type that is one if all of these fields are shared: the struct's bound depends on it.
    held: Option<TokenStream>,
    /// Fields, by place, and the types that they get in the struct.
    guarded: Vec<(usize, Type)>,
}

impl Shared {
    /// `owned`: what is changed of the struct is seen by the compiler.
    pub(super) fn of(def: &ItemStruct, args: &Arguments, roles: &[Role], owned: bool) -> Self {
        let krate = &args.krate;
        let (plugin, generic) = (def.ident.to_string(), !def.generics.params.is_empty());
        let mut this = Shared::default();
        let mut all = Vec::new();
        for (place, ((field, member), role)) in def.fields.iter().zip(def.fields.members()).zip(roles).enumerate() {
            let ty = &field.ty;
            // what it depends on is asked where that is declared
            let listed =
                matches!(&args.deps, Some(Deps::Struct(deps)) if quote!(#deps).to_string() == quote!(#ty).to_string());
            if listed || matches!(role, Role::Dep) || types::dependency(ty).is_some() || is_plain(ty) {
                continue;
            }
            // a constant that asks for the plugin while its field's type is worked out would go round in a circle
            if types::names(quote!(#ty), &plugin) {
                continue;
            }
            let is_default = !generic && matches!(role, Role::Default(None)) && args.deps.is_none();
            let question = Question {
                ty,
                alone: alone(ty).filter(|_| is_default),
                plugin: &plugin,
                field: quote!(#member).to_string(),
                krate,
            };
            // of a parameter, the struct does not say that it is shared
            if generic || !owned {
                all.push(question.plain());
            } else if looks_local(quote!(#ty)) {
                this.guarded.push((place, Type::Verbatim(guard(question.plain(), quote!(#ty), krate))));
            // what is read from a file is hardly ever not shared, and most plugins have such a field: the bound costs more than the question
            } else if matches!(role, Role::Config(_)) || types::names(quote!(#ty), "Self") {
                all.push(question.plain());
            } else {
                let held = this.held.take().unwrap_or_else(|| quote!(()));
                this.held = Some(guard(question.held(), held, krate));
            }
        }
        if generic && !all.is_empty() {
            // an anonymous constant can not name a parameter
            this.asked = quote!(#[allow(unused_imports)] use #krate::IsNot as _; #(#all;)*);
        } else {
            // one for each field, so that each is told of
            let guards = all.into_iter().map(|ask| guard(ask, quote!(()), krate));
            this.asked = quote!(#(let _: #guards = ();)*);
        }
        this
    }

    /// Puts the guards into the struct, and gives its bound with what that depends on.
    pub(super) fn guard(self, def: &mut ItemStruct, krate: &Krate) -> Option<Bound> {
        let mut fields: Vec<_> = def.fields.iter_mut().collect();
        for (place, ty) in self.guarded {
            fields[place].ty = ty;
        }
        let (name, held) = (&def.ident, self.held?);
        let fulfilled = quote! {
            #[automatically_derived]
            #[doc(hidden)]
            impl #krate::Whole for #name where #held: #krate::Anything {}
        };
        Some(Bound { bound: parse_quote!(#name: #krate::Whole), fulfilled })
    }
}

/// A bound of the struct.
pub(super) struct Bound {
    bound: WherePredicate,
    /// The impl that it asks for.
    pub(super) fulfilled: TokenStream,
}

impl Bound {
    /// The struct with it. In documentation, which it says nothing to, a public one is without.
    pub(super) fn put(self, def: &ItemStruct, write: impl Fn(&ItemStruct) -> TokenStream) -> TokenStream {
        let mut bounded = def.clone();
        bounded.generics.make_where_clause().predicates.push(self.bound);
        // that depends on no parameter, as is meant
        bounded.attrs.push(parse_quote!(#[allow(trivial_bounds)]));
        let bounded = write(&bounded);
        if matches!(def.vis, Visibility::Inherited) {
            return bounded;
        }
        let plain = write(def);
        quote!(#[cfg(not(doc))] #bounded #[cfg(doc)] #plain)
    }
}

/// What is asked of one field.
struct Question<'a> {
    ty: &'a Type,
    /// What may be a plugin without `Dep`.
    alone: Option<(&'static str, &'a Type)>,
    plugin: &'a str,
    field: String,
    krate: &'a Krate,
}

impl Question<'_> {
    /// Of the type, by its name.
    fn plain(&self) -> TokenStream {
        let Question { ty, .. } = self;
        let at = self.krate.at(ty.span());
        let shared = quote_spanned!(ty.span()=> #at::Is::<#ty>::SHARED);
        let alone = self.alone.map(|(question, inner)| {
            let question = format_ident!("{question}");
            quote_spanned!(ty.span()=> #at::Is::<#inner>::#question)
        });
        self.ask(shared, alone)
    }

    /// Of what stands for it.
    fn held(&self) -> TokenStream {
        let Question { ty, krate, .. } = self;
        let at = krate.at(ty.span());
        let inner = self.alone.map_or_else(|| quote!(()), |(_, inner)| quote!(#inner));
        // of what lacks its lifetime, nothing is known
        let shared = quote_spanned!(ty.span()=> !#at::Is::<__Held>::HELD || #at::Is::<__Held>::HELD_SHARED);
        let alone = self.alone.map(|(question, _)| {
            let question = format_ident!("HELD_{question}");
            quote_spanned!(ty.span()=> #at::Is::<__Held>::#question)
        });
        let ask = self.ask(shared, alone);
        quote! {
            enum __Held {}
            impl #krate::Holds for __Held {
                type Field = fn(#ty, #inner);
            }
            #ask
        }
    }

    fn ask(&self, shared: TokenStream, alone: Option<TokenStream>) -> TokenStream {
        let Question { ty, plugin, field, krate, .. } = self;
        let at = krate.at(ty.span());
        let alone = alone.map(|alone| quote_spanned!(ty.span()=> #at::alone(#alone, #plugin, #field);));
        quote_spanned!(ty.span()=> #alone #at::shared(#shared, #plugin, #field))
    }
}

/// The type, if the constant can be evaluated.
fn guard(constant: TokenStream, ty: TokenStream, krate: &Krate) -> TokenStream {
    quote!(<#krate::Sound<{ #[allow(unused_imports)] use #krate::IsNot as _; #constant }> as #krate::Pass>::Of<#ty>)
}

/// What tells that a field holds a plugin without `Dep`. (A plugin that has no default is told of as any such field is.)
fn alone(mut ty: &Type) -> Option<(&'static str, &Type)> {
    let mut empty = false;
    while let Some((wrapper, inner)) = types::holder(ty) {
        empty |= wrapper == "Option" || wrapper == "Vec";
        ty = inner;
    }
    let question = match (empty, types::is_dyn(ty)) {
        (true, true) => "INTERFACE",
        (true, false) => "PLUGIN",
        (false, true) => return None,
        (false, false) => "TWIN",
    };
    Some((question, ty))
}

/// Is it made of numbers, texts, atomics, and what holds them?
pub(super) fn is_plain(ty: &Type) -> bool {
    let Type::Path(path) = types::ungroup(ty) else { return false };
    if path.qself.is_some() {
        return false;
    }
    let Some(last) = path.path.segments.last() else { return false };
    let word = last.ident.to_string();
    let inner = match &last.arguments {
        PathArguments::None => true,
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().all(|argument| matches!(argument, GenericArgument::Type(inner) if is_plain(inner)))
        }
        PathArguments::Parenthesized(_) => false,
    };
    inner && (PLAIN.contains(&word.as_str()) || word.starts_with("Atomic"))
}

/// Names it something that is not shared, a pointer, or a `dyn Trait` that does not say that it is?
fn looks_local(tokens: TokenStream) -> bool {
    let words = |tokens: TokenStream, word: &str| {
        tokens.into_iter().any(|token| matches!(&token, TokenTree::Ident(ident) if ident == word))
    };
    let shared = words(tokens.clone(), "Send") && words(tokens.clone(), "Sync");
    let unshared = !shared && UNSHARED.iter().any(|word| words(tokens.clone(), word));
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            let word = ident.to_string();
            LOCAL.contains(&word.as_str()) || (word == "dyn" && unshared)
        }
        TokenTree::Punct(punct) => punct.as_char() == '*',
        TokenTree::Group(group) => looks_local(group.stream()),
        TokenTree::Literal(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::source::Source;
    use quote::quote;
    use syn::{File, Item};

    /// The structs of what the attribute makes of one: their first attribute, and whether they have bounds.
    fn structs(item: proc_macro2::TokenStream) -> Vec<(Option<String>, bool)> {
        let file: File = syn::parse2(super::super::expand(quote!(), item, &Source::default())).unwrap();
        let of = |item| match item {
            Item::Struct(def) => {
                let first = def.attrs.first().map(|attribute| quote!(#attribute).to_string().replace(' ', ""));
                Some((first, def.generics.where_clause.is_some()))
            }
            _ => None,
        };
        file.items.into_iter().filter_map(of).collect()
    }

    #[test]
    fn a_bound_is_only_where_it_is_needed_and_not_in_documentation() {
        assert_eq!(
            structs(quote!(
                pub struct A {
                    one: Dep<B>,
                    two: Arc<str>,
                    three: Mutex<u32>,
                    #[config]
                    four: Own,
                }
            )),
            [(None, false)]
        );
        let allowed = Some("#[allow(trivial_bounds)]".to_string());
        assert_eq!(
            structs(quote!(
                struct A {
                    own: Own,
                }
            )),
            [(allowed, true)]
        );
        let both = [(Some("#[cfg(not(doc))]".to_string()), true), (Some("#[cfg(doc)]".to_string()), false)];
        assert_eq!(
            structs(quote!(
                pub struct A {
                    own: Own,
                }
            )),
            both
        );
    }
}
