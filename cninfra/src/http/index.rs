//! [`RouteIndex`]: the routes of a server without their handlers.

use super::Route;
use axum::http::Method;
use std::{fmt, sync::Arc};

/// The routes of one server without their handlers: to be listed, and to tell whose a request is. For authors of servers.
///
/// ```
/// use cninfra::http::{RouteTable, Routes, axum::http::Method};
///
/// let mut table = RouteTable::new();
/// table.add("phonebook", Routes::new().get("/contacts/{name}", async || "alice"))?;
///
/// let index = table.index();
/// let route = index.find(&Method::HEAD, "/contacts/alice").map(|route| (&*route.path, &*route.owner));
/// assert_eq!(route, Some(("/contacts/{name}", "phonebook")));
/// # Ok::<(), cninfra::http::RouteError>(())
/// ```
///
/// A clone is the same index, until one of them gets another route.
#[derive(Clone, Default)]
pub struct RouteIndex(Arc<Index>);

#[derive(Clone, Default)]
struct Index {
    routes: Vec<Route>,
    /// Each path once, with the same rules as the router that is built of the table. Of a path, its number.
    paths: matchit::Router<usize>,
    /// Of each path, by its number: the places of its routes.
    of_path: Vec<Vec<usize>>,
}

impl RouteIndex {
    /// All routes, in the order in which they were added.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.0.routes
    }

    /// The route that answers such a request: by its method, and by its path without a query. `None` where the path is nobody's; a path
    /// whose owner does not answer this method is that of its first route, which says whose it is.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Option<&Route> {
        self.position(method, path).map(|at| &self.0.routes[at])
    }

    /// The place in [`routes`](Self::routes) of what [`find`](Self::find) gives: for a server that has something of its own for each route.
    #[must_use]
    // compiled where it is called from: a server asks for each request, and this crate is made small
    #[inline]
    pub fn position(&self, method: &Method, path: &str) -> Option<usize> {
        let Index { routes, paths, of_path } = &*self.0;
        let of_path = &of_path[*paths.at(path).ok()?.value];
        let exact = of_path.iter().find(|at| routes[**at].method == *method);
        let similar = || of_path.iter().find(|at| routes[**at].same_method(method));
        exact.or_else(similar).or(of_path.first()).copied()
    }

    /// Those that answer a request for this path, each its method.
    pub(super) fn at(&self, path: &str) -> impl Iterator<Item = &Route> {
        let Index { routes, paths, of_path } = &*self.0;
        let places = paths.at(path).ok().map(|found| &of_path[*found.value]);
        places.into_iter().flatten().map(|at| &routes[*at])
    }

    /// Those of exactly this path.
    pub(super) fn of_path(&self, path: &str) -> impl Iterator<Item = &Route> {
        self.routes().iter().filter(move |route| route.path == path)
    }

    /// Adds a route, whose path is valid. Of a path that can not be told from another one it does not.
    pub(super) fn put(&mut self, route: Route) -> Result<(), Route> {
        let index = Arc::make_mut(&mut self.0);
        let at = index.routes.len();
        match index.of_path.iter().position(|of_path| index.routes[of_path[0]].path == route.path) {
            Some(number) => index.of_path[number].push(at),
            None if index.paths.insert(&route.path, index.of_path.len()).is_err() => return Err(route),
            None => index.of_path.push(vec![at]),
        }
        index.routes.push(route);
        Ok(())
    }
}

impl fmt::Debug for RouteIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::http::{RouteTable, Routes};
    use axum::http::Method;

    #[test]
    fn it_says_whose_a_request_is() {
        let mut table = RouteTable::new();
        table.add("one", Routes::new().get("/a/{b}", async || "").post("/a/{b}", async || "")).unwrap();
        table.add("two", Routes::new().put("/a/b", async || "").get("/", async || "")).unwrap();
        table.add("three", Routes::new().get("/{*rest}", async || "")).unwrap();
        let index = table.index();
        for (method, path, found) in [
            (Method::GET, "/a/x", "GET /a/{b} one"),
            (Method::HEAD, "/a/x", "GET /a/{b} one"),
            (Method::POST, "/a/x", "POST /a/{b} one"),
            (Method::DELETE, "/a/x", "GET /a/{b} one"),
            (Method::PUT, "/a/b", "PUT /a/b two"),
            (Method::GET, "/", "GET / two"),
            (Method::GET, "/x/y", "GET /{*rest} three"),
        ] {
            let route = index.find(&method, path).map(|r| format!("{} {} {}", r.method, r.path, r.owner));
            assert_eq!(route.as_deref(), Some(found), "{method} {path}");
        }
        assert!(index.find(&Method::GET, "").is_none() && index.find(&Method::GET, "*").is_none());
    }
}
