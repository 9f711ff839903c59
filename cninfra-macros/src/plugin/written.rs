//! Where the types of a plugin's fields are written. rustc tells of what is wrong with a type in each item that has it, and the struct is one, what is generated
//! another. So a type that is more than a word of std's stands in an alias beside the struct, and both name that.

use super::{fields::Role, shared::is_plain};
use crate::types;
use proc_macro2::{Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{
    Attribute, Field, Fields, GenericParam, Generics, Ident, ItemStruct, Token, Type, Visibility, parse_quote,
    punctuated::Punctuated,
};

/// The attribute that tells a derive what the user wrote.
const TOLD: &str = "__plugin";

/// The types of a plugin's fields, as generated code writes them.
pub(super) struct Written {
    types: Vec<Type>,
    /// What is within their holders, if it is not the same: see [`types::held`].
    held: Vec<Option<Type>>,
    /// Of those that have one.
    aliases: Vec<Option<Alias>>,
}

struct Alias {
    name: Ident,
    /// Of what is within the type's holders.
    of_held: Option<Ident>,
    /// The parameters that the type names.
    params: TokenStream,
    /// What is said of the field to the compiler.
    attributes: Vec<Attribute>,
}

impl Written {
    /// Of a struct that can be changed.
    pub(super) fn of(def: &ItemStruct, roles: &[Role]) -> Self {
        let mut this = Written { types: Vec::new(), held: Vec::new(), aliases: Vec::new() };
        for ((field, member), role) in def.fields.iter().zip(def.fields.members()).zip(roles) {
            let member = quote!(#member).to_string();
            let name = format_ident!("__{}_{}", def.ident, member.trim_start_matches("r#"), span = def.ident.span());
            // a second field of one name is told of as such
            let is_second = this.aliases.iter().flatten().any(|other: &Alias| other.name == name);
            let may = !is_second && may_have_one(def, field, role);
            let alias = if may { alias(def, field, name) } else { None };
            let (ty, held) = (&field.ty, types::held(&field.ty));
            this.types.push(alias.as_ref().map_or_else(|| ty.clone(), |alias| alias.named(&alias.name, ty)));
            this.held.push(alias.as_ref().and_then(|alias| Some(alias.named(alias.of_held.as_ref()?, held))));
            this.aliases.push(alias);
        }
        this
    }

    /// Of a struct that is behind a derive, what [`put`](Self::put) has told of it. It has the types that the user wrote, then.
    pub(super) fn kept(def: &mut ItemStruct) -> Self {
        let mut this = Written { types: Vec::new(), held: Vec::new(), aliases: Vec::new() };
        for field in &mut def.fields {
            let told = field.attrs.iter().position(|attribute| attribute.path().is_ident(TOLD));
            let told = told.map(|place| field.attrs.remove(place));
            let told = told.and_then(|told| told.parse_args_with(Punctuated::<Type, Token![,]>::parse_terminated).ok());
            let mut told = told.into_iter().flatten();
            let ty = told.next().unwrap_or_else(|| field.ty.clone());
            this.types.push(std::mem::replace(&mut field.ty, ty));
            this.held.push(told.next());
            this.aliases.push(None);
        }
        this
    }

    /// What is within the holders of the field at this place.
    pub(super) fn held<'a>(&'a self, place: usize, field: &'a Field) -> &'a Type {
        self.held[place].as_ref().unwrap_or_else(|| match std::ptr::eq(types::held(&field.ty), &field.ty) {
            true => &self.types[place],
            false => types::held(&field.ty),
        })
    }

    /// The type of the field at this place.
    pub(super) fn of_field(&self, place: usize) -> &Type {
        &self.types[place]
    }

    /// All of them, in order.
    pub(super) fn types(&self) -> impl Iterator<Item = &Type> {
        self.types.iter()
    }

    /// Puts the names of the aliases into the struct, and gives the aliases. `told`: the types that the user wrote, where a derive is to be told of them.
    pub(super) fn put(self, def: &mut ItemStruct, told: Option<&[Type]>) -> TokenStream {
        let mut aliases = TokenStream::new();
        let fields = match &mut def.fields {
            Fields::Named(fields) => &mut fields.named,
            Fields::Unnamed(fields) => &mut fields.unnamed,
            Fields::Unit => return aliases,
        };
        let all = std::mem::take(fields);
        let parts = self.types.into_iter().zip(self.held).zip(self.aliases);
        for (place, (mut field, ((written, held), alias))) in all.into_iter().zip(parts).enumerate() {
            let Some(Alias { name, of_held, params, attributes }) = alias else {
                fields.push(field);
                continue;
            };
            let mut declare = |name: &Ident, ty: &Type| {
                aliases.extend(quote! {
                    #(#attributes)* #[allow(non_camel_case_types, dead_code)] #[doc(hidden)] type #name #params = #ty;
                });
            };
            let mut ty = field.ty.clone();
            if let (Some(name), Some(held)) = (of_held, &held) {
                let within = types::held_mut(&mut ty);
                declare(&name, &std::mem::replace(within, held.clone()));
            }
            declare(&name, &ty);
            if matches!(field.vis, Visibility::Public(_)) {
                // the documentation shows what was written
                let mut shown = field.clone();
                shown.attrs.push(parse_quote!(#[cfg(doc)]));
                fields.push(shown);
                field.attrs.push(parse_quote!(#[cfg(not(doc))]));
            }
            if let Some(told) = told.map(|told| &told[place]) {
                let (told_as, held) = (format_ident!("{TOLD}"), held.iter());
                field.attrs.push(parse_quote!(#[#told_as(#told #(, #held)*)]));
            }
            field.ty = written;
            fields.push(field);
        }
        aliases
    }
}

/// Is it a type that may be wrong, and not so that the struct alone tells of it?
fn may_have_one(def: &ItemStruct, field: &Field, role: &Role) -> bool {
    let ty = &field.ty;
    let is_other = is_plain(ty) || types::dependency(ty).is_some() || types::is_impossible(ty, &def.generics);
    if is_other || matches!(role, Role::Refused) {
        return false;
    }
    let tokens = quote!(#ty);
    !["Self", "compile_error"].iter().any(|word| types::names(tokens.clone(), word))
}

fn alias(def: &ItemStruct, field: &Field, name: Ident) -> Option<Alias> {
    let lints = || def.attrs.iter().chain(&field.attrs);
    // what is expected of the field's type would not come true, and whether the field is there is to be said of the alias, too
    let is_hidden = |attribute: &Attribute| {
        let says = |words: [&str; 2]| words.iter().any(|word| types::names(quote!(#attribute), word));
        attribute.path().is_ident("expect") && says(["deprecated", "clippy"])
            || attribute.path().is_ident("cfg_attr") && says(["cfg", "expect"])
    };
    if lints().any(is_hidden) {
        return None;
    }
    let kept = |attribute: &&Attribute| {
        ["allow", "cfg", "warn", "deny", "forbid"].iter().any(|word| attribute.path().is_ident(word))
    };
    let held = types::held(&field.ty);
    // of what has the same parameters
    let params = params(&field.ty, &def.generics)?;
    let is_within = !std::ptr::eq(held, &field.ty) && params.is_empty() && !is_plain(held);
    let of_held = is_within.then(|| format_ident!("{name}_of"));
    Some(Alias { of_held, params, attributes: lints().filter(kept).cloned().collect(), name })
}

/// The parameters that the type names; none if an alias could not have it.
fn params(ty: &Type, generics: &Generics) -> Option<TokenStream> {
    let mut named = Vec::new();
    for param in &generics.params {
        let GenericParam::Type(param) = param else {
            return None;
        };
        let name = &param.ident;
        match uses(quote!(#ty), name) {
            Use::None => {}
            Use::Itself => named.push(name),
            Use::Of => return None,
        }
    }
    Some(if named.is_empty() { TokenStream::new() } else { quote!(<#(#named),*>) })
}

/// How a type names a parameter.
#[derive(PartialEq, PartialOrd)]
enum Use {
    None,
    Itself,
    /// `T::Something`: of which trait that is, only the struct says.
    Of,
}

fn uses(tokens: TokenStream, name: &Ident) -> Use {
    let mut found = Use::None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let used = match token {
            TokenTree::Ident(word) if word == *name => match tokens.peek() {
                Some(TokenTree::Punct(next)) if next.as_char() == ':' => Use::Of,
                _ => Use::Itself,
            },
            TokenTree::Group(group) => uses(group.stream(), name),
            _ => continue,
        };
        if used > found {
            found = used;
        }
    }
    found
}

impl Alias {
    /// A name of it, from where the type starts to where it ends.
    fn named(&self, name: &Ident, ty: &Type) -> Type {
        let mut spans = quote!(#ty).into_iter().map(|token| token.span());
        let first = spans.next().unwrap_or_else(Span::call_site);
        let last = spans.last().unwrap_or(first);
        let (mut name, params) = (name.clone(), &self.params);
        name.set_span(first);
        let mut end = Punct::new('>', Spacing::Alone);
        end.set_span(last);
        let arguments: TokenStream = match params.is_empty() {
            true => quote_spanned!(first=> <),
            false => {
                let count = params.clone().into_iter().count();
                params.to_token_stream().into_iter().take(count - 1).collect()
            }
        };
        Type::Verbatim(quote!(#name #arguments #end))
    }
}
