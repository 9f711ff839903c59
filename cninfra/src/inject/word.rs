//! Which type a word means. The macros know some types of std by their names, and another one may be called so: it is asked for by name lookup in generated
//! code, as in [`shared`](super::shared), and only where the answer matters.

use super::shared::Is;
use crate::graph::text;
use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    rc::Rc,
    sync::{Arc, LazyLock, Mutex, OnceLock, RwLock},
};

/// `Is::<for<'a> fn(Word<&'a ()>)>::__OF_STD` is true of these, and of others what [`IsNot`](super::shared::IsNot) says. (So asked, a type's bounds are not: see `is_of_std` in the macros.)
macro_rules! of_std {
    ($($word:ident<$($lent:lifetime),* $(; $other:ty)?>)*) => {$(
        impl Is<for<'a> fn($word<$(&$lent (),)* $($other)?>)> {
            pub const __OF_STD: bool = true;
        }
    )*};
}
of_std! {
    Arc<'a> Box<'a> Rc<'a> Cell<'a> OnceCell<'a> RefCell<'a> LazyLock<'a> Mutex<'a> OnceLock<'a> RwLock<'a>
    BTreeMap<'a, 'a> BTreeSet<'a> HashMap<'a, 'a> HashMap<'a, 'a, 'a> HashSet<'a> HashSet<'a, 'a> Option<'a> Vec<'a> VecDeque<'a>
    Result<'a, 'a> Result<'a; crate::Error> Result<'a; std::io::Error>
}

/// A type that stands for a field's, in whose place it would be told of again.
pub trait Typed {
    type Of: ?Sized;
}

/// Fails, with the words of the macro, if the words around what has no size are std's.
#[track_caller]
pub const fn no_size(is: bool, message: &str) -> usize {
    if is {
        text::fail(&[message])
    }
    0
}
