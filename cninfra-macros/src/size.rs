//! Types that no field can have, since they have no size: a `dyn Trait` without `Dep`, a `str`, a slice. rustc tells of one wherever the struct is named, and
//! so of each of its impls; here it is told once. What the words alone do not say, since types of one's own may be called so, is asked of the compiler.

use crate::{
    known::{self, Doubts, Size},
    krate::{self, Krate},
    types,
};
use quote::quote;
use syn::{Field, Fields, GenericArgument, PathArguments, Type, TypeParamBound, spanned::Spanned as _};

/// Traits of std that are no interfaces.
const OF_STD: [&str; 8] = ["Any", "Debug", "Display", "Error", "Fn", "FnMut", "FnOnce", "Future"];

/// Something without a size, in a place where there must be one.
pub(crate) struct Unsized<'a> {
    ty: &'a mut Type,
    /// The last word of what it stands in.
    around: String,
    /// What decides whether it is wrong.
    doubts: Doubts,
}

/// The first one in a field's type.
pub(crate) fn find(ty: &mut Type) -> Option<Unsized<'_>> {
    search(ty, "", Some(Vec::new()))
}

/// Of a struct that a derive sees, and can not change.
pub(crate) enum Sizes<'a> {
    Known,
    /// A field is none that a struct can have: rustc says so, once.
    Told,
    /// The last field has no size, and so has the struct: it is right for rustc, but nothing that is of use can be implemented for it.
    None(&'a Type),
}

/// What is known of the sizes of a struct's fields.
pub(crate) fn of_fields(fields: &Fields) -> Sizes<'_> {
    let is_wrong = |field: &Field| find(&mut field.ty.clone()).is_some();
    let wrong = fields.iter().filter(|field| is_wrong(field)).count();
    match fields.iter().next_back() {
        Some(last) if wrong == 1 && has_none(&last.ty).is_some() => Sizes::None(&last.ty),
        _ if wrong > 0 => Sizes::Told,
        _ => Sizes::Known,
    }
}

/// What is wrong with a type that has no size, and the mend.
pub(crate) fn message(ty: &Type) -> String {
    Unsized { ty: &mut ty.clone(), around: String::new(), doubts: Vec::new() }.message()
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

/// `sized`: what must be std's, so that it must have a size where it stands.
fn search<'a>(ty: &'a mut Type, around: &str, sized: Option<Doubts>) -> Option<Unsized<'a>> {
    if let (Some(sized), Some(doubts)) = (&sized, has_none(ty)) {
        return Some(Unsized { ty, around: around.to_string(), doubts: [&sized[..], &doubts].concat() });
    }
    match ty {
        Type::Group(group) => search(&mut group.elem, around, sized),
        Type::Paren(paren) => search(&mut paren.elem, around, sized),
        Type::Slice(slice) => search(&mut slice.elem, "", Some(Vec::new())),
        Type::Array(array) => search(&mut array.elem, "", Some(Vec::new())),
        Type::Tuple(tuple) => tuple.elems.iter_mut().find_map(|inner| search(inner, "", sized.clone())),
        Type::Reference(lent) => search(&mut lent.elem, "", None),
        Type::Path(path) => {
            let known = known::named(path)?;
            let sized = match known.size {
                Size::Any | Size::Behind => None,
                Size::Inner | Size::None if sized.is_none() => None,
                Size::Inner | Size::None => Some([&sized?[..], &[known.compared(path)?]].concat()),
                Size::Held => Some(vec![known.compared(path)?]),
            };
            let last = path.path.segments.last_mut()?;
            let word = last.ident.to_string();
            let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { return None };
            arguments.args.iter_mut().find_map(|argument| match argument {
                GenericArgument::Type(inner) => search(inner, &word, sized.clone()),
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
