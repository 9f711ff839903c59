//! `#[plugin]`: writes the struct as it stands, without the helper attributes, and beside it its identity, its
//! dependencies and how it is built.

mod arguments;
mod conditional;
mod expand;
mod fields;
mod held;
mod idle;
mod inert;
mod interfaces;
mod listed;
mod local;
mod malformed;
mod placeholders;
mod provides;
mod sections;
mod shared;
pub(crate) mod std_words;
mod usual;
mod values;

use crate::{
    args, broken,
    ctxt::Ctxt,
    doubt::{self, Doubts, Owner},
    key, mark,
    source::{self, Source},
};
use arguments::Arguments;
use fields::Role;
use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use shared::FieldChecks;
use syn::{Generics, Ident, Item, ItemStruct, Type, spanned::Spanned as _};

pub(crate) fn expand(given: TokenStream, item: TokenStream, source: &Source) -> TokenStream {
    let mut def: ItemStruct = match broken::parse(&item) {
        Ok(def) => def,
        Err(error) => return refuse(item, &error, given, source),
    };
    mark::add(&mut def);
    if conditional::has_conditions(&def) {
        return conditional::defer(&given, def);
    }
    let impls = impls(given, &mut def, true, source);
    let def = with_brackets(&def);
    quote!(#def #impls)
}

pub(crate) use conditional::expand as expand_conditional;

/// Writes a struct that is not generic as `struct Name<>`. If rustc does not find a field's type, it would suggest a
/// missing type parameter for the struct only, so that it would report the type twice; it makes no such suggestion for
/// brackets that a macro has written. They end behind the name, since rustc shows there how to declare a lifetime. They
/// begin before the struct, since rustc takes what lies within for a part of the struct's place.
fn with_brackets(def: &ItemStruct) -> TokenStream {
    if !def.generics.params.is_empty() {
        return quote!(#def);
    }
    let end = quote_spanned!(source::end_of(def.ident.span())=> >);
    let brackets = quote!(< #end);
    let mut after_struct = false;
    let tokens = quote!(#def).into_iter().map(|token| {
        let is_name =
            std::mem::replace(&mut after_struct, matches!(&token, TokenTree::Ident(word) if word == "struct"));
        if is_name { quote!(#token #brackets) } else { token.into() }
    });
    tokens.collect()
}

/// The plugin's impls, and the mistakes. Removes the helper attributes from the fields and, if the struct is `owned`,
/// adds the checks to its fields.
fn impls(given: TokenStream, def: &mut ItemStruct, owned: bool, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let mut arguments = Arguments::parse(given, &mut cx);
    if let Some(deps) = &mut arguments.deps {
        deps.replace_self(def);
    }
    args::reject_repeated(&mut def.attrs, "plugin", &mut cx);
    if args::derive_places(&def.attrs, "Flavor").next().is_none() {
        provides::refuse(&mut def.attrs, &mut cx);
    }
    key::check_generics(&def.generics, &mut cx);
    let fields = fields::parse(
        &mut def.fields,
        owned.then_some((&def.ident, &def.generics)),
        arguments.deps.is_some(),
        &arguments.krate,
        &mut cx,
    );
    arguments.check(def, &fields, &mut cx);
    let owner = Owner { name: &def.ident, vis: &def.vis, generics: &def.generics, krate: &arguments.krate };
    let mut doubts = Doubts::of_plugin(owner, &mut def.fields, owned, |place| {
        fields.get(place).is_some_and(|role| matches!(role, Role::Dep))
    });
    // If the plugin is generic, its parameters may be what is wrong.
    let mut broken = arguments.is_broken() || (cx.is_broken() && !def.generics.params.is_empty());
    if args::has_impossible_field(&def.fields, &def.generics) {
        cx.note_reported();
        broken = true;
    }
    for span in args::derive_places(&def.attrs, "Flavor") {
        cx.error(span, args::PLUGIN_AND_FLAVOR);
        broken = true;
    }
    let FieldChecks { checks, replacements } = FieldChecks::of(def, &arguments, &fields, owned, broken);
    let generated = if broken {
        inert::of_struct(def, &arguments, &fields, &checks, source)
    } else {
        let generated = usual::generate(def, &arguments, &fields, &checks, source)
            .unwrap_or_else(|| expand::generate(def, &arguments, &fields, &checks, source));
        let sections = sections::check(def, &arguments, &fields);
        let idle = idle::check(def, &arguments);
        quote!(#generated #sections #idle)
    };
    let replacements = replacements.into_iter().chain(std::mem::take(&mut doubts.replacements));
    if owned && !broken {
        interfaces::guard(def, &fields, &arguments.krate);
    }
    doubt::replace_types(&mut def.fields, replacements.collect());
    let (generated, errors) = (doubts.wrap(generated), cx.finish());
    quote!(#generated #errors)
}

/// The impls of an item that was meant to be a plugin, but cannot be one.
pub(crate) fn inert(name: &Ident, generics: &Generics, source: &Source) -> TokenStream {
    inert::of_item(name, generics, &Arguments::default(), source)
}

/// Reports an item that is no struct, and writes it unchanged, so that code that names it causes no further errors.
/// (The type of an impl block is not made a plugin: if it is one already, that would give three errors.)
fn refuse(item: TokenStream, error: &syn::Error, given: TokenStream, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let arguments = Arguments::parse(given, &mut cx);
    let parsed = syn::parse2::<Item>(item.clone());
    let mut help = String::from("move `#[plugin]` to a struct");
    let (span, named) = match &parsed {
        Ok(Item::Enum(def)) => (def.ident.span(), Some((&def.ident, &def.generics))),
        Ok(Item::Union(def)) => (def.ident.span(), Some((&def.ident, &def.generics))),
        Ok(Item::Fn(def)) => (def.sig.ident.span(), None),
        Ok(Item::Impl(def)) => {
            if let Some(name) = last_word(&def.self_ty) {
                help = format!("remove it here, and add it to `struct {name}` if it is missing there");
            }
            (def.self_ty.span(), None)
        }
        Ok(other) => (other.span(), None),
        Err(_) => {
            // It is no item at all: the parser's message says why.
            cx.error(error.span(), format_args!("CN010: {error}"));
            let generated =
                broken::struct_name(&item).map(|name| inert::of_item(&name, &Generics::default(), &arguments, source));
            let errors = cx.finish_anywhere();
            return quote!(#item #generated #errors);
        }
    };
    cx.error(span, format_args!("CN010: a plugin must be a struct\n= help: {help}"));
    let generated = named.map(|(name, generics)| inert::of_item(name, generics, &arguments, source));
    let errors = cx.finish_anywhere();
    quote!(#item #generated #errors)
}

/// The name of the type that an impl is for.
fn last_word(ty: &Type) -> Option<&Ident> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|last| &last.ident)
}
