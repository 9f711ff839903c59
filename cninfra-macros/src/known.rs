//! The types of std that macros know by their names, each with what it holds and needs. A word may be another type's, too, which only the compiler knows: see
//! [`asked`].

use crate::{krate::Krate, types};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use std::ops::RangeInclusive;
use syn::{GenericArgument, PathArguments, Type, TypePath, spanned::Spanned as _};

/// One of them.
pub(crate) struct Known {
    word: &'static str,
    /// Where it is, without `::std::`: empty where two are called so, or where nobody asks.
    path: &'static str,
    /// How many types may be written behind it.
    types: RangeInclusive<usize>,
    pub(crate) size: Size,
    pub(crate) shared: Shared,
    /// Has it nothing in it by default?
    pub(crate) empty: bool,
    /// Is what it holds in it, and not behind a pointer?
    pub(crate) inline: bool,
    /// Is it held as often as nothing else, and shared if what it holds is? Of a field of such types nothing is asked, since a question costs the compiler more
    /// than the field itself. No name that types have that are not std's, too, such as `Instant`.
    pub(crate) plain: bool,
}

/// The size of a type, and of what it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// It has one, and so has what it holds.
    Held,
    /// It has one, whatever it points to.
    Behind,
    /// It has one, whatever it names.
    Any,
    /// It has one if what it holds does.
    Inner,
    /// It has none.
    None,
}

/// What must be true of what a type holds, so that threads may share it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shared {
    /// The same.
    Inner,
    /// That it is sent.
    Locked,
    /// That it is sent, where the type is shared or sent.
    Once,
    /// That it is shared and sent.
    Handle,
    /// It is not shared, but sent if what it holds is.
    Cell,
    /// It is neither.
    Never,
    /// Nobody knows.
    Unknown,
}

const fn known(word: &'static str, path: &'static str, size: Size, shared: Shared) -> Known {
    Known { word, path, types: 1..=1, size, shared, empty: false, inline: false, plain: false }
}

impl Known {
    const fn of(self, types: RangeInclusive<usize>) -> Self {
        Known { types, ..self }
    }

    const fn empty(self) -> Self {
        Known { empty: true, ..self }
    }

    const fn plain(self) -> Self {
        Known { plain: true, ..self }
    }

    const fn inline(self) -> Self {
        Known { inline: true, ..self }
    }

    /// May so many types be written behind it?
    pub(crate) fn takes(&self, types: usize) -> bool {
        self.types.contains(&types)
    }

