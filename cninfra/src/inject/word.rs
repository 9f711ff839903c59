//! Which type a word means. The macros know some types of std by their names, and another one may be called so: it is asked for by name lookup in generated
//! code, as in [`shared`](super::shared), and only where the answer matters.

use super::{
    key::{Interface, Key},
    plugin::Plugin,
    shared::IsNot,
    trie::Digits,
};
use crate::graph::{KeyMeta, text};
use std::{
    cell::{Cell, LazyCell, OnceCell, RefCell, UnsafeCell},
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    marker::PhantomData,
    rc::{Rc, Weak},
    sync::{Arc, LazyLock, Mutex, OnceLock, RwLock},
};

/// A word, as it is asked for. (Not [`Is`](super::shared::Is): the compiler looks through all impls of a type for a
/// name.)
#[derive(Debug)]
pub struct Word<T>(PhantomData<T>);
impl<T> IsNot for Word<T> {}

/// What a field holds something in.
#[derive(Debug)]
pub struct Within<T>(PhantomData<T>);
impl<T> IsNot for Within<T> {}

/// `Word::<for<'a> fn(Vec<&'a ()>)>::__OF_STD_Vec` is true of std's, and of others what [`IsNot`](super::shared::IsNot) says. (So asked, a type's bounds are not: see
/// `is_of_std` in the macros.)
macro_rules! of_std {
    ($($name:ident: $word:ident<$($lent:lifetime),* $(; $other:ty)?>)*) => {$(
        #[allow(non_upper_case_globals, reason = "named by a macro, after the word")]
        impl Word<for<'a> fn($word<$(&$lent (),)* $($other)?>)> {
            pub const $name: bool = true;
        }
    )*};
}
of_std! {
    __OF_STD_Arc: Arc<'a>
    __OF_STD_BTreeMap: BTreeMap<'a, 'a>
    __OF_STD_BTreeSet: BTreeSet<'a>
    __OF_STD_Box: Box<'a>
    __OF_STD_Cell: Cell<'a>
    __OF_STD_HashMap: HashMap<'a, 'a>
    __OF_STD_HashMap: HashMap<'a, 'a, 'a>
    __OF_STD_HashSet: HashSet<'a>
    __OF_STD_HashSet: HashSet<'a, 'a>
    __OF_STD_LazyCell: LazyCell<'a>
    __OF_STD_LazyCell: LazyCell<'a, 'a>
    __OF_STD_LazyLock: LazyLock<'a>
    __OF_STD_Mutex: Mutex<'a>
    __OF_STD_OnceCell: OnceCell<'a>
    __OF_STD_OnceLock: OnceLock<'a>
    __OF_STD_Option: Option<'a>
    __OF_STD_PhantomData: PhantomData<'a>
    __OF_STD_Rc: Rc<'a>
    __OF_STD_RefCell: RefCell<'a>
    __OF_STD_Result: Result<'a, 'a>
    __OF_STD_Result: Result<'a; crate::Error>
    __OF_STD_Result: Result<'a; std::io::Error>
    __OF_STD_RwLock: RwLock<'a>
    __OF_STD_UnsafeCell: UnsafeCell<'a>
    __OF_STD_Vec: Vec<'a>
    __OF_STD_VecDeque: VecDeque<'a>
    __OF_STD_Weak: Weak<'a>
}

/// A word with the arguments that it has, where these are right if it is std's: of one's own type that is called so
/// they fulfil the bounds.
#[derive(Debug)]
pub struct Given<T: ?Sized>(PhantomData<T>);
impl<T: ?Sized> IsNot for Given<T> {}

