//! Finds types that cannot be shared between threads, whatever the types in them are that users have defined. The
//! struct itself checks for them: see `shared.rs`.

use super::{
    placeholders::Placeholders,
    std_words::{CELLS, HOLDERS},
};
use crate::{krate::Krate, types};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{GenericArgument, PathArguments, Type, TypePath, TypeTraitObject, spanned::Spanned as _};

/// Traits of std whose `dyn` is not shared between threads unless its bounds say so.
const UNSHARED: [&str; 7] = ["Any", "Error", "Fn", "FnMut", "FnOnce", "Future", "Iterator"];

/// What is required of a type.
#[derive(Clone, Copy)]
struct Required {
    send: bool,
    sync: bool,
}

/// A type that cannot be shared between threads.
pub(super) struct Local<'a> {
    /// The types whose names must be std's for that.
    std_types: Vec<&'a TypePath>,
    /// The trait object that, in addition, must not meet the requirement: its trait is recognised by its name only.
    object: Option<(&'a TypeTraitObject, Required)>,
}

/// Finds out that a type cannot be shared between threads. The struct checks nothing else, and not the whole type: its
/// type arguments may lead back to the plugin, and so to the check itself.
pub(super) fn find(ty: &Type) -> Option<Local<'_>> {
    search(ty, Required { send: true, sync: true })
}

fn search(ty: &Type, required: Required) -> Option<Local<'_>> {
    let leaf = |is: bool| is.then(|| Local { std_types: Vec::new(), object: None });
    match types::ungroup(ty) {
        Type::Ptr(_) => leaf(required.send || required.sync),
        Type::Reference(lent) if lent.mutability.is_none() => search(&lent.elem, Required { send: false, sync: true }),
        Type::Reference(lent) => search(&lent.elem, required),
        Type::Array(array) => search(&array.elem, required),
        Type::Slice(slice) => search(&slice.elem, required),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(|inner| search(inner, required)),
        Type::TraitObject(object) => {
            let has_bound = |name: &str| object.bounds.iter().any(|bound| types::is_trait(bound, name));
            let is_of_std = UNSHARED.iter().any(|name| has_bound(name));
            let lacks_one = is_of_std && (required.send && !has_bound("Send") || required.sync && !has_bound("Sync"));
            lacks_one.then(|| Local { std_types: Vec::new(), object: Some((object, required)) })
        }
        Type::Path(path) if types::may_be_of_std(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            let within = |required: Required| {
                arguments.args.iter().find_map(|argument| match argument {
                    GenericArgument::Type(inner) => search(inner, required),
                    _ => None,
                })
            };
            let word = last.ident.to_string();
            let mut found = match word.as_str() {
                "Rc" => leaf(required.send || required.sync),
                "Weak" => leaf((required.send || required.sync) && may_be_of_rc(path)),
                word if CELLS.contains(&word) => {
                    leaf(required.sync).or_else(|| within(Required { sync: false, ..required }))
                }
                "Mutex" => within(Required { send: required.send || required.sync, sync: false }),
                "RwLock" | "OnceLock" | "LazyLock" => {
                    within(Required { send: required.send || required.sync, ..required })
                }
                "Arc" => within(Required { send: true, sync: true }),
                word if HOLDERS.contains(&word) => within(required),
                _ => None,
            }?;
            found.std_types.push(path);
            Some(found)
        }
        _ => None,
    }
}

/// Whether it may be the `Weak` of `Rc`. That of `Arc` is shared between threads.
fn may_be_of_rc(path: &TypePath) -> bool {
    let segments = &path.path.segments;
    segments.len() == 1 || segments.iter().any(|word| word.ident == "rc")
}

impl Local<'_> {
    /// Whether the names alone decide it.
    pub(super) fn is_decided_by_names(&self) -> bool {
        self.object.is_none()
    }

    /// A constant, for the struct, that tells whether the names are std's and the trait object does not meet the
    /// requirement. `IsNot` must be in scope. `None` if the struct cannot check it.
    pub(super) fn question(&self, placeholders: &Placeholders<'_>, krate: &Krate) -> Option<TokenStream> {
        let words =
            self.std_types.iter().map(|path| placeholders.std_question(path, krate)).collect::<Option<Vec<_>>>()?;
        let object = self.object.map(|(object, required)| {
            let at = krate.at(object.span());
            // A `Mutex` is `Send` and `Sync` if its content is `Send`; a reference is both if its target is `Sync`.
            let shared = match required {
                Required { sync: false, .. } => quote!(::std::sync::Mutex<#object>),
                Required { send: false, .. } => quote!(&'static (#object)),
                Required { .. } => quote!(#object),
            };
            quote_spanned!(object.span()=> && !#at::Is::<#shared>::__SHARED)
        });
        Some(quote!(true #(&& #words)* #object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn what_can_be_shared_is_not_local() {
        let is = |ty: &Type| find(ty).is_some();
        let local: [Type; 20] = [
            parse_quote!(Option<std::rc::Weak<X>>),
            parse_quote!(Weak<X>),
            parse_quote!(Rc<X>),
            parse_quote!(std::rc::Rc<X>),
            parse_quote!(Mutex<Rc<X>>),
            parse_quote!(Cell<u8>),
            parse_quote!(Option<RefCell<X>>),
            parse_quote!(Arc<Cell<X>>),
            parse_quote!(RwLock<Cell<u8>>),
            parse_quote!(Mutex<Arc<Cell<u8>>>),
            parse_quote!(&'static Cell<u8>),
            parse_quote!(*const X),
            parse_quote!(Mutex<Vec<*mut X>>),
            parse_quote!((u8, [Rc<X>; 2])),
            parse_quote!(Box<dyn Fn(u8)>),
            parse_quote!(Box<dyn Fn(u8) + Send>),
            parse_quote!(Mutex<Box<dyn FnOnce()>>),
            parse_quote!(RwLock<Box<dyn Any + Send>>),
            parse_quote!(Arc<Mutex<Box<dyn std::error::Error>>>),
            parse_quote!(HashMap<u8, Rc<X>>),
        ];
        for ty in &local {
            assert!(is(ty), "{}", quote!(#ty));
        }
        let shared: [Type; 19] = [
            parse_quote!(X),
            parse_quote!(Cell),
            parse_quote!(own::Cell<X>),
            parse_quote!(Mutex<Cell<X>>),
            parse_quote!(Mutex<HashMap<u64, (Arc<X>, Box<dyn FnOnce(u8) + Send>)>>),
            parse_quote!(Mutex<Vec<(std::sync::Weak<Self>, Box<dyn Any + Send>)>>),
            parse_quote!(Box<dyn Fn(Rc<X>) -> *const u8 + Send + Sync>),
            parse_quote!(Box<dyn Kv>),
            parse_quote!(fn(Rc<X>) -> Cell<X>),
            parse_quote!([Mutex<Option<X>>; 2 * 4]),
            parse_quote!([u8; <Self as T>::N * 2]),
            parse_quote!(<Self as T>::Cell),
            parse_quote!(Arc<Mutex<RefCell<X>>>),
            parse_quote!(OnceLock<Dep<X>>),
            parse_quote!(Sender<X>),
            parse_quote!(&'static str),
            parse_quote!(Box<[u8]>),
            parse_quote!(PhantomData<fn() -> Rc<X>>),
            parse_quote!(Cells![Rc]),
        ];
        for ty in &shared {
            assert!(!is(ty), "{}", quote!(#ty));
        }
    }
}
