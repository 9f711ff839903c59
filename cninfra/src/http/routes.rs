//! [`Routes`]: what a plugin registers.

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter},
};
use std::fmt;

/// The routes of one plugin, each with its handler: what it gives to [`Http::register`](super::Http::register).
///
/// A path starts with `/`. `{name}` stands for one segment, and `{*rest}` for all that follows; a handler takes them by
/// axum's [`Path`](axum::extract::Path). What is wrong with a route is told when it is registered.
///
/// ```
/// use cninfra::http::{RouteTable, Routes, axum::{extract::Path, http::StatusCode}};
///
/// let routes = Routes::new()
///     .get("/contacts", async || "alice, bob")
///     .summary("lists the contacts")
///     .delete("/contacts/{name}", async |Path(name): Path<String>| format!("{name} is gone"))
///     .post("/contacts", async |name: String| (StatusCode::CREATED, name));
///
/// let mut table = RouteTable::new();
/// table.add("phonebook", routes)?;
/// assert_eq!(table.routes()[0].summary, "lists the contacts");
/// # Ok::<(), cninfra::http::RouteError>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "routes do nothing before they are registered"]
pub struct Routes {
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) during_start: bool,
    /// None where the method is none that can be routed.
    pub(super) handler: Option<MethodRouter>,
}

impl Routes {
    /// No route.
    pub fn new() -> Self {
        Routes::default()
    }

    /// A route for `GET`, which answers `HEAD` too.
    pub fn get<H: Handler<T, ()>, T: 'static>(self, path: impl Into<String>, handler: H) -> Self {
        self.on(Method::GET, path, handler)
    }

    /// A route for `POST`.
    pub fn post<H: Handler<T, ()>, T: 'static>(self, path: impl Into<String>, handler: H) -> Self {
        self.on(Method::POST, path, handler)
    }

    /// A route for `PUT`.
    pub fn put<H: Handler<T, ()>, T: 'static>(self, path: impl Into<String>, handler: H) -> Self {
        self.on(Method::PUT, path, handler)
    }

    /// A route for `PATCH`.
    pub fn patch<H: Handler<T, ()>, T: 'static>(self, path: impl Into<String>, handler: H) -> Self {
        self.on(Method::PATCH, path, handler)
    }

    /// A route for `DELETE`.
    pub fn delete<H: Handler<T, ()>, T: 'static>(self, path: impl Into<String>, handler: H) -> Self {
        self.on(Method::DELETE, path, handler)
    }

    /// A route for any method of HTTP's own.
    pub fn on<H: Handler<T, ()>, T: 'static>(mut self, method: Method, path: impl Into<String>, handler: H) -> Self {
        let filter = MethodFilter::try_from(method.clone()).ok();
        let handler = filter.map(|filter| MethodRouter::new().on(filter, handler));
        self.entries.push(Entry { method, path: path.into(), summary: String::new(), during_start: false, handler });
        self
    }

    /// These routes and then those.
    pub fn merge(mut self, other: Routes) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Has the server answer all routes that were added so far while the agent still starts, from the moment on when they are registered. Others are answered when
    /// the start of all plugins is done; until then they are 503. To be said of what tells how the start goes on: probes, metrics. Their handlers are called before
    /// the plugin's `init` has come to its end.
    pub fn during_start(mut self) -> Self {
        self.entries.iter_mut().for_each(|entry| entry.during_start = true);
        self
    }

    /// Says in one line what the route is for that was added last.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        if let Some(last) = self.entries.last_mut() {
            last.summary = summary.into();
        }
        self
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| format!("{} {}", entry.method, entry.path))).finish()
    }
}
