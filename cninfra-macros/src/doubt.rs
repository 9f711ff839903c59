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

/// What names of doubted types start with.
const TYPED: &str = "__CninfraTyped";

/// What in a field's type is doubted.
struct Doubted {
    at: *const Type,
    ty: Type,
    question: TokenStream,
    span: Span,
    message: String,
}

fn find(ty: &Type, krate: &Krate) -> Option<Doubted> {
    let found = first(ty)?;
    let (ty, question) = (found.ty.clone(), found.question(krate));
    Some(Doubted { at: found.ty, ty, question, span: found.span(), message: found.message() })
}

fn first(ty: &Type) -> Option<size::Unsized<'_>> {
    size::all(ty).into_iter().find(size::Unsized::is_doubted)
}

/// Lets the field's own type ask, if it is doubted, and fail with our words. Does it?
pub(crate) fn ask(ty: &mut Type, krate: &Krate) -> bool {
    let mut asks = false;
    while let Some(Doubted { at, ty: doubted, question, span, message }) = find(ty, krate) {
        let Some(place) = size::place(ty, at) else { break };
        let lib = krate.at(span);
        *place = Type::Verbatim(quote_spanned! {span=>
            <#lib::Sound<{
                #[allow(unused_imports)]
                use #lib::IsNot as _;
                #lib::no_size(#question, #message)
            }> as #lib::Pass>::Any<#doubted>
        });
        asks = true;
    }
    asks
}

