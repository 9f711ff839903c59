//! Types that no field can have, since they have no size: a `dyn Trait` without `Dep`, a `str`, a slice. rustc tells of one wherever the struct is named, and
//! so of each of its impls; here it is told once. Types are known by their names: one that is written with a path, but for std's, is another one.

use crate::{krate::Krate, types};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Field, Fields, GenericArgument, PathArguments, PathSegment, Type, TypeParamBound, TypePath, spanned::Spanned as _,
};

/// Traits of std that are no interfaces.
const OF_STD: [&str; 8] = ["Any", "Debug", "Display", "Error", "Fn", "FnMut", "FnOnce", "Future"];
/// What may hold something without a size.
const POINTERS: [&str; 5] = ["Arc", "Box", "Dep", "Rc", "Weak"];
/// What has no size itself then.
const CELLS: [&str; 4] = ["Cell", "Mutex", "RefCell", "RwLock"];
/// Types of std that have none, by words that others may be called by: the compiler is asked which it is.
const DOUBTFUL: [&str; 3] = ["CStr", "OsStr", "Path"];
/// What holds only what has a size.
const CONTAINERS: [&str; 11] = [
    "BTreeMap", "BTreeSet", "HashMap", "HashSet", "LazyLock", "OnceCell", "OnceLock", "Option", "Result", "Vec",
    "VecDeque",
];

/// Something without a size, in a place where there must be one.
pub(crate) struct Unsized<'a> {
    /// What can not be: itself, or the container that it stands in.
    pub(crate) ty: &'a Type,
    leaf: &'a Type,
    /// The last word of what it stands in.
    around: String,
    /// What it stands in, if that is std's, as it is taken for by its name.
    taken: Vec<&'a TypePath>,
    /// Has `ty` itself no size?
    open: bool,
}

/// All in a field's type, in their order.
pub(crate) fn all(ty: &Type) -> Vec<Unsized<'_>> {
    search(ty, "", true)
}

/// The first one.
pub(crate) fn find(ty: &Type) -> Option<Unsized<'_>> {
    all(ty).into_iter().next()
}

/// The place in a type that was found there.
pub(crate) fn place(ty: &mut Type, of: *const Type) -> Option<&mut Type> {
    if std::ptr::eq(ty, of) {
        return Some(ty);
    }
    match ty {
        Type::Group(group) => place(&mut group.elem, of),
        Type::Paren(paren) => place(&mut paren.elem, of),
        Type::Slice(slice) => place(&mut slice.elem, of),
        Type::Array(array) => place(&mut array.elem, of),
        Type::Reference(lent) => place(&mut lent.elem, of),
        Type::Tuple(tuple) => tuple.elems.iter_mut().find_map(|inner| place(inner, of)),
        Type::Path(path) => {
            let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else {
                return None;
            };
            arguments.args.iter_mut().find_map(|argument| match argument {
                GenericArgument::Type(inner) => place(inner, of),
                _ => None,
            })
        }
        _ => None,
    }
}

/// Of a struct that a derive sees, and can not change.
pub(crate) enum Sizes<'a> {
    Known,
    /// A field is none that a struct can have: rustc says so, once.
    Told,
    /// The last field has no size, and so has the struct: it is right for rustc, but nothing that is of use can be implemented for it. (Of others that are wrong
    /// beside it rustc tells.)
    None(&'a Type),
}

/// What is known of the sizes of a struct's fields. (Of what is wrong only if a word is std's, nothing is: see `doubt.rs`.)
pub(crate) fn of_fields(fields: &Fields) -> Sizes<'_> {
    let is_wrong = |field: &&Field| find(&field.ty).is_some_and(|found| !found.is_doubted());
    let wrong = fields.iter().filter(is_wrong).count();
    match fields.iter().next_back() {
        Some(last) if has_none(&last.ty) => Sizes::None(&last.ty),
        _ if wrong > 0 => Sizes::Told,
        _ => Sizes::Known,
    }
}

/// What is wrong with a type that has no size, and the mend.
pub(crate) fn message(ty: &Type) -> String {
    Unsized { ty, leaf: ty, around: String::new(), taken: Vec::new(), open: true }.message()
}