    /// A type of this name and std's, each of the same arguments: none if it has others than std's could have. The arguments name a lifetime that is declared
    /// around the comparison, so that the compiler does not ask whether a type of one's own may have them.
    pub(crate) fn compared(&self, written: &TypePath) -> Option<Doubt> {
        let mut path = written.path.clone();
        let last = path.segments.last_mut()?;
        let count = match std::mem::take(&mut last.arguments) {
            PathArguments::None => 0,
            PathArguments::AngleBracketed(arguments) => {
                let are_types = arguments.args.iter().all(|argument| matches!(argument, GenericArgument::Type(_)));
                are_types.then_some(arguments.args.len())?
            }
            PathArguments::Parenthesized(_) => return None,
        };
        if !self.takes(count) {
            return None;
        }
        let of_std: syn::Path = syn::parse_str(&format!("::std::{}", self.path)).ok()?;
        let arguments = (0..count).map(|_| quote!(&'__a ()));
        let arguments = if count == 0 { quote!() } else { quote!(<#(#arguments),*>) };
        Some(Doubt { written: quote!(#path #arguments), of_std: quote!(#of_std #arguments) })
    }
}

/// Whether a type is the one of std that it is called by.
#[derive(Clone)]
pub(crate) struct Doubt {
    written: TokenStream,
    of_std: TokenStream,
}

/// All of them must be.
pub(crate) type Doubts = Vec<Doubt>;

/// Says so where they are not: a derive has taken them for std's, and done nothing more.
pub(crate) fn other(doubts: &[Doubt], krate: &Krate) -> TokenStream {
    let all = doubts.iter().map(|Doubt { written, of_std }| {
        let mut tokens = written.clone().into_iter();
        let at = tokens.next().map_or_else(Span::call_site, |first| first.span());
        let word = written.to_string().split(' ').next().unwrap_or_default().to_string();
        let message = format!("CN036: this `{word}` is not std's, which it is taken for\n= help: write its path: `self::{word}`");
        let krate = krate.at(at);
        let same = quote!(#krate::Same::<for<'__a> fn(#krate::PhantomData<#written>), for<'__a> fn(#krate::PhantomData<#of_std>)>::IS);
        quote_spanned! {at=>
            const _: usize = { #[allow(unused_imports)] use #krate::NotSame as _; #krate::refused(!#same, #message) };
        }
    });
    quote!(#(#all)*)
}

/// What is an error with this message if all of them are std's, and else the type. (The compiler speaks of an error no more, and of that one once, if it is
/// written once.)
pub(crate) fn asked(doubts: &[Doubt], ty: &Type, message: &str, krate: &Krate) -> Type {
    let at = krate.at(ty.span());
    let same = doubts.iter().map(|Doubt { written, of_std }| {
        // in the place of an argument, a type without a size could not be written
        quote!(#at::Same::<for<'__a> fn(#at::PhantomData<#written>), for<'__a> fn(#at::PhantomData<#of_std>)>::IS)
    });
    let refused = quote_spanned!(ty.span()=> #at::refused(#(#same)&&*, #message));
    Type::Verbatim(quote! {
        <#krate::Sound<{ #[allow(unused_imports)] use #krate::NotSame as _; #refused }> as #krate::Pass>::Any<#ty>
    })
}

static ALL: [Known; 30] = [
    known("Arc", "", Size::Behind, Shared::Handle).plain(),
    known("BTreeMap", "collections::BTreeMap", Size::Held, Shared::Inner).of(2..=2).empty().plain(),
    known("BTreeSet", "collections::BTreeSet", Size::Held, Shared::Inner).empty().plain(),
    known("Box", "", Size::Behind, Shared::Inner).plain(),
    known("CStr", "ffi::CStr", Size::None, Shared::Unknown).of(0..=0),
    known("Cell", "cell::Cell", Size::Inner, Shared::Cell).inline(),
    known("Dep", "", Size::Any, Shared::Unknown),
    known("HashMap", "collections::HashMap", Size::Held, Shared::Inner).of(2..=3).empty().plain(),
    known("HashSet", "collections::HashSet", Size::Held, Shared::Inner).of(1..=2).empty().plain(),
    known("LazyCell", "cell::LazyCell", Size::Held, Shared::Cell).of(1..=2).inline(),
    known("LazyLock", "sync::LazyLock", Size::Held, Shared::Once).of(1..=2).inline(),
    known("Mutex", "sync::Mutex", Size::Inner, Shared::Locked).plain().inline(),
    known("OnceCell", "cell::OnceCell", Size::Held, Shared::Cell).inline(),
    known("OnceLock", "sync::OnceLock", Size::Held, Shared::Once).plain().inline(),
    known("Option", "option::Option", Size::Held, Shared::Inner).empty().plain().inline(),
    known("OsStr", "ffi::OsStr", Size::None, Shared::Unknown).of(0..=0),
    known("Path", "path::Path", Size::None, Shared::Unknown).of(0..=0),
    known("PhantomData", "", Size::Any, Shared::Inner),
    known("Rc", "", Size::Behind, Shared::Never),
    known("RefCell", "cell::RefCell", Size::Inner, Shared::Cell).inline(),
    known("Result", "result::Result", Size::Held, Shared::Inner).of(2..=2).inline(),
    known("RwLock", "sync::RwLock", Size::Inner, Shared::Once).plain().inline(),
    known("String", "", Size::Held, Shared::Unknown).of(0..=0).plain(),
    known("UnsafeCell", "cell::UnsafeCell", Size::Inner, Shared::Cell).inline(),
    known("Vec", "vec::Vec", Size::Held, Shared::Inner).empty().plain(),
    known("VecDeque", "collections::VecDeque", Size::Held, Shared::Inner).empty().plain(),
    known("Weak", "", Size::Any, Shared::Unknown),
    known("bool", "", Size::Held, Shared::Unknown).of(0..=0).plain(),
    known("char", "", Size::Held, Shared::Unknown).of(0..=0).plain(),
    known("str", "primitive::str", Size::None, Shared::Unknown).of(0..=0),
];

/// Numbers, atomic ones too, which end as these do.
const NUMBERS: [&str; 14] =
    ["f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];
const ATOMIC: [&str; 11] = ["Bool", "I8", "I16", "I32", "I64", "Isize", "U8", "U16", "U32", "U64", "Usize"];

/// What a type is, by its last word: if it may be std's, by its path.
pub(crate) fn named(ty: &TypePath) -> Option<&'static Known> {
    let last = ty.path.segments.last().filter(|_| types::may_be_of_std(ty))?;
    ALL.iter().find(|known| last.ident == known.word)
}

/// A number, or an atomic.
pub(crate) fn is_number(ty: &TypePath) -> bool {
    let Some(last) = ty.path.segments.last().filter(|_| types::may_be_of_std(ty)) else { return false };
    let word = last.ident.to_string();
    NUMBERS.contains(&word.as_str()) || word.strip_prefix("Atomic").is_some_and(|of| ATOMIC.contains(&of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once_in_order() {
        assert!(ALL.windows(2).all(|two| two[0].word < two[1].word));
    }
}
