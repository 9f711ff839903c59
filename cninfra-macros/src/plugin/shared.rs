//! Checks the fields of a plugin that are not dependencies. Plugins are shared between threads, and so are their
//! fields. A field that cannot be is reported once, in its place. So is one that holds a plugin without `Dep`.
//!
//! Types that can never be shared are checked in the struct itself, by a constant on which the field's type depends. If
//! it fails, the compiler reports nothing more about the type, so that nothing else causes an error: neither futures
//! that borrow the plugin nor plugins that depend on it. All other types are checked in or beside the plugin's
//! constant, except for the plainest ones, which are not checked.

use crate::{
    doubt::{self, Replacement, guarded},
    krate::Krate,
    size, types,
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericArgument, Ident, ItemStruct, PathArguments, Type, spanned::Spanned as _};

use super::{arguments::Arguments, fields::Role, held, listed::Deps, local, placeholders::Placeholders, std_words};

/// Of the types that may hold a plugin, those that are empty by default.
const EMPTY: [&str; 2] = ["Option", "Vec"];

/// The checks of the fields.
#[derive(Default)]
pub(super) struct FieldChecks {
    pub(super) checks: Checks,
    /// The types that fields get in the struct.
    pub(super) replacements: Vec<Replacement>,
}

/// Checks in generated code. Most are written by the library's macros, at less cost to the compiler.
#[derive(Default)]
pub(super) struct Checks {
    /// Dependencies whose wrapper has the name of one of std's types, and must be that type.
    pub(super) std_wrappers: Vec<Type>,
    /// Statements in the plugin's constant: checks that need the type arguments of a generic plugin.
    pub(super) stated: TokenStream,
    /// Checks on which the plugin's constant depends, one constant each: if one fails, nothing more is reported about
    /// the plugin.
    pub(super) within: Vec<TokenStream>,
    /// Checks beside the plugin's constant, one constant each.
    pub(super) beside: Vec<TokenStream>,
}