/// Has a field's type no size, as its word says if it is std's? As a constant, where `IsNot` is imported: one that fails with our words.
pub(crate) fn sized(ty: &Type, plugin: &Ident, member: &Member, krate: &Krate) -> TokenStream {
    let at = krate.at(ty.span());
    let message = format!(
        "CN036: `{plugin}::{}` has no known size, so a field cannot hold it\n= help: use `PathBuf`, `OsString` or `CString`",
        quote!(#member),
    );
    quote_spanned!(ty.span()=> #at::no_size(!#at::Is::<#ty>::__SIZED, #message))
}

/// The type, if the constant can be evaluated, by what `Pass` has for it. `span`: where it stands, for what rustc says of the whole field.
pub(crate) fn guard(constant: &TokenStream, pass: &str, ty: TokenStream, span: Span, krate: &Krate) -> TokenStream {
    let pass = format_ident!("{pass}");
    quote_spanned! {span=>
        <#krate::Sound<{ #[allow(unused_imports)] use #krate::IsNot as _; #constant }> as #krate::Pass>::#pass<#ty>
    }
}

/// A field's other type in the struct, and the one that was written, for the documentation.
pub(crate) struct Given {
    pub(crate) place: usize,
    pub(crate) ty: Type,
    pub(crate) written: Type,
}

/// Gives fields of the struct their other types. What is public is documented with the type that was written.
pub(crate) fn give(fields: &mut Fields, given: Vec<Given>) {
    let all = match fields {
        Fields::Named(named) => &mut named.named,
        Fields::Unnamed(unnamed) => &mut unnamed.unnamed,
        Fields::Unit => return,
    };
    // most plugins have none
    if given.is_empty() {
        return;
    }
    let mut written: Vec<_> = all.iter().map(|_| None).collect();
    for Given { place, ty, written: shown } in given {
        let field = &mut all[place];
        field.ty = ty;
        // what asks is not too complex for whoever wrote the type
        field.attrs.push(parse_quote!(#[allow(clippy::type_complexity)]));
        written[place] = matches!(field.vis, Visibility::Public(_)).then_some(shown);
    }
    let fields = std::mem::take(all).into_iter().zip(written);
    *all = fields
        .flat_map(|(mut field, written)| {
            let documented = written.map(|ty| {
                let mut documented = Field { ty, ..field.clone() };
                documented.attrs.push(parse_quote!(#[cfg(doc)]));
                field.attrs.push(parse_quote!(#[cfg(not(doc))]));
                documented
            });
            [documented, Some(field)]
        })
        .flatten()
        .collect();
}

/// What stands for doubted types in generated code.
#[derive(Default)]
pub(crate) struct Doubts {
    items: TokenStream,
    /// How many there are.
    named: usize,
    /// What fields have in the struct.
    pub(crate) given: Vec<Given>,
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
        let is_doubted = |ty| if owned { first(ty).is_some() } else { asks(ty) };
        // most plugins have none, and are looked at no more
        let places: Vec<_> =
            fields.iter().enumerate().filter(|(_, field)| is_doubted(&field.ty)).map(|(place, _)| place).collect();
        if places.is_empty() {
            return this;
        }
        let generic = !of.generics.params.is_empty();
        let members: Vec<_> = fields.members().collect();
        for (place, (field, member)) in fields.iter_mut().zip(members).enumerate() {
            if !places.contains(&place) {
                continue;
            }
            let ty = &mut field.ty;
            if owned {
                let mut asks = ty.clone();
                ask(&mut asks, of.krate);
                let written = if generic { std::mem::replace(ty, asks.clone()) } else { ty.clone() };
                this.given.push(Given { place, ty: asks, written });
            }
            if generic {
                continue;
            }
            let (is_listed, fails) = (listed(place), of_field(of.name, &member));
            while let Some(doubted) = if owned { doubted_in(ty) } else { bare(ty) } {
                this.put(doubted, of, is_listed, &fails);
            }
        }
        this
    }

    /// Of a struct that can not be changed. rustc tells of what is wrong in it, and in generated code in the same words at the same place.
    pub(crate) fn of_derived<'a>(of: Of<'_>, types: impl IntoIterator<Item = &'a mut Type>) -> Self {
        let mut this = Doubts::default();
        if !of.generics.params.is_empty() {
            return this;
        }
        for ty in types {
            while let Some(found) = first(ty) {
                let (at, leaf) = (std::ptr::from_ref(found.ty), found.leaf());
                // as rustc shows it in the struct; in code it would leave that out
                if let Some(Type::TraitObject(object)) = size::place(ty, leaf)
                    && !object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
                {
                    object.bounds.push(parse_quote!('static));
                }
                let Some(doubted) = size::place(ty, at) else { break };
                let same = quote!(let _: #doubted;);
                this.put(doubted, of, true, &same);
            }
        }
        this
    }

    /// A name for the type; none for one that is wrong, where what `fails` does not compile.
    fn put(&mut self, doubted: &mut Type, of: Of<'_>, listed: bool, fails: &TokenStream) {
        let Of { name, vis, krate, .. } = of;
        let typed = format_ident!("{TYPED}{}", self.named, span = doubted.span());
        self.named += 1;
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

    /// Generated code, with what it names.
    pub(crate) fn around(self, generated: TokenStream) -> TokenStream {
        if self.items.is_empty() {
            return generated;
        }
        let items = self.items;
        quote!(#[allow(non_local_definitions)] const _: () = { #items #generated };)
    }
}

/// What does not compile if the field's type is one that has failed. (The field is not read by it: the lints would see that.)
fn of_field(name: &Ident, member: &Member) -> TokenStream {
    quote! {
        let _ = |this: &#name| {
            let #name { #member: _, .. } = this;
        };
    }
}

/// The first doubted one in a field's type.
fn doubted_in(ty: &mut Type) -> Option<&mut Type> {
    let at = std::ptr::from_ref(first(ty)?.ty);
    size::place(ty, at)
}

/// The first one that asks in a field's type, as it was written.
fn bare(ty: &mut Type) -> Option<&mut Type> {
    let at = asking(ty)?;
    let asks = size::place(ty, at)?;
    *asks = asked_of(asks)?;
    Some(asks)
}

/// Is something in the type by a name that [`Doubts`] gives it?
pub(crate) fn is_named(ty: &Type) -> bool {
    types::any_word(quote!(#ty), &|word| word.to_string().starts_with(TYPED))
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

#[cfg(test)]
mod tests {
    use super::*;
    use syn::ItemStruct;

    #[test]
    fn what_is_public_is_documented_as_it_was_written() {
        let mut def: ItemStruct = parse_quote!(
            struct A(Vec<dyn X>, pub Vec<dyn X>, pub u8);
        );
        let given = |place| Given { place, ty: parse_quote!(Asks), written: parse_quote!(Vec<dyn X>) };
        give(&mut def.fields, vec![given(1), given(0)]);
        let wanted: ItemStruct = parse_quote!(
            struct A(
                #[allow(clippy::type_complexity)] Asks,
                #[allow(clippy::type_complexity)]
                #[cfg(doc)]
                pub Vec<dyn X>,
                #[allow(clippy::type_complexity)]
                #[cfg(not(doc))]
                pub Asks,
                pub u8,
            );
        );
        let shown = |def: &ItemStruct| def.fields.iter().map(|field| quote!(#field).to_string()).collect::<Vec<_>>();
        assert_eq!(shown(&def), shown(&wanted));
    }
}