/// Is the type itself one?
fn has_none(ty: &Type) -> bool {
    match types::ungroup(ty) {
        Type::TraitObject(_) | Type::Slice(_) => true,
        Type::Path(path) => path.qself.is_none() && path.path.is_ident("str"),
        _ => false,
    }
}

/// May the type itself be one? That is asked of the compiler.
pub(crate) fn is_doubtful(ty: &Type) -> bool {
    let Type::Path(path) = types::ungroup(ty) else { return false };
    let named = |last: &PathSegment| last.arguments.is_none() && DOUBTFUL.iter().any(|name| last.ident == name);
    types::may_be_of_std(path) && path.path.segments.last().is_some_and(named)
}

/// `sized`: must it have a size where it stands?
fn search<'a>(ty: &'a Type, around: &str, sized: bool) -> Vec<Unsized<'a>> {
    if sized && has_none(ty) {
        return vec![Unsized { ty, leaf: ty, around: around.to_string(), taken: Vec::new(), open: true }];
    }
    let closed = |inner: &'a Type| search(inner, "", true).into_iter().map(|found| Unsized { open: false, ..found });
    match ty {
        Type::Group(group) => search(&group.elem, around, sized),
        Type::Paren(paren) => search(&paren.elem, around, sized),
        Type::Slice(slice) => closed(&slice.elem).collect(),
        Type::Array(array) => closed(&array.elem).collect(),
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(closed).collect(),
        Type::Reference(lent) => search(&lent.elem, "", false),
        Type::Path(path) => within(ty, path, sized).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// In the arguments of a path.
fn within<'a>(ty: &'a Type, path: &'a TypePath, sized: bool) -> Option<Vec<Unsized<'a>>> {
    let last = path.path.segments.last().filter(|last| !last.arguments.is_none() && types::may_be_of_std(path))?;
    let word = last.ident.to_string();
    let (holds, sized) = match word.as_str() {
        word if POINTERS.contains(&word) => (false, false),
        word if CELLS.contains(&word) => (false, sized),
        word if CONTAINERS.contains(&word) => (true, true),
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut all = Vec::new();
    for argument in &arguments.args {
        if let GenericArgument::Type(inner) = argument {
            all.extend(search(inner, &word, sized));
        }
    }
    for found in &mut all {
        if found.open {
            found.taken.push(path);
            (found.ty, found.open) = (ty, !holds);
        }
    }
    Some(all)
}

impl Unsized<'_> {
    pub(crate) fn span(&self) -> Span {
        self.leaf.span()
    }

    /// What has no size itself.
    pub(crate) fn leaf(&self) -> *const Type {
        self.leaf
    }

    /// Is it wrong only if a word that stands around it is std's, and not another type of that name?
    pub(crate) fn is_doubted(&self) -> bool {
        !self.taken.is_empty()
    }

    /// Are these words std's? As a constant, in whose place [`IsNot`] is imported.
    pub(crate) fn question(&self, krate: &Krate) -> TokenStream {
        let words = self.taken.iter().map(|path| types::is_of_std(path, krate));
        quote!(true #(&& #words)*)
    }

    /// What is wrong, and the mend.
    pub(crate) fn message(&self) -> String {
        let (what, help) = match types::ungroup(self.leaf) {
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
                    format!("use a box: `{boxed}`")
                } else {
                    format!("use `{dep}` for an interface, and a box for any other trait: `{boxed}`")
                };
                (format!("`dyn {name}`"), help)
            }
            Type::Slice(_) => ("a slice".to_string(), "use `Vec<..>` or `Box<[..]>`".to_string()),
            _ => ("`str`".to_string(), "use `String` or `&'static str`".to_string()),
        };
        format!("CN036: {what} has no known size, so a field cannot hold it\n= help: {help}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn told(ty: Type) -> Option<String> {
        find(&ty).map(|found| found.message())
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
    fn each_part_is_told_of() {
        let told = |ty: Type| all(&ty).iter().map(Unsized::is_doubted).collect::<Vec<_>>();
        assert_eq!(told(parse_quote!((Vec<str>, u8, str, Option<(dyn Kv, [u8])>))), [true, false, false, false]);
        assert_eq!(told(parse_quote!(Mutex<Vec<dyn Kv>>)), [true]);
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