impl Checks {
    /// All checks in the plugin's constant.
    pub(super) fn statements(&self, krate: &Krate) -> TokenStream {
        let Checks { std_wrappers, stated, .. } = self;
        let guards = self.within.iter().map(|check| guarded(check, "Of", quote!(()), Span::call_site(), krate));
        quote!(#(let _: <#std_wrappers as #krate::Worded>::Is;)* #stated #(let _: #guards = ();)*)
    }

    /// All checks beside it.
    pub(super) fn items(&self, krate: &Krate) -> TokenStream {
        let beside = &self.beside;
        quote!(#(const _: ::core::primitive::usize = { #[allow(unused_imports)] use #krate::IsNot as _; #beside };)*)
    }
}

impl FieldChecks {
    /// `owned`: whether the compiler sees changes of the struct. `broken`: whether the plugin is made inert because of
    /// other mistakes.
    pub(super) fn of(def: &ItemStruct, args: &Arguments, roles: &[Role], owned: bool, broken: bool) -> Self {
        let krate = &args.krate;
        let (itself, plugin, generic) = (&def.ident, def.ident.to_string(), !def.generics.params.is_empty());
        let mut this = FieldChecks::default();
        if broken && generic {
            // The plugin's parameters may be what is wrong.
            return this;
        }
        let placeholders = Placeholders::of(def);
        let mut stated = Vec::new();
        for (place, ((field, member), role)) in def.fields.iter().zip(def.fields.members()).zip(roles).enumerate() {
            let ty = &field.ty;
            // A set of dependencies is checked where it is declared.
            let listed =
                matches!(&args.deps, Some(Deps::Struct(deps)) if quote!(#deps).to_string() == quote!(#ty).to_string());
            if matches!(role, Role::Dep) && types::is_in_std_wrapper(ty) && !types::is_impossible(ty, &def.generics) {
                this.checks.std_wrappers.push(ty.clone());
            }
            if listed || matches!(role, Role::Dep) || types::dependency(ty).is_some() || is_plain(ty) {
                continue;
            }
            // rustc would report its size, too: see `refuse_itself`.
            if owned
                && matches!(role, Role::Default(None))
                && let Some(words) = option_of_itself(ty, &def.ident, krate)
            {
                let (at, name) = (krate.at(ty.span()), quote!(#member).to_string());
                let check = quote_spanned!(ty.span()=> #at::itself(true #(&& #words)*, #plugin, #name));
                this.guard(place, check, "Any", ty, krate);
                continue;
            }
            // A wrong type has been reported.
            if broken && types::is_impossible(ty, &def.generics)
                || matches!(role, Role::Refused(_)) && types::contains_word(quote!(#ty), "compile_error")
            {
                continue;
            }
            // In a generic struct, a doubted type contains its check already, which would run again.
            if generic && doubt::has_check(ty) {
                continue;
            }
            let (name, at) = (quote!(#member).to_string(), krate.at(ty.span()));
            let shared = |question| quote_spanned!(ty.span()=> #at::shared(#question, #plugin, #name));
            // An anonymous constant cannot name a parameter.
            let depends = types::depends_on_parameters(ty, &def.generics);
            // A constant that needs the plugin while the type of its field is computed would be a cycle.
            let names_itself = types::contains_word(quote!(#ty), &plugin);
            let local = local::find(ty).filter(|_| owned && !doubt::contains_given_name(ty));
            let local = local.filter(|local| local.is_decided_by_names() || !(depends || names_itself));
            let not = local.and_then(|local| local.question(&placeholders, krate));
            let is_filled = matches!(role, Role::Default(None)) && args.deps.is_none();
            let held = is_filled.then(|| held::question(ty, depends, krate)).flatten();
            if let Some(question) = &held {
                this.checks.beside.push(quote_spanned!(ty.span()=> #at::held(#question)));
            }
            if names_itself {
                if let Some(not) = not {
                    this.guard(place, shared(quote!(!(#not))), "Of", ty, krate);
                }
                continue;
            }
            let unless = not.as_ref().map(|not| quote!(|| #not));
            let mut check = shared(quote!(#at::Is::<#ty>::__SHARED #unless));
            let mut guarded = not.as_ref().map(|not| shared(quote!(!(#not))));
            if is_filled
                && held.is_none()
                && let Some(question) = without_dep(ty, krate)
            {
                let alone = quote_spanned!(ty.span()=> #at::alone(#question, #plugin, #name));
                // Only the first mistake is reported.
                let before = |check| quote_spanned!(ty.span()=> let _: ::core::primitive::usize = #alone; #check);
                if depends {
                    check = before(check);
                } else if guarded.is_some() && is_asked_in_struct(ty, itself) {
                    guarded = guarded.map(before);
                } else {
                    this.checks.beside.push(alone);
                }
            }
            if let Some(shared) = guarded {
                this.guard(place, shared, "Of", ty, krate);
            }
            if owned && !depends && size::may_be_unsized(ty) {
                // The struct checks only this: any other check of the type may lead back to the plugin.
                this.guard(place, doubt::size_check(ty, itself, &member, krate), "Any", ty, krate);
                this.checks.within.push(check);
            } else if depends {
                stated.push(check);
            } else if doubt::contains_given_name(ty) {
                // If the type is wrong, that is reported instead, and a check beside the constant hides no other
                // mistake.
                this.checks.beside.push(check);
            } else {
                this.checks.within.push(check);
            }
        }
        // `Self` is another type here than in the struct.
        for check in &mut this.checks.beside {
            if types::contains_word(check.clone(), "Self") {
                *check = types::replace_word(std::mem::take(check), "Self", &quote!(#itself));
            }
        }
        if !stated.is_empty() {
            this.checks.stated.extend(quote!(#[allow(unused_imports)] use #krate::IsNot as _; #(let _: ::core::primitive::usize = { #stated };)*));
        }
        this
    }

    /// Adds a check to a field of the struct.
    fn guard(&mut self, place: usize, check: TokenStream, pass: &str, ty: &Type, krate: &Krate) {
        let guarded = Type::Verbatim(guarded(&check, pass, quote!(#ty), ty.span(), krate));
        self.replacements.push(Replacement { place, ty: guarded, written: ty.clone() });
    }
}

/// A constant that tells whether a field holds a plugin without `Dep`, directly or in a type of std. (A plugin without
/// a default is reported like any other field that has none.)
fn without_dep(ty: &Type, krate: &Krate) -> Option<TokenStream> {
    let (mut inner, mut holders) = (ty, Vec::new());
    while let Some((holder, of)) = types::holder(inner) {
        holders.push((holder, inner));
        inner = of;
    }
    let names: Vec<_> = holders.iter().map(|(holder, _)| holder.as_str()).collect();
    let empty = names.iter().any(|name| EMPTY.contains(name));
    let question = match (empty, types::is_dyn(inner)) {
        (true, true) => "INTERFACE",
        (true, false) => "PLUGIN",
        (false, true) => return None,
        (false, false) => "TWIN",
    };
    let at = krate.at(ty.span());
    let within = match names[..] {
        // A `dyn` in an `Option` is checked for its size instead.
        [_] => question != "INTERFACE",
        [outer, inner] => EMPTY.contains(&outer) && !EMPTY.contains(&inner),
        _ => false,
    };
    // Most types need one constant, whose name contains the holders.
    if within {
        let question = format_ident!("__{question}_IN_{}", names.join("_"));
        return Some(quote_spanned!(ty.span()=> #at::Within::<#ty>::#question));
    }
    let question = format_ident!("__{question}");
    let words = holders.iter().filter_map(|(_, ty)| match types::ungroup(ty) {
        Type::Path(path) => Some(types::std_question_as_written(path, krate)),
        _ => None,
    });
    Some(quote_spanned!(ty.span()=> #at::Is::<#inner>::#question #(&& #words)*))
}

/// Whether the struct can check that: if what is held is a plain name, it does not lead back to the plugin.
fn is_asked_in_struct(mut ty: &Type, plugin: &Ident) -> bool {
    while let Some((_, of)) = types::holder(ty) {
        ty = of;
    }
    match types::ungroup(ty) {
        Type::TraitObject(_) => true,
        Type::Path(path) => path.qself.is_none() && !types::has_arguments(ty) && !types::is_itself(ty, plugin),
        _ => false,
    }
}

/// For an `Option` of the plugin itself: checks that the `Option` is std's.
fn option_of_itself(mut ty: &Type, name: &Ident, krate: &Krate) -> Option<Vec<TokenStream>> {
    let mut words = Vec::new();
    while let Type::Path(path) = types::ungroup(ty)
        && let Some((_, inner)) = types::holder(ty).filter(|(holder, _)| holder == "Option")
    {
        words.push(types::std_question(path, krate));
        ty = inner;
    }
    (!words.is_empty() && types::is_itself(ty, name)).then_some(words)
}

/// Whether the type consists only of numbers, texts, atomics, and types that hold them.
pub(super) fn is_plain(ty: &Type) -> bool {
    let Type::Path(path) = types::ungroup(ty) else { return false };
    if !types::may_be_of_std(path) {
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
    inner && std_words::is_plain(&word)
}
