//! [`Dep`]: a handle to a running plugin.

use std::{fmt, ops::Deref, sync::Arc};

/// A handle to a running plugin, or to an interface that a plugin provides.
///
/// Plugins receive it for their dependencies, and the fields of a flavor hold it after the start. Cloning it is as
/// cheap as cloning an [`Arc`], and all clones refer to the same instance.
///
/// ```
/// use cninfra::prelude::*;
///
/// #[plugin]
/// #[derive(Default)]
/// struct Counter {
///     hits: std::sync::atomic::AtomicU64,
/// }
///
/// // in a test, a plugin can be put in a handle by hand
/// let counter: Dep<Counter> = Counter::default().into();
/// assert!(Dep::ptr_eq(&counter, &counter.clone()));
/// ```
pub struct Dep<T: ?Sized>(pub(crate) Arc<T>);

impl<T: ?Sized> Dep<T> {
    /// The shared plugin itself, for code that does not know cninfra.
    pub fn into_arc(self) -> Arc<T> {
        self.0
    }

    /// Whether both handles refer to the same instance.
    pub fn ptr_eq(a: &Self, b: &Self) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }
}

impl<T: ?Sized> Clone for Dep<T> {
    fn clone(&self) -> Self {
        Dep(self.0.clone())
    }
}

impl<T: ?Sized> Deref for Dep<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Dep<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> From<T> for Dep<T> {
    fn from(plugin: T) -> Self {
        Dep(Arc::new(plugin))
    }
}

impl<T: ?Sized> From<Arc<T>> for Dep<T> {
    fn from(plugin: Arc<T>) -> Self {
        Dep(plugin)
    }
}
