//! Fields that can not be what they look like, if a word in their type is std's: `Vec<dyn Trait>`. Another type may be called so, and be right: so the
//! compiler is asked, and what is generated is right either way. Where the word is std's, the field is told of once, and generated code names what the
//! compiler speaks of no more.

use crate::{krate::Krate, size, types};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Field, Fields, GenericArgument, Generics, Ident, Member, PathArguments, Type, TypeParamBound, TypePath, Visibility,
    parse_quote, parse_quote_spanned, spanned::Spanned as _,
};

/// What is called where a doubted type asks.
const ASKS: &str = "no_size";

/// What in a field's type is doubted.
struct Doubted {
    at: *const Type,
    ty: Type,
    question: TokenStream,
    span: Span,
    message: String,
}

fn find(ty: &Type, krate: &Krate) -> Option<Doubted> {
    let found = size::find(ty).filter(size::Unsized::is_doubted)?;
    let (ty, question) = (found.ty.clone(), found.question(krate));
    Some(Doubted { at: found.ty, ty, question, span: found.span(), message: found.message() })
}

/// Lets the field's own type ask, if it is doubted, and fail with our words. Does it?
pub(crate) fn ask(ty: &mut Type, krate: &Krate) -> bool {
    let Some(Doubted { at, ty: doubted, question, span, message }) = find(ty, krate) else { return false };
    let lib = krate.at(span);
    let guard = quote_spanned! {span=>
        <#lib::Sound<{
            #[allow(unused_imports)]
            use #lib::IsNot as _;
            #lib::no_size(#question, #message)
        }> as #lib::Pass>::Any<#doubted>
    };
    if let Some(place) = size::place(ty, at) {
        *place = Type::Verbatim(guard);
    }
    true
}

/// A type that asks is not too complex for whoever wrote it.
pub(crate) fn allow_asking(field: &mut Field) {
    field.attrs.push(parse_quote!(#[allow(clippy::type_complexity)]));
}

/// What stands for doubted types in generated code.
#[derive(Default)]
pub(crate) struct Doubts {
    items: TokenStream,
    /// Fields, by place, and the types that they have in the struct.
    given: Vec<(usize, Type)>,
}

/// The struct that they are of.
#[derive(Clone, Copy)]
pub(crate) struct Of<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) generics: &'a Generics,
    pub(crate) krate: &'a Krate,
}

impl Doubts {
    /// Of a plugin. Where its struct is `owned`, so that it can be changed, its doubted fields ask, and have in `fields` the types for generated code; else they
    /// ask already. (Generic ones have their own: a constant can not name a parameter, and so of a wrong one rustc tells, too.) `listed`: is the field's type a
    /// part of what the plugin says to all?
    pub(crate) fn of_plugin(of: Of<'_>, fields: &mut Fields, owned: bool, listed: impl Fn(usize) -> bool) -> Self {
        let mut this = Doubts::default();
        let is_doubted = |ty| if owned { size::find(ty).is_some_and(|found| found.is_doubted()) } else { asks(ty) };
        // most plugins have none, and are looked at no more
        let places: Vec<_> =
            fields.iter().enumerate().filter(|(_, field)| is_doubted(&field.ty)).map(|(place, _)| place).collect();
        if places.is_empty() {
            return this;
        }
        let members: Vec<_> = fields.members().collect();
        for (place, (field, member)) in fields.iter_mut().zip(members).enumerate() {
            if !places.contains(&place) {
                continue;
            }
            let ty = &mut field.ty;
            let doubted = if owned {
                let mut asks = ty.clone();
                ask(&mut asks, of.krate);
                if !of.generics.params.is_empty() {
                    *ty = asks.clone();
                }
                this.given.push((place, asks));
                let at = size::find(ty).map(|found| std::ptr::from_ref(found.ty));
                at.and_then(|at| size::place(ty, at))
            } else {
                let at = asking(ty);
                let doubted = at.and_then(|at| size::place(ty, at));
                doubted.and_then(|asks| {
                    *asks = asked_of(asks)?;
                    Some(asks)
                })
            };
            if let Some(doubted) = doubted.filter(|_| of.generics.params.is_empty()) {
                this.put(doubted, place, of, listed(place), &of_field(of.name, &member));
            }
        }
        this
    }

