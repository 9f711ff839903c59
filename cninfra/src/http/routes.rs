//! [`Routes`]: the routes that a plugin registers.

use super::handler::{Answers, Asked, Asking, Async, Extracted, Gives, Kind, OfState, Shared};
use axum::{
    extract::Request,
    http::Method,
    response::IntoResponse,
    routing::{MethodFilter, MethodRouter},
};
use std::{convert::Infallible, fmt, sync::Arc};
use tower_layer::Layer;
use tower_service::Service;

/// The routes of one plugin, each with its handler, to be passed to [`Http::register`](super::Http::register).
///
/// A path starts with `/`. `{name}` matches one segment, and `{*rest}` everything that follows; a handler reads them
/// with [`Path`](super::Path). Mistakes in a route are reported when it is registered.
///
/// ```
/// use cninfra::http::{Path, RouteTable, Routes, axum::http::StatusCode};
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
///
/// Handlers that need something capture clones of it, or all of them take one shared value with axum's
/// [`State`](axum::extract::State):
///
/// ```
/// use cninfra::http::{RouteTable, Routes, axum::extract::State};
/// use std::sync::Arc;
///
/// let contacts = Arc::new(vec!["alice", "bob"]);
/// let routes = Routes::new()
///     .get("/contacts", async |State(contacts): State<Arc<Vec<&'static str>>>| contacts.join(", "))
///     .get("/contacts/count", async |State(contacts): State<Arc<Vec<&'static str>>>| contacts.len().to_string())
///     .with_state(contacts);
/// RouteTable::new().add("phonebook", routes)?;
/// # Ok::<(), cninfra::http::RouteError>(())
/// ```
#[must_use = "routes do nothing before they are registered"]
pub struct Routes<S = ()> {
    pub(super) entries: Vec<Entry<S>>,
}

pub(super) struct Entry<S = ()> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) during_start: bool,
    /// `None` if the method is not a standard one. Shared, since cloning a handler calls foreign code.
    pub(super) handler: Option<Arc<MethodRouter<Shared<S>>>>,
}

impl<S> Clone for Entry<S> {
    fn clone(&self) -> Self {
        let Entry { method, path, summary, during_start, handler } = self;
        let (method, path, summary) = (method.clone(), path.clone(), summary.clone());
        Entry { method, path, summary, during_start: *during_start, handler: handler.clone() }
    }
}

/// The clone shares the handlers: none of them is cloned.
impl<S> Clone for Routes<S> {
    fn clone(&self) -> Self {
        Routes { entries: self.entries.clone() }
    }
}

impl<S> Default for Routes<S> {
    fn default() -> Self {
        Routes { entries: Vec::new() }
    }
}

