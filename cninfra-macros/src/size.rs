//! Types that no field can have since they are unsized: a `dyn Trait` without `Dep`, a `str`, a slice. rustc reports
//! one wherever the struct is named, and so for each of its impls; here it is reported once. Types are recognised by
//! their names; one with a path that does not lead into std is another type.

use crate::{krate::Krate, types};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Field, Fields, GenericArgument, PathArguments, PathSegment, Type, TypeParamBound, TypePath, spanned::Spanned as _,
};

/// Traits of std, which are no interfaces.
const OF_STD: [&str; 8] = ["Any", "Debug", "Display", "Error", "Fn", "FnMut", "FnOnce", "Future"];
/// Types that may hold something unsized.
const POINTERS: [&str; 5] = ["Arc", "Box", "Dep", "Rc", "Weak"];
/// Types that are unsized if what they hold is.
const CELLS: [&str; 4] = ["Cell", "Mutex", "RefCell", "RwLock"];
/// Unsized types of std whose names other types may have, too: the compiler is asked which type it is.
const MAY_BE_UNSIZED: [&str; 3] = ["CStr", "OsStr", "Path"];
/// Types that can hold only what is sized.
const CONTAINERS: [&str; 11] = [
    "BTreeMap", "BTreeSet", "HashMap", "HashSet", "LazyLock", "OnceCell", "OnceLock", "Option", "Result", "Vec",
    "VecDeque",
];

/// Something unsized in a place where something sized is required.
pub(crate) struct Unsized<'a> {
    /// What is wrong: the unsized type itself, or the container that holds it.
    pub(crate) ty: &'a Type,
    leaf: &'a Type,
    /// The name of the type that directly holds it.
    container: String,
    /// The types around it, which are taken for std's because of their names.
    taken_for_std: Vec<&'a TypePath>,
    /// Whether `ty` itself is unsized.
    is_unsized: bool,
}

/// All unsized types in the type of a field, in order.
pub(crate) fn all_unsized(ty: &Type) -> Vec<Unsized<'_>> {
    search(ty, "", true)
}

/// The first of them.
pub(crate) fn first_unsized(ty: &Type) -> Option<Unsized<'_>> {
    all_unsized(ty).into_iter().next()
}

/// The part of a type that has this address, so that it can be replaced.
pub(crate) fn part_at(ty: &mut Type, of: *const Type) -> Option<&mut Type> {
    if std::ptr::eq(ty, of) {
        return Some(ty);
    }
    match ty {
        Type::Group(group) => part_at(&mut group.elem, of),
        Type::Paren(paren) => part_at(&mut paren.elem, of),
        Type::Slice(slice) => part_at(&mut slice.elem, of),
        Type::Array(array) => part_at(&mut array.elem, of),
        Type::Reference(lent) => part_at(&mut lent.elem, of),
        Type::Tuple(tuple) => tuple.elems.iter_mut().find_map(|inner| part_at(inner, of)),
        Type::Path(path) => {
            let PathArguments::AngleBracketed(arguments) = &mut path.path.segments.last_mut()?.arguments else {
                return None;
            };
            arguments.args.iter_mut().find_map(|argument| match argument {
                GenericArgument::Type(inner) => part_at(inner, of),
                _ => None,
            })
        }
        _ => None,
    }
}

/// The sizes of the fields of a struct that a derive sees, but cannot change.
pub(crate) enum Sizes<'a> {
    Known,
    /// A field has a type that no struct can have: rustc reports it, once.
    Reported,
    /// The last field is unsized, and so is the struct. rustc accepts that, but nothing useful can be implemented for
    /// it. (rustc reports other unsized fields beside it.)
    Unsized(&'a Type),
}

