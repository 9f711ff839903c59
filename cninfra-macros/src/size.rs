//! Types that no field can have, since they have no size: a `dyn Trait` without `Dep`, a `str`, a slice. rustc tells of one wherever the struct is named, and
//! so of each of its impls; here it is told once. What the words alone do not say, since types of one's own may be called so, is asked of the compiler.

use crate::{
    known::{self, Doubts, Size},
    krate::{self, Krate},
    types,
};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Fields, GenericArgument, PathArguments, Type, TypeParamBound, spanned::Spanned as _};

/// Traits of std that are no interfaces.
const OF_STD: [&str; 8] = ["Any", "Debug", "Display", "Error", "Fn", "FnMut", "FnOnce", "Future"];

/// Something without a size, in a place where there must be one.
pub(crate) struct Unsized<'a> {
    ty: &'a mut Type,
    /// The last word of what it stands in.
    around: String,
    /// What decides whether it is wrong.
    doubts: Doubts,
    /// Has what it stands in no size either?
    at_end: bool,
}

/// The first one in a field's type.
pub(crate) fn find(ty: &mut Type) -> Option<Unsized<'_>> {
    search(ty, "", Some(Vec::new()), true)
}

/// Of a struct that a derive sees, and can not change.
pub(crate) enum Sizes {
    Known,
    /// A field is none that a struct can have: rustc says so, once. With a question whether it is what it looks like.
    Told(TokenStream),
    /// The last field has no size, and so has the struct: it is right for rustc, but nothing that is of use can be implemented for it.
    None {
        at: Span,
        /// Is it so whatever the words mean?
        is_sure: bool,
        /// A type that is an error then.
        refused: Box<Type>,
        /// As of what is told.
        asked: TokenStream,
    },
}

/// What is known of the sizes of a struct's fields, but for those that [`guarded`] asks for.
pub(crate) fn of_fields(fields: &Fields, krate: &Krate) -> Sizes {
    let (mut wrong, mut asked, mut end) = (0, TokenStream::new(), None);
    for (place, field) in fields.iter().enumerate().filter(|(_, field)| !is_doubtful(&field.ty)) {
        let mut ty = field.ty.clone();
        let Some(found) = find(&mut ty) else { continue };
        wrong += 1;
        asked.extend(known::other(&found.doubts, krate));
        if found.at_end && place + 1 == fields.len() {
            let (at, mut refused) = (found.ty.span(), found.ty.clone());
            let is_sure = Unsized { ty: &mut refused, ..found }.refuse(krate);
            end = Some((at, is_sure, refused));
        }
    }
    match end {
        Some((at, is_sure, refused)) if wrong == 1 => Sizes::None { at, is_sure, refused: Box::new(refused), asked },
        _ if wrong > 0 => Sizes::Told(asked),
        _ => Sizes::Known,
    }
}

/// Is it a type of std without a size, if it is not another of its name? (Nobody calls another one `str`.)
fn is_doubtful(ty: &Type) -> bool {
    matches!(types::ungroup(ty), Type::Path(path) if !path.path.is_ident("str")) && has_none(ty).is_some()
}

/// Such a type, and what is an error in its place if it is std's.
pub(crate) fn guarded(ty: &Type, krate: &Krate) -> Option<Type> {
    let mut guarded = ty.clone();
    if is_doubtful(ty) {
        find(&mut guarded)?.refuse(krate);
        return Some(guarded);
    }
    None
}

/// Is the type itself one, and if what?
fn has_none(ty: &Type) -> Option<Doubts> {
    match types::ungroup(ty) {
        Type::TraitObject(_) | Type::Slice(_) => Some(Vec::new()),
        Type::Path(path) => {
            let known = known::named(path).filter(|known| known.size == Size::None)?;
            let is_bare = path.path.segments.last().is_some_and(|last| last.arguments.is_none());
            Some(vec![known.compared(path).filter(|_| is_bare)?])
        }
        _ => None,
    }
}

/// `sized`: what must be std's, so that it must have a size where it stands. `at_end`: has what it stands in no size if it has none?
fn search<'a>(ty: &'a mut Type, around: &str, sized: Option<Doubts>, at_end: bool) -> Option<Unsized<'a>> {
    if let (Some(sized), Some(doubts)) = (&sized, has_none(ty)) {
        return Some(Unsized { ty, around: around.to_string(), doubts: [&sized[..], &doubts].concat(), at_end });
    }
    match ty {
        Type::Group(group) => search(&mut group.elem, around, sized, at_end),
        Type::Paren(paren) => search(&mut paren.elem, around, sized, at_end),
        Type::Slice(slice) => search(&mut slice.elem, "", Some(Vec::new()), false),
        Type::Array(array) => search(&mut array.elem, "", Some(Vec::new()), false),
        Type::Tuple(tuple) => {
            let last = tuple.elems.len().saturating_sub(1);
            let mut all = tuple.elems.iter_mut().enumerate();
            all.find_map(|(place, inner)| search(inner, "", sized.clone(), at_end && place == last))
        }
        Type::Reference(lent) => search(&mut lent.elem, "", None, false),
        Type::Path(path) => {
            let known = known::named(path)?;
            let (sized, at_end) = match known.size {
                Size::Any | Size::Behind => (None, false),
                Size::Inner | Size::None if sized.is_none() => (None, false),
                Size::Inner | Size::None => (Some([&sized?[..], &[known.compared(path)?]].concat()), at_end),
                Size::Held => (Some(vec![known.compared(path)?]), false),
            };
            let last = path.path.segments.last_mut()?;
            let word = last.ident.to_string();
            let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { return None };
            arguments.args.iter_mut().find_map(|argument| match argument {
                GenericArgument::Type(inner) => search(inner, &word, sized.clone(), at_end),
                _ => None,
            })
        }
        _ => None,
    }
}

