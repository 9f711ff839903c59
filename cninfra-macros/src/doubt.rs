//! Fields that can not be what they look like, if a word in their type is std's: `Vec<dyn Trait>`. Another type may be called so, and be right: so the
//! compiler is asked, and what is generated is right either way. Where the word is std's, the field is told of once, and generated code names what the
//! compiler speaks of no more.

use crate::{krate::Krate, size, types};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Fields, GenericArgument, Generics, Ident, Member, PathArguments, Type, TypeParamBound, TypePath, parse_quote,
    parse_quote_spanned, spanned::Spanned as _,
};

/// What is called where a doubted type asks.
pub(crate) const ASKS: &str = "no_size";

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

/// What stands for doubted types in generated code.
#[derive(Default)]
pub(crate) struct Doubts {
    items: TokenStream,
    /// Fields, by place, and the types that they have in the struct.
    given: Vec<(usize, Type)>,
}

impl Doubts {
    /// Of a struct that can be changed: its doubted fields ask, and have in `fields` the types for generated code. (Generic ones have their own: a
    /// constant can not name a parameter, and so of a wrong one rustc tells, too.)
    pub(crate) fn of_owned(name: &Ident, generics: &Generics, fields: &mut Fields, krate: &Krate) -> Self {
        let mut this = Doubts::default();
        let members: Vec<_> = fields.members().collect();
        for (place, (field, member)) in fields.iter_mut().zip(members).enumerate() {
            let mut asking = field.ty.clone();
            if !ask(&mut asking, krate) {
                continue;
            }
            if generics.params.is_empty() {
                this.replace(&mut field.ty, place, &of_field(name, &member), krate);
            } else {
                field.ty = asking.clone();
            }
            this.given.push((place, asking));
        }
        this
    }

    /// Of one whose doubted fields ask already.
    pub(crate) fn of_asking(name: &Ident, generics: &Generics, fields: &mut Fields, krate: &Krate) -> Self {
        let mut this = Doubts::default();
        let members: Vec<_> = fields.members().collect();
        for (place, (field, member)) in fields.iter_mut().zip(members).enumerate() {
            let ty = &field.ty;
            if !generics.params.is_empty() || !types::names(quote!(#ty), ASKS) {
                continue;
            }
            let Some(at) = asking(ty) else { continue };
            let doubted = size::place(&mut field.ty, at);
            if let Some(asking) = doubted
                && let Some(own) = asked_of(asking)
            {
                *asking = own;
                this.put(Some(asking), place, &of_field(name, &member), krate);
            }
        }
        this
    }

    /// Of a struct that can not be changed. rustc tells of what is wrong in it, and in generated code in the same words at the same place.
    pub(crate) fn of_derived<'a>(
        generics: &Generics,
        types: impl IntoIterator<Item = &'a mut Type>,
        krate: &Krate,
    ) -> Self {
        let mut this = Doubts::default();
        for (place, ty) in types.into_iter().enumerate() {
            let Some(found) = size::find(ty).filter(size::Unsized::is_doubted) else { continue };
            let leaf = found.leaf();
            if !generics.params.is_empty() {
                continue;
            }
            // as rustc shows it in the struct; in code it would leave that out
            if let Some(Type::TraitObject(object)) = size::place(ty, leaf)
                && !object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
            {
                object.bounds.push(parse_quote!('static));
            }
            let Some(found) = size::find(ty) else { continue };
            let doubted = found.ty;
            let same = quote!(let _: #doubted;);
            this.replace(ty, place, &same, krate);
        }
        this
    }

    fn replace(&mut self, ty: &mut Type, place: usize, fails: &TokenStream, krate: &Krate) {
        let at: Option<*const Type> = size::find(ty).map(|found| std::ptr::from_ref(found.ty));
        let doubted = at.and_then(|at| size::place(ty, at));
        self.put(doubted, place, fails, krate);
    }

    /// A name for the type; none for one that is wrong, where what `fails` does not compile.
    fn put(&mut self, doubted: Option<&mut Type>, place: usize, fails: &TokenStream, krate: &Krate) {
        let Some(doubted) = doubted else { return };
        let name = format_ident!("__CninfraTyped{place}", span = doubted.span());
        self.items.extend(quote! {
            struct #name;
            impl #krate::Typed for #name {
                type Of = <#krate::Sound<{ #fails 0 }> as #krate::Pass>::Any<#doubted>;
            }
        });
        *doubted = parse_quote_spanned!(doubted.span()=> <#name as #krate::Typed>::Of);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Gives the fields of the struct their types back.
    pub(crate) fn give_back(&mut self, fields: &mut Fields) {
        let mut fields: Vec<_> = fields.iter_mut().collect();
        for (place, ty) in self.given.drain(..) {
            fields[place].ty = ty;
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

/// What asks, in a field's type.
fn asking(ty: &Type) -> Option<*const Type> {
    match ty {
        Type::Path(TypePath { qself: Some(_), .. }) => Some(ty),
        Type::Group(group) => asking(&group.elem),
        Type::Paren(paren) => asking(&paren.elem),
        Type::Slice(slice) => asking(&slice.elem),
        Type::Array(array) => asking(&array.elem),
        Type::Reference(lent) => asking(&lent.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(asking_one),
        Type::Path(path) => match &path.path.segments.last()?.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inner) => asking_one(inner),
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

fn asking_one(ty: &Type) -> Option<*const Type> {
    types::names(quote!(#ty), ASKS).then(|| asking(ty)).flatten()
}
