//! Finds out which type a name means. The macros recognise some std types by name, but another type may have the same
//! one. So generated code asks by name lookup, as in [`shared`](super::shared), but only where the answer matters.

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

/// A type whose name is checked. Separate from [`Is`](super::shared::Is), since the compiler looks through
/// all impls of a type for a name.
#[derive(Debug)]
pub struct Word<T>(PhantomData<T>);
impl<T> IsNot for Word<T> {}

/// A container with what it holds.
#[derive(Debug)]
pub struct Within<T>(PhantomData<T>);
impl<T> IsNot for Within<T> {}

/// `Word::<for<'a> fn(Vec<&'a ()>)>::__OF_STD_Vec` is true for std's type; for another one,
/// [`IsNot`](super::shared::IsNot) gives false. In this form, a type's bounds are not checked: see `is_of_std` in the
/// macros.
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

/// A type with the arguments that it is written with. They fit if it is std's; if it is a user's type of the same name,
/// they satisfy its bounds.
#[derive(Debug)]
pub struct Given<T: ?Sized>(PhantomData<T>);
impl<T: ?Sized> IsNot for Given<T> {}

/// Answers `Given::<Vec<Dep<P>>>::__OF_STD_Vec`.
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

/// Answers `Within::<Option<P>>::__PLUGIN_IN_Option`: whether the container is std's and holds a plugin, in one
/// question.
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

/// Stands for a parameter that cannot be named. It implements what parameters are commonly required to implement.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anything;

/// Stands for a parameter without further bounds. It implements only what every parameter does.
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

/// A type that stands for a field's, since an error would be reported again for the field's own.
pub trait Typed {
    type Of: ?Sized;
}

/// Fails with the macro's message if the types around an unsized one are std's.
#[track_caller]
pub const fn no_size(is: bool, message: &str) -> usize {
    if is {
        text::fail(&[message])
    }
    0
}
