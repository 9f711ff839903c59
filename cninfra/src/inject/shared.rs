//! Plugins are shared between threads: so is all that they hold.

use super::plugin::Plugin;
use crate::graph::Text;
use std::marker::PhantomData;

/// A plugin: a struct with `#[plugin]`, shared between threads. As a bound, it names any of them.
///
/// ```
/// use cninfra::prelude::*;
///
/// /// What generic code asks of the plugins that it is for.
/// trait Counter: Plugin {
///     fn count(&self) -> u64;
/// }
///
/// fn report<C: Counter>(counter: Dep<C>) -> std::thread::JoinHandle<u64> {
///     std::thread::spawn(move || counter.count())
/// }
/// ```
// (Beside what the attribute implements, and not its supertraits: those are asked for again wherever a plugin is named.)
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "not a plugin",
    note = "put `#[plugin]` on the struct `{Self}`"
)]
pub trait SharedPlugin: Plugin + Send + Sync {}
#[diagnostic::do_not_recommend]
impl<P: Plugin + Send + Sync> SharedPlugin for P {}

/// "Is `T` shared between threads?", answered by name lookup in generated code, where `T` is concrete: `Is::<T>::SHARED` takes the
/// inherent constant where it applies, else [`IsNot`]'s. (As a bound, `Send` and `Sync` would be two errors, told again wherever the
/// plugin is named, and for all that depend on it.)
#[derive(Debug)]
pub struct Is<T: ?Sized>(PhantomData<T>);
impl<T: Send + Sync + ?Sized> Is<T> {
    pub const SHARED: bool = true;
}
pub trait IsNot {
    const SHARED: bool = false;
}
impl<T: ?Sized> IsNot for Is<T> {}

/// Fails with our words if the field of a plugin is not shared.
#[track_caller]
pub const fn shared(is: bool, plugin: &str, field: &str) -> usize {
    if is {
        return 0;
    }
    let mut text = Text::<1024>::new();
    text.put_all(&[
        "CN029: plugins are shared between threads, but `",
        plugin,
        "::",
        field,
        "` is not `Send` and `Sync`\n= help: take `Arc` for `Rc`, an atomic or `Mutex` for `Cell` and `RefCell`, \
         `Box<dyn Trait + Send + Sync>` for `Box<dyn Trait>`",
    ]);
    panic!("{}", text.as_str())
}