impl Unsized<'_> {
    /// Puts in its place what is an error, if it is wrong; else it is what it was. Is it wrong for sure?
    pub(crate) fn refuse(self, krate: &Krate) -> bool {
        let (span, message) = (self.ty.span(), self.message());
        let is_sure = self.doubts.is_empty();
        *self.ty = if is_sure {
            let ty = &self.ty;
            krate::error(span, &message, &quote!(#ty), krate)
        } else {
            known::asked(&self.doubts, self.ty, &message, krate)
        };
        is_sure
    }

    /// What is wrong, and the mend.
    pub(crate) fn message(&self) -> String {
        let (what, help) = match types::ungroup(self.ty) {
            Type::TraitObject(object) => {
                let name = object.bounds.iter().find_map(|bound| match bound {
                    TypeParamBound::Trait(bound) => bound.path.segments.last().map(|last| last.ident.to_string()),
                    _ => None,
                });
                let name = name.unwrap_or_else(|| "Trait".to_string());
                let boxed = if name.starts_with("Fn") {
                    format!("Box<dyn {name}(..) + Send + Sync>")
                } else {
                    format!("Box<dyn {name} + Send + Sync>")
                };
                let dep = match self.around.as_str() {
                    around @ ("Option" | "Vec") => format!("{around}<Dep<dyn {name}>>"),
                    _ => format!("Dep<dyn {name}>"),
                };
                let help = if OF_STD.contains(&name.as_str()) {
                    format!("hold it in a box: `{boxed}`")
                } else {
                    format!("an interface is asked for by `{dep}`; what is none is held in a box: `{boxed}`")
                };
                (format!("`dyn {name}`"), help)
            }
            Type::Slice(_) => ("a slice".to_string(), "hold a `Vec<..>`, or a `Box<[..]>`".to_string()),
            Type::Path(path) => {
                let word = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                let help = match word.as_str() {
                    "str" => "hold a `String`, or a `&'static str`",
                    "CStr" => "hold a `CString`",
                    "OsStr" => "hold an `OsString`",
                    _ => "hold a `PathBuf`",
                };
                (format!("`{word}`"), help.to_string())
            }
            _ => ("it".to_string(), "hold it in a box".to_string()),
        };
        format!("CN036: {what} has no size, so no field can hold it\n= help: {help}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn told(mut ty: Type) -> Option<String> {
        find(&mut ty).map(|found| found.message())
    }

    #[test]
    fn what_has_no_size_is_told_with_its_mend() {
        let wrong: [(Type, &str); 9] = [
            (parse_quote!(dyn a::Kv), "`Dep<dyn Kv>`"),
            (parse_quote!(Option<dyn Kv>), "`Option<Dep<dyn Kv>>`"),
            (parse_quote!(std::vec::Vec<dyn Kv + Send>), "`Vec<Dep<dyn Kv>>`"),
            (parse_quote!(Vec<dyn Fn(u8) -> u8>), "`Box<dyn Fn(..) + Send + Sync>`"),
            (parse_quote!(std::sync::Mutex<dyn Kv>), "`Dep<dyn Kv>`"),
            (parse_quote!(Arc<Vec<[u8]>>), "`Vec<..>`"),
            (parse_quote!((u8, Option<str>)), "`String`"),
            (parse_quote!([str; 2]), "`String`"),
            (parse_quote!(HashMap<str, u8>), "`String`"),
        ];
        for (ty, mend) in wrong {
            let told = told(ty);
            assert!(told.as_ref().is_some_and(|told| told.contains(mend)), "{told:?}, {mend}");
        }
    }

    #[test]
    fn what_may_be_held_is_not_told_of() {
        let right: [Type; 17] = [
            parse_quote!(Dep<dyn Kv>),
            parse_quote!(Vec<Dep<dyn Kv>>),
            parse_quote!(Box<dyn Kv>),
            parse_quote!(Arc<Mutex<dyn Kv>>),
            parse_quote!(Arc<std::sync::RwLock<[u8]>>),
            parse_quote!(Vec<Box<dyn Kv>>),
            parse_quote!(&'static str),
            parse_quote!(&'static [u8]),
            parse_quote!(Box<[u8]>),
            parse_quote!(Arc<str>),
            parse_quote!(Option<Arc<str>>),
            parse_quote!(PhantomData<dyn Kv>),
            parse_quote!(PhantomData<str>),
            parse_quote!(fn(&str) -> Box<dyn Kv>),
            // others of these names
            parse_quote!(my::Vec<dyn Kv>),
            parse_quote!(self::str),
            parse_quote!(<str as ToOwned>::Owned),
        ];
        for ty in right {
            assert_eq!(told(ty), None);
        }
    }
}