    /// Of a struct that can not be changed. rustc tells of what is wrong in it, and in generated code in the same words at the same place.
    pub(crate) fn of_derived<'a>(of: Of<'_>, types: impl IntoIterator<Item = &'a mut Type>) -> Self {
        let mut this = Doubts::default();
        for (place, ty) in types.into_iter().enumerate() {
            let Some(found) = size::find(ty).filter(|found| found.is_doubted() && of.generics.params.is_empty()) else {
                continue;
            };
            let (at, leaf) = (std::ptr::from_ref(found.ty), found.leaf());
            // as rustc shows it in the struct; in code it would leave that out
            if let Some(Type::TraitObject(object)) = size::place(ty, leaf)
                && !object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
            {
                object.bounds.push(parse_quote!('static));
            }
            if let Some(doubted) = size::place(ty, at) {
                let same = quote!(let _: #doubted;);
                this.put(doubted, place, of, true, &same);
            }
        }
        this
    }

    /// A name for the type; none for one that is wrong, where what `fails` does not compile.
    fn put(&mut self, doubted: &mut Type, place: usize, of: Of<'_>, listed: bool, fails: &TokenStream) {
        let Of { name, vis, krate, .. } = of;
        let typed = format_ident!("__CninfraTyped{place}", span = doubted.span());
        // another `Self` than in the struct
        let itself = quote!(#name);
        let own = types::replaced(quote!(#doubted), "Self", &itself);
        let fails = types::replaced(fails.clone(), "Self", &itself);
        // as private as a field may be
        let vis = if listed { vis } else { &Visibility::Inherited };
        self.items.extend(quote! {
            #vis struct #typed;
            impl #krate::Typed for #typed {
                type Of = <#krate::Sound<{ #fails 0 }> as #krate::Pass>::Any<#own>;
            }
        });
        *doubted = parse_quote_spanned!(doubted.span()=> <#typed as #krate::Typed>::Of);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Gives the fields of the struct their types back.
    pub(crate) fn give_back(&mut self, fields: &mut Fields) {
        let mut fields: Vec<_> = fields.iter_mut().collect();
        for (place, ty) in self.given.drain(..) {
            fields[place].ty = ty;
            allow_asking(fields[place]);
        }
    }

    /// Generated code, with what it names.
    pub(crate) fn around(self, generated: TokenStream) -> TokenStream {
        if self.items.is_empty() {
            return generated;
        }
        let items = self.items;
        quote!(#[allow(non_local_definitions)] const _: () = { #items #generated };)
    }
}

/// What does not compile if the field's type is one that has failed.
fn of_field(name: &Ident, member: &Member) -> TokenStream {
    quote! {
        let _ = |this: &#name| {
            let _ = &this.#member;
        };
    }
}

/// Does something in the type ask? (Most types are not looked at token by token.)
pub(crate) fn asks(ty: &Type) -> bool {
    asking(ty).is_some()
}

/// What asks, in a field's type.
fn asking(ty: &Type) -> Option<*const Type> {
    match ty {
        Type::Verbatim(_) | Type::Path(TypePath { qself: Some(_), .. }) => {
            types::names(quote!(#ty), ASKS).then(|| std::ptr::from_ref(ty))
        }
        Type::Group(group) => asking(&group.elem),
        Type::Paren(paren) => asking(&paren.elem),
        Type::Slice(slice) => asking(&slice.elem),
        Type::Array(array) => asking(&array.elem),
        Type::Reference(lent) => asking(&lent.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(asking),
        Type::Path(path) => match &path.path.segments.last()?.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inner) => asking(inner),
                _ => None,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The type of which that asks.
fn asked_of(asking: &Type) -> Option<Type> {
    let Type::Path(path) = asking else { return None };
    match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first()? {
            GenericArgument::Type(inner) => Some(inner.clone()),
            _ => None,
        },
        _ => None,
    }
}