// There is no bound on the state here, or each of these methods would report again what is wrong with it.
impl<S: 'static> Routes<S> {
    /// No routes.
    pub fn new() -> Self {
        Routes::default()
    }

    /// A route for `GET`, which answers `HEAD` too.
    #[rustfmt::skip] // On one line, here and below, since rustc shows all lines from the name to the bound.
    pub fn get<H, K: Kind, T, By, A>(self, path: impl Into<String>, handler: H) -> Self where Asking: Answers<K, H>, Self: OfState<T>, K::Arguments: Extracted<T, By, K::Returned, K::Handler>, K::Returned: Async<A> + Gives<A>, Asked<H, K, T, By, A>: Sized {
        self.on(Method::GET, path, handler)
    }

    /// A route for `POST`.
    #[rustfmt::skip]
    pub fn post<H, K: Kind, T, By, A>(self, path: impl Into<String>, handler: H) -> Self where Asking: Answers<K, H>, Self: OfState<T>, K::Arguments: Extracted<T, By, K::Returned, K::Handler>, K::Returned: Async<A> + Gives<A>, Asked<H, K, T, By, A>: Sized {
        self.on(Method::POST, path, handler)
    }

    /// A route for `PUT`.
    #[rustfmt::skip]
    pub fn put<H, K: Kind, T, By, A>(self, path: impl Into<String>, handler: H) -> Self where Asking: Answers<K, H>, Self: OfState<T>, K::Arguments: Extracted<T, By, K::Returned, K::Handler>, K::Returned: Async<A> + Gives<A>, Asked<H, K, T, By, A>: Sized {
        self.on(Method::PUT, path, handler)
    }

    /// A route for `PATCH`.
    #[rustfmt::skip]
    pub fn patch<H, K: Kind, T, By, A>(self, path: impl Into<String>, handler: H) -> Self where Asking: Answers<K, H>, Self: OfState<T>, K::Arguments: Extracted<T, By, K::Returned, K::Handler>, K::Returned: Async<A> + Gives<A>, Asked<H, K, T, By, A>: Sized {
        self.on(Method::PATCH, path, handler)
    }

    /// A route for `DELETE`.
    #[rustfmt::skip]
    pub fn delete<H, K: Kind, T, By, A>(self, path: impl Into<String>, handler: H) -> Self where Asking: Answers<K, H>, Self: OfState<T>, K::Arguments: Extracted<T, By, K::Returned, K::Handler>, K::Returned: Async<A> + Gives<A>, Asked<H, K, T, By, A>: Sized {
        self.on(Method::DELETE, path, handler)
    }

    /// A route for any standard method of HTTP.
    #[rustfmt::skip]
    pub fn on<H, K: Kind, T, By, A>(self, method: Method, path: impl Into<String>, handler: H) -> Self where Asking: Answers<K, H>, Self: OfState<T>, K::Arguments: Extracted<T, By, K::Returned, K::Handler>, K::Returned: Async<A> + Gives<A>, Asked<H, K, T, By, A>: Sized {
        let filter = MethodFilter::try_from(method.clone()).ok();
        let handler = filter.map(|filter| Arc::new(K::Arguments::route::<K, A>(filter, Asking::handler(handler))));
        self.add(method, path.into(), handler)
    }

    /// Appends the routes of `other`.
    pub fn merge(mut self, other: Routes<S>) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Makes the server answer all routes added so far while the agent is still starting, from the moment they are
    /// registered. Other routes are answered with 503 until the start of all plugins is complete. It is meant for
    /// routes that show the progress of the start, such as probes and metrics. Their handlers may be called before the
    /// plugin's `init` has returned.
    pub fn during_start(mut self) -> Self {
        self.entries.iter_mut().for_each(|entry| entry.during_start = true);
        self
    }

    /// Describes, in one line, the route that was added last.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        if let Some(last) = self.entries.last_mut() {
            last.summary = summary.into();
        }
        self
    }

    /// Gives the state to the handlers of these routes.
    pub fn with_state<S2>(self, state: S) -> Routes<S2> {
        let state = Shared::new(state);
        self.map(|handler| handler.with_state(state.clone()))
    }

    /// Wraps the handlers of the routes added so far in a layer, such as an authentication check, or a header for each
    /// response. A request that the layer rejects does not reach the handler.
    ///
    /// ```
    /// use cninfra::http::{Routes, axum::{extract::Request, http::StatusCode, middleware::{self, Next}, response::Response}};
    ///
    /// async fn with_a_key(request: Request, next: Next) -> Result<Response, StatusCode> {
    ///     match request.headers().get("x-key") {
    ///         Some(key) if key == "open sesame" => Ok(next.run(request).await),
    ///         _ => Err(StatusCode::UNAUTHORIZED),
    ///     }
    /// }
    ///
    /// let routes: Routes = Routes::new().get("/cave", async || "gold").layer(middleware::from_fn(with_a_key));
    /// ```
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.map(|handler| handler.layer(layer.clone()))
    }
}

impl<S> OfState<S> for Routes<S> {
    fn add(mut self, method: Method, path: String, handler: Option<Arc<MethodRouter<Shared<S>>>>) -> Self {
        self.entries.push(Entry { method, path, summary: String::new(), during_start: false, handler });
        self
    }
}

impl<S> Routes<S> {
    fn map<S2>(self, change: impl Fn(MethodRouter<Shared<S>>) -> MethodRouter<Shared<S2>>) -> Routes<S2> {
        let entry = |Entry { method, path, summary, during_start, handler }| Entry {
            method,
            path,
            summary,
            during_start,
            handler: handler.map(|handler| Arc::new(change(Arc::unwrap_or_clone(handler)))),
        };
        Routes { entries: self.entries.into_iter().map(entry).collect() }
    }
}

impl<S> fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| format!("{} {}", entry.method, entry.path))).finish()
    }
}