/// `Given::<Vec<Dep<P>>>::__OF_STD_Vec`
macro_rules! given {
    ($($name:ident: $word:ident<$($of:ident $(: $bound:tt $sized:ident)?),*>)*) => {$(
        #[allow(non_upper_case_globals, reason = "named by a macro, after the word")]
        impl<$($of $(: $bound $sized)?),*> Given<$word<$($of),*>> {
            pub const $name: bool = true;
        }
    )*};
}
given! {
    __OF_STD_Arc: Arc<T: ?Sized>
    __OF_STD_BTreeMap: BTreeMap<K, V>
    __OF_STD_BTreeSet: BTreeSet<T>
    __OF_STD_Box: Box<T: ?Sized>
    __OF_STD_Cell: Cell<T: ?Sized>
    __OF_STD_HashMap: HashMap<K, V, S>
    __OF_STD_HashSet: HashSet<T, S>
    __OF_STD_LazyCell: LazyCell<T, F>
    __OF_STD_LazyLock: LazyLock<T, F>
    __OF_STD_Mutex: Mutex<T: ?Sized>
    __OF_STD_OnceCell: OnceCell<T>
    __OF_STD_OnceLock: OnceLock<T>
    __OF_STD_Option: Option<T>
    __OF_STD_PhantomData: PhantomData<T: ?Sized>
    __OF_STD_Rc: Rc<T: ?Sized>
    __OF_STD_RefCell: RefCell<T: ?Sized>
    __OF_STD_Result: Result<T, E>
    __OF_STD_RwLock: RwLock<T: ?Sized>
    __OF_STD_UnsafeCell: UnsafeCell<T: ?Sized>
    __OF_STD_Vec: Vec<T>
    __OF_STD_VecDeque: VecDeque<T>
    __OF_STD_Weak: Weak<T: ?Sized>
}

/// `Within::<Option<P>>::__PLUGIN_IN_Option`: both questions in one, where a field holds a plugin in what is std's.
macro_rules! holds {
    ($($name:ident: ($($bound:tt)*) $ty:ty)*) => {$(
        #[allow(non_upper_case_globals, reason = "named by a macro, after the words")]
        impl<T: $($bound)*> Within<$ty> {
            pub const $name: bool = true;
        }
    )*};
}
holds! {
    __PLUGIN_IN_Option: (Plugin) Option<T>
    __PLUGIN_IN_Option_Arc: (Plugin) Option<Arc<T>>
    __INTERFACE_IN_Option_Arc: (Interface + ?Sized) Option<Arc<T>>
    __PLUGIN_IN_Option_Box: (Plugin) Option<Box<T>>
    __INTERFACE_IN_Option_Box: (Interface + ?Sized) Option<Box<T>>
    __PLUGIN_IN_Option_Rc: (Plugin) Option<Rc<T>>
    __INTERFACE_IN_Option_Rc: (Interface + ?Sized) Option<Rc<T>>
    __PLUGIN_IN_Vec: (Plugin) Vec<T>
    __PLUGIN_IN_Vec_Arc: (Plugin) Vec<Arc<T>>
    __INTERFACE_IN_Vec_Arc: (Interface + ?Sized) Vec<Arc<T>>
    __PLUGIN_IN_Vec_Box: (Plugin) Vec<Box<T>>
    __INTERFACE_IN_Vec_Box: (Interface + ?Sized) Vec<Box<T>>
    __PLUGIN_IN_Vec_Rc: (Plugin) Vec<Rc<T>>
    __INTERFACE_IN_Vec_Rc: (Interface + ?Sized) Vec<Rc<T>>
    __TWIN_IN_Arc: (Plugin + Default) Arc<T>
    __TWIN_IN_Box: (Plugin + Default) Box<T>
    __TWIN_IN_Rc: (Plugin + Default) Rc<T>
}

/// What stands for a parameter, where that can not be named: it has all that a parameter is commonly asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anything;

/// What stands for a parameter that is asked for no more than every parameter has: it has nothing else.
#[allow(missing_debug_implementations, reason = "not every parameter has one")]
pub struct Parameter;

macro_rules! keys {
    ($($ty:ident)*) => {$(
        impl Key for $ty {
            const META: &'static KeyMeta =
                &KeyMeta { name: "parameter", module: module_path!(), id: 0, instance: "parameter", instance_id: 0 };
            type Digits<Tail: Digits + ?Sized> = Tail;
        }
    )*};
}
keys! { Anything Parameter }

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
