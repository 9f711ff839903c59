//! `#[plugin]`: the struct is emitted as it stands, less the helper attributes, and beside it its identity, its
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
mod sections;
mod shared;
mod stands;
pub(crate) mod std_words;
mod usual;
mod values;

use crate::{
    args, broken,
    ctxt::Ctxt,
    doubt::{self, Doubts, Of},
    key, made,
    source::{self, Source},
};
use arguments::Arguments;
use fields::Role;
use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use shared::Shared;
use syn::{Generics, Ident, Item, ItemStruct, Type, spanned::Spanned as _};

pub(crate) fn expand(given: TokenStream, item: TokenStream, source: &Source) -> TokenStream {
    let mut def: ItemStruct = match broken::parse(&item) {
        Ok(def) => def,
        Err(error) => return no_struct(item, &error, given, source),
    };
    made::tell(&mut def);
    if conditional::has_conditions(&def) {
        return conditional::defer(&given, def);
    }
    let impls = impls(given, &mut def, true, source);
    let def = closed(&def);
    quote!(#def #impls)
}

pub(crate) use conditional::expand as expand_conditional;

/// The struct, as `struct Name<>`, where it is not generic: where rustc does not find a field's type, it would say that the struct may lack a
/// parameter, of the struct alone, and so tell of the type twice. (Of what a macro has written it does not say so.) It ends behind the name, since
/// rustc shows where to declare a lifetime; and it begins before the struct, since what is within is a part of where rustc says that the struct is.
fn closed(def: &ItemStruct) -> TokenStream {
    if !def.generics.params.is_empty() {
        return quote!(#def);
    }
    let end = quote_spanned!(source::behind(def.ident.span())=> >);
    let brackets = quote!(< #end);
    let mut after_struct = false;
    let tokens = quote!(#def).into_iter().map(|token| {
        let is_name =
            std::mem::replace(&mut after_struct, matches!(&token, TokenTree::Ident(word) if word == "struct"));
        if is_name { quote!(#token #brackets) } else { token.into() }
    });
    tokens.collect()
}

/// The plugin's impls, and what is wrong. Takes the helper attributes off the fields, and, where the struct is `owned`, puts into it what is asked of
/// its fields.
fn impls(given: TokenStream, def: &mut ItemStruct, owned: bool, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let mut arguments = Arguments::parse(given, &mut cx);
    if let Some(deps) = &mut arguments.deps {
        deps.name_itself(def);
    }
    args::repeated(&mut def.attrs, "plugin", &mut cx);
    if args::derived(&def.attrs, "Flavor").next().is_none() {
        args::provides_by_itself(&mut def.attrs, &mut cx);
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
    let of = Of { name: &def.ident, vis: &def.vis, generics: &def.generics, krate: &arguments.krate };
    let mut doubts = Doubts::of_plugin(of, &mut def.fields, owned, |place| {
        fields.get(place).is_some_and(|role| matches!(role, Role::Dep))
    });
    // what is wrong with a generic one may be its parameters
    let mut broken = arguments.is_broken() || (cx.is_broken() && !def.generics.params.is_empty());
    if args::impossible(&def.fields, &def.generics) {
        cx.told();
        broken = true;
    }
    for span in args::derived(&def.attrs, "Flavor") {
        cx.error(span, args::PLUGIN_AND_FLAVOR);
        broken = true;
    }
    let Shared { asked, guarded } = Shared::of(def, &arguments, &fields, owned, broken);
    let generated = if broken {
        inert::of_struct(def, &arguments, &fields, &asked, source)
    } else {
        let generated = usual::generate(def, &arguments, &fields, &asked, source)
            .unwrap_or_else(|| expand::generate(def, &arguments, &fields, &asked, source));
        let sections = sections::check(def, &arguments, &fields);
        let idle = idle::check(def, &arguments);
        quote!(#generated #sections #idle)
    };
    let given = guarded.into_iter().chain(std::mem::take(&mut doubts.given));
    if owned && !broken {
        interfaces::guard(def, &fields, &arguments.krate);
    }
    doubt::give(&mut def.fields, given.collect());
    let (generated, errors) = (doubts.around(generated), cx.finish());
    quote!(#generated #errors)
}

/// The impls of what was to be a plugin, but is none.
pub(crate) fn inert(name: &Ident, generics: &Generics, source: &Source) -> TokenStream {
    inert::of_item(name, generics, &Arguments::default(), source)
}

/// The item is given back all the same, so that what names it does not err too. (The struct of an impl is not made a plugin by that: where it is one, it would be made
/// one twice, which is three errors.)
fn no_struct(item: TokenStream, error: &syn::Error, given: TokenStream, source: &Source) -> TokenStream {
    let mut cx = Ctxt::default();
    let arguments = Arguments::parse(given, &mut cx);
    let parsed = syn::parse2::<Item>(item.clone());
    let mut help = String::from("move `#[plugin]` to a struct");
    let (span, named) = match &parsed {
        Ok(Item::Enum(def)) => (def.ident.span(), Some((&def.ident, &def.generics))),
        Ok(Item::Union(def)) => (def.ident.span(), Some((&def.ident, &def.generics))),
        Ok(Item::Fn(def)) => (def.sig.ident.span(), None),
        Ok(Item::Impl(def)) => {
            if let Some(name) = named_by(&def.self_ty) {
                help = format!("remove it here, and add it to `struct {name}` if it is missing there");
            }
            (def.self_ty.span(), None)
        }
        Ok(other) => (other.span(), None),
        Err(_) => {
            // not even an item: the parser's words say why
            cx.error(error.span(), format_args!("CN010: {error}"));
            let generated =
                broken::named(&item).map(|name| inert::of_item(&name, &Generics::default(), &arguments, source));
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
fn named_by(ty: &Type) -> Option<&Ident> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|last| &last.ident)
}
