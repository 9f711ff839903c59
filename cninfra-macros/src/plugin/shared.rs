//! Plugins are shared between threads: so is what they hold. What is not is told of once, on the field.
//!
//! A type that can not be is asked for in the struct itself, by a constant on which the field's type depends: where that fails, the
//! type is one that the compiler speaks of no more, so that nothing else errs for it: neither futures that borrow the plugin nor
//! plugins that depend on it. All others are asked beside the plugin's constant; the plainest ones not at all.

use crate::{
    doubt::{self, Given, guard},
    krate::Krate,
    size, types,
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericArgument, Ident, ItemStruct, PathArguments, Type, spanned::Spanned as _};

use super::{arguments::Arguments, fields::Role, held, listed::Deps, local, stands::Stands, std_words};

/// Of those that hold a plugin, what is empty by default.
const EMPTY: [&str; 2] = ["Option", "Vec"];

/// What asks whether the fields are shared.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) asked: Asked,
    /// What fields get in the struct.
    pub(super) guarded: Vec<Given>,
}

/// Questions in generated code. (Most are written by the library's macros, at less cost to the compiler.)
#[derive(Default)]
pub(super) struct Asked {
    /// Dependencies whose words have to be std's.
    pub(super) worded: Vec<Type>,
    /// Statements of the plugin's constant: what can only be asked of a generic one with its arguments.
    pub(super) stated: TokenStream,
    /// A constant each, on which the plugin's depends: where one fails, nothing more is said of the plugin.
    pub(super) within: Vec<TokenStream>,
    /// A constant each, beside it.
    pub(super) beside: Vec<TokenStream>,
}