/// What is known about the sizes of a struct's fields. Types that are wrong only if a name is std's are not examined
/// here: see `doubt.rs`.
pub(crate) fn sizes_of(fields: &Fields) -> Sizes<'_> {
    let is_wrong = |field: &&Field| first_unsized(&field.ty).is_some_and(|found| !found.is_doubted());
    let wrong = fields.iter().filter(is_wrong).count();
    match fields.iter().next_back() {
        Some(last) if is_unsized(&last.ty) => Sizes::Unsized(&last.ty),
        _ if wrong > 0 => Sizes::Reported,
        _ => Sizes::Known,
    }
}

/// The error about an unsized type, with its help.
pub(crate) fn message(ty: &Type) -> String {
    Unsized { ty, leaf: ty, container: String::new(), taken_for_std: Vec::new(), is_unsized: true }.message()
}

/// Whether the type itself is unsized.
fn is_unsized(ty: &Type) -> bool {
    match types::ungroup(ty) {
        Type::TraitObject(_) | Type::Slice(_) => true,
        Type::Path(path) => path.qself.is_none() && path.path.is_ident("str"),
        _ => false,
    }
}

/// Whether the type itself may be unsized, which the compiler is asked.
pub(crate) fn may_be_unsized(ty: &Type) -> bool {
    let Type::Path(path) = types::ungroup(ty) else { return false };
    let named = |last: &PathSegment| last.arguments.is_none() && MAY_BE_UNSIZED.iter().any(|name| last.ident == name);
    types::may_be_of_std(path) && path.path.segments.last().is_some_and(named)
}

/// `sized`: whether a sized type is required here.
fn search<'a>(ty: &'a Type, container: &str, sized: bool) -> Vec<Unsized<'a>> {
    if sized && is_unsized(ty) {
        return vec![Unsized {
            ty,
            leaf: ty,
            container: container.to_string(),
            taken_for_std: Vec::new(),
            is_unsized: true,
        }];
    }
    let sized_part =
        |inner: &'a Type| search(inner, "", true).into_iter().map(|found| Unsized { is_unsized: false, ..found });
    match ty {
        Type::Group(group) => search(&group.elem, container, sized),
        Type::Paren(paren) => search(&paren.elem, container, sized),
        Type::Slice(slice) => sized_part(&slice.elem).collect(),
        Type::Array(array) => sized_part(&array.elem).collect(),
        Type::Tuple(tuple) => tuple.elems.iter().flat_map(sized_part).collect(),
        Type::Reference(lent) => search(&lent.elem, "", false),
        Type::Path(path) => search_arguments(ty, path, sized).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Searches the arguments of a path.
fn search_arguments<'a>(ty: &'a Type, path: &'a TypePath, sized: bool) -> Option<Vec<Unsized<'a>>> {
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
        if found.is_unsized {
            found.taken_for_std.push(path);
            (found.ty, found.is_unsized) = (ty, !holds);
        }
    }
    Some(all)
}

impl Unsized<'_> {
    pub(crate) fn span(&self) -> Span {
        self.leaf.span()
    }

    /// The address of the part that is unsized itself.
    pub(crate) fn leaf(&self) -> *const Type {
        self.leaf
    }

    /// Whether it is wrong only if the name of a type around it is std's, and not that of another type.
    pub(crate) fn is_doubted(&self) -> bool {
        !self.taken_for_std.is_empty()
    }

    /// A constant that tells whether these names are std's. `IsNot` must be in scope.
    pub(crate) fn question(&self, krate: &Krate) -> TokenStream {
        let words = self.taken_for_std.iter().map(|path| types::std_question(path, krate));
        quote!(true #(&& #words)*)
    }

    /// The error, with its help.
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
                let dep = match self.container.as_str() {
                    container @ ("Option" | "Vec") => format!("{container}<Dep<dyn {name}>>"),
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
        first_unsized(&ty).map(|found| found.message())
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
        let told = |ty: Type| all_unsized(&ty).iter().map(Unsized::is_doubted).collect::<Vec<_>>();
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
            // Other types with these names.
            parse_quote!(my::Vec<dyn Kv>),
            parse_quote!(self::str),
            parse_quote!(<str as ToOwned>::Owned),
        ];
        for ty in right {
            assert_eq!(told(ty), None);
        }
    }
}
