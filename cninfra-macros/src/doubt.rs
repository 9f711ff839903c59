//! Fields that cannot have the type that they seem to have, if a name in it is std's: `Vec<dyn Trait>`. Another type
//! may have the same name, and be correct. So the compiler is asked, and the generated code is correct either way. If
//! the name is std's, the field is reported once, and generated code uses a type about which the compiler reports
//! nothing more.

use crate::{krate::Krate, size, types};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Field, Fields, GenericArgument, Generics, Ident, Member, PathArguments, Type, TypeParamBound, TypePath, Visibility,
    parse_quote, parse_quote_spanned, spanned::Spanned as _,
};

/// The function that is called by the check in a doubted type.
const CHECK: &str = "no_size";

/// The names of the types that stand for doubted ones start with this.
const NAME_PREFIX: &str = "__CninfraTyped";

/// A doubted part of a field's type.
struct Doubted {
    at: *const Type,
    ty: Type,
    question: TokenStream,
    span: Span,
    message: String,
}

fn find_doubted(ty: &Type, krate: &Krate) -> Option<Doubted> {
    let found = first_doubted(ty)?;
    let (ty, question) = (found.ty.clone(), found.question(krate));
    Some(Doubted { at: found.ty, ty, question, span: found.span(), message: found.message() })
}

fn first_doubted(ty: &Type) -> Option<size::Unsized<'_>> {
    size::all_unsized(ty).into_iter().find(size::Unsized::is_doubted)
}

/// Adds a check to each doubted part of a field's type, which fails with our message. Returns whether there is any.
pub(crate) fn add_checks(ty: &mut Type, krate: &Krate) -> bool {
    let mut has_check = false;
    while let Some(Doubted { at, ty: doubted, question, span, message }) = find_doubted(ty, krate) {
        let Some(place) = size::part_at(ty, at) else { break };
        let lib = krate.at(span);
        *place = Type::Verbatim(quote_spanned! {span=>
            <#lib::Sound<{
                #[allow(unused_imports)]
                use #lib::IsNot as _;
                #lib::no_size(#question, #message)
            }> as #lib::Pass>::Any<#doubted>
        });
        has_check = true;
    }
    has_check
}