impl Asked {
    /// All that is in the plugin's constant.
    pub(super) fn statements(&self, krate: &Krate) -> TokenStream {
        let Asked { worded, stated, .. } = self;
        let guards = self.within.iter().map(|ask| guard(ask, "Of", quote!(()), Span::call_site(), krate));
        quote!(#(let _: <#worded as #krate::Worded>::Is;)* #stated #(let _: #guards = ();)*)
    }

    /// What is beside it.
    pub(super) fn items(&self, krate: &Krate) -> TokenStream {
        let beside = &self.beside;
        quote!(#(const _: ::core::primitive::usize = { #[allow(unused_imports)] use #krate::IsNot as _; #beside };)*)
    }
}

impl Shared {
    /// `owned`: what is changed of the struct is seen by the compiler. `broken`: so much else is wrong that the plugin is an inert one.
    pub(super) fn of(def: &ItemStruct, args: &Arguments, roles: &[Role], owned: bool, broken: bool) -> Self {
        let krate = &args.krate;
        let (itself, plugin, generic) = (&def.ident, def.ident.to_string(), !def.generics.params.is_empty());
        let mut this = Shared::default();
        if broken && generic {
            // what its parameters are may be what is wrong
            return this;
        }
        let stands = Stands::of(def);
        let mut stated = Vec::new();
        for (place, ((field, member), role)) in def.fields.iter().zip(def.fields.members()).zip(roles).enumerate() {
            let ty = &field.ty;
            // what it depends on is asked where that is declared
            let listed =
                matches!(&args.deps, Some(Deps::Struct(deps)) if quote!(#deps).to_string() == quote!(#ty).to_string());
            if matches!(role, Role::Dep) && types::is_worded(ty) && !types::is_impossible(ty, &def.generics) {
                this.asked.worded.push(ty.clone());
            }
            if listed || matches!(role, Role::Dep) || types::dependency(ty).is_some() || is_plain(ty) {
                continue;
            }
            // rustc would tell of its size, too: see `refuse_itself`
            if owned
                && matches!(role, Role::Default(None))
                && let Some(words) = optional_self(ty, &def.ident, krate)
            {
                let (at, name) = (krate.at(ty.span()), quote!(#member).to_string());
                let ask = quote_spanned!(ty.span()=> #at::itself(true #(&& #words)*, #plugin, #name));
                this.guard(place, ask, "Any", ty, krate);
                continue;
            }
            // a type that is wrong is told of already
            if broken && types::is_impossible(ty, &def.generics)
                || matches!(role, Role::Refused(_)) && types::names(quote!(#ty), "compile_error")
            {
                continue;
            }
            // in a generic struct a doubted type stands as it asks, and would ask again
            if generic && doubt::asks(ty) {
                continue;
            }
            let (name, at) = (quote!(#member).to_string(), krate.at(ty.span()));
            let shared = |question| quote_spanned!(ty.span()=> #at::shared(#question, #plugin, #name));
            // an anonymous constant can not name a parameter
            let depends = types::depends_on_parameters(ty, &def.generics);
            // a constant that asks for the plugin while its field's type is worked out would go round in a circle
            let is_circle = types::names(quote!(#ty), &plugin);
            let local = local::find(ty).filter(|_| owned && !doubt::is_named(ty));
            let local = local.filter(|local| local.is_decided() || !(depends || is_circle));
            let not = local.and_then(|local| local.question(&stands, krate));
            let is_filled = matches!(role, Role::Default(None)) && args.deps.is_none();
            let held = is_filled.then(|| held::question(ty, depends, krate)).flatten();
            if let Some(question) = &held {
                this.asked.beside.push(quote_spanned!(ty.span()=> #at::held(#question)));
            }
            if is_circle {
                if let Some(not) = not {
                    this.guard(place, shared(quote!(!(#not))), "Of", ty, krate);
                }
                continue;
            }
            let told = not.as_ref().map(|not| quote!(|| #not));
            let mut ask = shared(quote!(#at::Is::<#ty>::__SHARED #told));
            let mut guarded = not.as_ref().map(|not| shared(quote!(!(#not))));
            if is_filled
                && held.is_none()
                && let Some(question) = alone(ty, krate)
            {
                let alone = quote_spanned!(ty.span()=> #at::alone(#question, #plugin, #name));
                // the first that is wrong is told of
                let before = |ask| quote_spanned!(ty.span()=> let _: ::core::primitive::usize = #alone; #ask);
                if depends {
                    ask = before(ask);
                } else if guarded.is_some() && may_be_alone(ty, itself) {
                    guarded = guarded.map(before);
                } else {
                    this.asked.beside.push(alone);
                }
            }
            if let Some(shared) = guarded {
                this.guard(place, shared, "Of", ty, krate);
            }
            if owned && !depends && size::is_doubtful(ty) {
                // nothing but this is asked in the struct: what else a type is may lead back to the plugin
                this.guard(place, doubt::sized(ty, itself, &member, krate), "Any", ty, krate);
                this.asked.within.push(ask);
            } else if depends {
                stated.push(ask);
            } else if doubt::is_named(ty) {
                // where it is wrong that is told, and nothing of this, nor is anything else hidden
                this.asked.beside.push(ask);
            } else {
                this.asked.within.push(ask);
            }
        }
        // another `Self` than in the struct
        for ask in &mut this.asked.beside {
            if types::names(ask.clone(), "Self") {
                *ask = types::replaced(std::mem::take(ask), "Self", &quote!(#itself));
            }
        }
        if !stated.is_empty() {
            this.asked.stated.extend(quote!(#[allow(unused_imports)] use #krate::IsNot as _; #(let _: ::core::primitive::usize = { #stated };)*));
        }
        this
    }

    /// Lets the struct itself ask.
    fn guard(&mut self, place: usize, ask: TokenStream, pass: &str, ty: &Type, krate: &Krate) {
        let guarded = Type::Verbatim(guard(&ask, pass, quote!(#ty), ty.span(), krate));
        self.guarded.push(Given { place, ty: guarded, written: ty.clone() });
    }
}

/// What tells that a field holds a plugin without `Dep`, by itself or in what is std's. (A plugin that has no default is told of as any such field is.)
fn alone(ty: &Type, krate: &Krate) -> Option<TokenStream> {
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
        // (a `dyn` in an `Option` is asked for its size)
        [_] => question != "INTERFACE",
        [outer, inner] => EMPTY.contains(&outer) && !EMPTY.contains(&inner),
        _ => false,
    };
    // most are one question, with the holders in it
    if within {
        let question = format_ident!("__{question}_IN_{}", names.join("_"));
        return Some(quote_spanned!(ty.span()=> #at::Within::<#ty>::#question));
    }
    let question = format_ident!("__{question}");
    let words = holders.iter().filter_map(|(_, ty)| match types::ungroup(ty) {
        Type::Path(path) => Some(types::given_of_std(path, krate)),
        _ => None,
    });
    Some(quote_spanned!(ty.span()=> #at::Is::<#inner>::#question #(&& #words)*))
}

/// May that be asked in the struct: is what is held a name, which does not lead back to the plugin?
fn may_be_alone(mut ty: &Type, plugin: &Ident) -> bool {
    while let Some((_, of)) = types::holder(ty) {
        ty = of;
    }
    match types::ungroup(ty) {
        Type::TraitObject(_) => true,
        Type::Path(path) => path.qself.is_none() && !types::has_arguments(ty) && !types::is_itself(ty, plugin),
        _ => false,
    }
}

/// An `Option` of the plugin itself, if that is std's.
fn optional_self(mut ty: &Type, name: &Ident, krate: &Krate) -> Option<Vec<TokenStream>> {
    let mut words = Vec::new();
    while let Type::Path(path) = types::ungroup(ty)
        && let Some((_, inner)) = types::holder(ty).filter(|(holder, _)| holder == "Option")
    {
        words.push(types::is_of_std(path, krate));
        ty = inner;
    }
    (!words.is_empty() && types::is_itself(ty, name)).then_some(words)
}

/// Is it made of numbers, texts, atomics, and what holds them?
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
