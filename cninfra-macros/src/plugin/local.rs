//! Finds types that cannot be shared between threads, whatever the types in them are that users have defined. The
//! struct itself checks for them: see `shared.rs`.

use super::{
    stands::Stands,
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
struct Want {
    send: bool,
    sync: bool,
}

/// A type that cannot be shared between threads.
pub(super) struct Local<'a> {
    /// The types whose names must be std's for that.
    words: Vec<&'a TypePath>,
    /// The trait object that, in addition, must not meet the requirement: its trait is recognised by its name only.
    object: Option<(&'a TypeTraitObject, Want)>,
}

/// Finds out that a type cannot be shared between threads. The struct checks nothing else, and not the whole type: its
/// type arguments may lead back to the plugin, and so to the check itself.
pub(super) fn find(ty: &Type) -> Option<Local<'_>> {
    search(ty, Want { send: true, sync: true })
}

fn search(ty: &Type, want: Want) -> Option<Local<'_>> {
    let leaf = |is: bool| is.then(|| Local { words: Vec::new(), object: None });
    match types::ungroup(ty) {
        Type::Ptr(_) => leaf(want.send || want.sync),
        Type::Reference(lent) if lent.mutability.is_none() => search(&lent.elem, Want { send: false, sync: true }),
        Type::Reference(lent) => search(&lent.elem, want),
        Type::Array(array) => search(&array.elem, want),
        Type::Slice(slice) => search(&slice.elem, want),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(|inner| search(inner, want)),
        Type::TraitObject(object) => {
            let says = |name: &str| object.bounds.iter().any(|bound| types::is_trait(bound, name));
            let is_of_std = UNSHARED.iter().any(|name| says(name));
            let is_wanting = is_of_std && (want.send && !says("Send") || want.sync && !says("Sync"));
            is_wanting.then(|| Local { words: Vec::new(), object: Some((object, want)) })
        }
        Type::Path(path) if types::may_be_of_std(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            let within = |want: Want| {
                arguments.args.iter().find_map(|argument| match argument {
                    GenericArgument::Type(inner) => search(inner, want),
                    _ => None,
                })
            };
            let word = last.ident.to_string();
            let mut found = match word.as_str() {
                "Rc" => leaf(want.send || want.sync),
                "Weak" => leaf((want.send || want.sync) && may_be_of_rc(path)),
                word if CELLS.contains(&word) => leaf(want.sync).or_else(|| within(Want { sync: false, ..want })),
                "Mutex" => within(Want { send: want.send || want.sync, sync: false }),
                "RwLock" | "OnceLock" | "LazyLock" => within(Want { send: want.send || want.sync, ..want }),
                "Arc" => within(Want { send: true, sync: true }),
                word if HOLDERS.contains(&word) => within(want),
                _ => None,
            }?;
            found.words.push(path);
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
    pub(super) fn is_decided(&self) -> bool {
        self.object.is_none()
    }

    /// A constant, for the struct, that tells whether the names are std's and the trait object does not meet the
    /// requirement. `IsNot` must be in scope. `None` if the struct cannot check it.
    pub(super) fn question(&self, stands: &Stands<'_>, krate: &Krate) -> Option<TokenStream> {
        let words = self.words.iter().map(|path| stands.is_of_std(path, krate)).collect::<Option<Vec<_>>>()?;
        let object = self.object.map(|(object, want)| {
            let at = krate.at(object.span());
            // A `Mutex` is `Send` and `Sync` if its content is `Send`; a reference is both if its target is `Sync`.
            let wanted = match want {
                Want { sync: false, .. } => quote!(::std::sync::Mutex<#object>),
                Want { send: false, .. } => quote!(&'static (#object)),
                Want { .. } => quote!(#object),
            };
            quote_spanned!(object.span()=> && !#at::Is::<#wanted>::__SHARED)
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