/// A constant that fails with our message if a field's type is unsized. The type has the name of an unsized std type,
/// but may be another one. `IsNot` must be in scope.
pub(crate) fn size_check(ty: &Type, plugin: &Ident, member: &Member, krate: &Krate) -> TokenStream {
    let at = krate.at(ty.span());
    let message = format!(
        "CN036: `{plugin}::{}` has no known size, so a field cannot hold it\n= help: use `PathBuf`, `OsString` or `CString`",
        quote!(#member),
    );
    quote_spanned!(ty.span()=> #at::no_size(!#at::Is::<#ty>::__SIZED, #message))
}

/// The type, as long as the constant can be evaluated. `pass`: the associated type of `Pass` to use. `span`: the place
/// of the type, for rustc's errors about the whole field.
pub(crate) fn guarded(constant: &TokenStream, pass: &str, ty: TokenStream, span: Span, krate: &Krate) -> TokenStream {
    let pass = format_ident!("{pass}");
    quote_spanned! {span=>
        <#krate::Sound<{ #[allow(unused_imports)] use #krate::IsNot as _; #constant }> as #krate::Pass>::#pass<#ty>
    }
}

/// The type that a field gets in the struct, and the one that the user wrote, for the documentation.
pub(crate) struct Replacement {
    pub(crate) place: usize,
    pub(crate) ty: Type,
    pub(crate) written: Type,
}

/// Gives fields of the struct their new types. Public fields are documented with the type that the user wrote.
pub(crate) fn replace_types(fields: &mut Fields, replacements: Vec<Replacement>) {
    let all = match fields {
        Fields::Named(named) => &mut named.named,
        Fields::Unnamed(unnamed) => &mut unnamed.unnamed,
        Fields::Unit => return,
    };
    // Most plugins have none.
    if replacements.is_empty() {
        return;
    }
    let mut written: Vec<_> = all.iter().map(|_| None).collect();
    for Replacement { place, ty, written: shown } in replacements {
        let field = &mut all[place];
        field.ty = ty;
        // The check must not make the user's type too complex for clippy.
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

/// The types that stand for doubted types in generated code.
#[derive(Default)]
pub(crate) struct Doubts {
    items: TokenStream,
    /// The number of these types.
    named: usize,
    /// The types that fields get in the struct.
    pub(crate) replacements: Vec<Replacement>,
}

/// The struct with the doubted types.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) vis: &'a Visibility,
    pub(crate) generics: &'a Generics,
    pub(crate) krate: &'a Krate,
}

impl Doubts {
    /// For a plugin. If its struct is `owned`, so that it can be changed, `replacements` gets the doubted fields' types
    /// with checks, and `fields` those for generated code; otherwise the struct has the checks already. (For a generic
    /// struct, generated code uses the checked types, too: a constant cannot name a parameter, so rustc also reports a
    /// wrong type itself.) `listed`: whether the field's type is part of `Plugin::Deps`.
    pub(crate) fn of_plugin(
        owner: Owner<'_>,
        fields: &mut Fields,
        owned: bool,
        listed: impl Fn(usize) -> bool,
    ) -> Self {
        let mut this = Doubts::default();
        let is_doubted = |ty| if owned { first_doubted(ty).is_some() } else { has_check(ty) };
        // Most plugins have none, and need no further work.
        let places: Vec<_> =
            fields.iter().enumerate().filter(|(_, field)| is_doubted(&field.ty)).map(|(place, _)| place).collect();
        if places.is_empty() {
            return this;
        }
        let generic = !owner.generics.params.is_empty();
        let members: Vec<_> = fields.members().collect();
        for (place, (field, member)) in fields.iter_mut().zip(members).enumerate() {
            if !places.contains(&place) {
                continue;
            }
            let ty = &mut field.ty;
            if owned {
                let mut checked = ty.clone();
                add_checks(&mut checked, owner.krate);
                let written = if generic { std::mem::replace(ty, checked.clone()) } else { ty.clone() };
                this.replacements.push(Replacement { place, ty: checked, written });
            }
            if generic {
                continue;
            }
            let (is_listed, fails) = (listed(place), field_check(owner.name, &member));
            while let Some(doubted) = if owned { doubted_part(ty) } else { remove_first_check(ty) } {
                this.replace_with_name(doubted, owner, is_listed, &fails);
            }
        }
        this
    }

    /// For a struct that cannot be changed. rustc reports what is wrong in it; the generated code fails with the same
    /// words at the same place, so that it is one error.
    pub(crate) fn of_derived<'a>(owner: Owner<'_>, types: impl IntoIterator<Item = &'a mut Type>) -> Self {
        let mut this = Doubts::default();
        if !owner.generics.params.is_empty() {
            return this;
        }
        for ty in types {
            while let Some(found) = first_doubted(ty) {
                let (at, leaf) = (std::ptr::from_ref(found.ty), found.leaf());
                // rustc shows this bound for the struct, but would leave it out for a function body.
                if let Some(Type::TraitObject(object)) = size::part_at(ty, leaf)
                    && !object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)))
                {
                    object.bounds.push(parse_quote!('static));
                }
                let Some(doubted) = size::part_at(ty, at) else { break };
                let same = quote!(let _: #doubted;);
                this.replace_with_name(doubted, owner, true, &same);
            }
        }
        this
    }

    /// Replaces a doubted type with a name for it. If the type is wrong, so that `fails` does not compile, the compiler
    /// does not know what the name stands for, and reports nothing more.
    fn replace_with_name(&mut self, doubted: &mut Type, owner: Owner<'_>, listed: bool, fails: &TokenStream) {
        let Owner { name, vis, krate, .. } = owner;
        let typed = format_ident!("{NAME_PREFIX}{}", self.named, span = doubted.span());
        self.named += 1;
        // `Self` is another type here than in the struct.
        let itself = quote!(#name);
        let own = types::replace_word(quote!(#doubted), "Self", &itself);
        let fails = types::replace_word(fails.clone(), "Self", &itself);
        // A type that is not in `Deps` may be private, and then its name has to be private, too.
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

    /// The generated code, with the types that it names.
    pub(crate) fn wrap(self, generated: TokenStream) -> TokenStream {
        if self.items.is_empty() {
            return generated;
        }
        let items = self.items;
        quote!(#[allow(non_local_definitions)] const _: () = { #items #generated };)
    }
}

/// Code that does not compile if the check in the field's type has failed. It does not read the field, since that would
/// silence the dead-code lint.
fn field_check(name: &Ident, member: &Member) -> TokenStream {
    quote! {
        let _ = |this: &#name| {
            let #name { #member: _, .. } = this;
        };
    }
}

/// The first doubted part of a field's type.
fn doubted_part(ty: &mut Type) -> Option<&mut Type> {
    let at = std::ptr::from_ref(first_doubted(ty)?.ty);
    size::part_at(ty, at)
}

/// The first checked part of a field's type, after its check has been removed.
fn remove_first_check(ty: &mut Type) -> Option<&mut Type> {
    let at = checked_part(ty)?;
    let part = size::part_at(ty, at)?;
    *part = type_in_check(part)?;
    Some(part)
}

/// Whether the type contains a name that [`Doubts`] has given.
pub(crate) fn contains_given_name(ty: &Type) -> bool {
    types::has_word_that(quote!(#ty), &|word| word.to_string().starts_with(NAME_PREFIX))
}

/// Whether a part of the type has a check. Most types are not searched token by token.
pub(crate) fn has_check(ty: &Type) -> bool {
    checked_part(ty).is_some()
}

/// The first part of a field's type that has a check.
fn checked_part(ty: &Type) -> Option<*const Type> {
    match ty {
        Type::Verbatim(_) | Type::Path(TypePath { qself: Some(_), .. }) => {
            types::contains_word(quote!(#ty), CHECK).then(|| std::ptr::from_ref(ty))
        }
        Type::Group(group) => checked_part(&group.elem),
        Type::Paren(paren) => checked_part(&paren.elem),
        Type::Slice(slice) => checked_part(&slice.elem),
        Type::Array(array) => checked_part(&array.elem),
        Type::Reference(lent) => checked_part(&lent.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(checked_part),
        Type::Path(path) => match &path.path.segments.last()?.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inner) => checked_part(inner),
                _ => None,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The type that is checked.
fn type_in_check(checked: &Type) -> Option<Type> {
    let Type::Path(path) = checked else { return None };
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
        let replacement = |place| Replacement { place, ty: parse_quote!(Checked), written: parse_quote!(Vec<dyn X>) };
        replace_types(&mut def.fields, vec![replacement(1), replacement(0)]);
        let wanted: ItemStruct = parse_quote!(
            struct A(
                #[allow(clippy::type_complexity)] Checked,
                #[allow(clippy::type_complexity)]
                #[cfg(doc)]
                pub Vec<dyn X>,
                #[allow(clippy::type_complexity)]
                #[cfg(not(doc))]
                pub Checked,
                pub u8,
            );
        );
        let shown = |def: &ItemStruct| def.fields.iter().map(|field| quote!(#field).to_string()).collect::<Vec<_>>();
        assert_eq!(shown(&def), shown(&wanted));
    }
}
