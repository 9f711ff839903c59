//! [`RouteIndex`]: the routes of a server without their handlers.

use super::{Route, path};
use axum::http::Method;
use std::{fmt, sync::Arc};

/// The routes of one server without their handlers, to list them and to find the owner of a request. For authors of
/// servers.
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
/// A clone shares its data until one of the two gets another route.
#[derive(Clone, Default)]
pub struct RouteIndex(Arc<Index>);

#[derive(Clone, Default)]
struct Index {
    routes: Vec<Route>,
    /// The places of a path's routes, by the number of the path.
    of_path: Vec<Vec<usize>>,
    /// The lengths and numbers of all paths, ordered by length, and by text where the lengths are equal: most
    /// comparisons need only the lengths.
    sorted: Vec<(usize, usize)>,
    /// The numbers of the paths with parameters, by the same rules as in the router that is built from the table. Most
    /// paths have none, and to add them to such a router would take most of the time of adding a route.
    patterns: matchit::Router<usize>,
}

impl Index {
    /// The place of this path in `sorted`, or where it would be.
    #[inline]
    fn place(&self, path: &str) -> Result<usize, usize> {
        let text = |number: usize| self.routes[self.of_path[number][0]].path.as_str();
        self.sorted.binary_search_by(|(len, number)| len.cmp(&path.len()).then_with(|| text(*number).cmp(path)))
    }

    /// The routes with exactly this path, as it was registered.
    #[inline]
    fn exactly(&self, path: &str) -> &[usize] {
        self.place(path).map_or(&[], |place| &self.of_path[self.sorted[place].1])
    }

    /// The routes for a request with this path. As in the router, a path without parameters takes precedence.
    #[inline]
    fn of_request(&self, path: &str) -> &[usize] {
        match self.exactly(path) {
            routes if !routes.is_empty() && !path::is_pattern(path) => routes,
            _ => self.patterns.at(path).map_or(&[], |found| &self.of_path[*found.value]),
        }
    }
}

impl RouteIndex {
    /// All routes, in the order in which they were added.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.0.routes
    }

    /// The route for a request, by its method and its path without a query. `None` if no route has the path. If routes
    /// have this path, but not this method, it is the first of them, so that the owner is known.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> Option<&Route> {
        self.position(method, path).map(|at| &self.0.routes[at])
    }

    /// The place in [`routes`](Self::routes) of what [`find`](Self::find) returns, for a server that keeps something of
    /// its own for each route.
    #[must_use]
    // Inlined, since a server calls it for each request, and this crate is compiled for size.
    #[inline]
    pub fn position(&self, method: &Method, path: &str) -> Option<usize> {
        let (routes, of_path) = (&self.0.routes, self.0.of_request(path));
        let exact = of_path.iter().find(|at| routes[**at].method == *method);
        let similar = || of_path.iter().find(|at| routes[**at].same_method(method));
        exact.or_else(similar).or(of_path.first()).copied()
    }

    /// The routes that answer a request for this path, one for each method.
    pub(super) fn at(&self, path: &str) -> impl Iterator<Item = &Route> {
        self.0.of_request(path).iter().map(|at| &self.0.routes[*at])
    }

    /// The routes with exactly this path.
    pub(super) fn of_path(&self, path: &str) -> impl Iterator<Item = &Route> {
        self.0.exactly(path).iter().map(|at| &self.0.routes[*at])
    }

    /// Adds a route. A pattern that is not valid, or cannot be distinguished from another one, is refused.
    pub(super) fn put(&mut self, route: Route) -> Result<(), Route> {
        let index = Arc::make_mut(&mut self.0);
        let (at, number) = (index.routes.len(), index.of_path.len());
        match index.place(&route.path) {
            Ok(place) => index.of_path[index.sorted[place].1].push(at),
            Err(_) if path::is_pattern(&route.path) && index.patterns.insert(&route.path, number).is_err() => {
                return Err(route);
            }
            Err(place) => {
                index.of_path.push(vec![at]);
                index.sorted.insert(place, (route.path.len(), number));
            }
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
    use super::*;
    use crate::http::{RouteTable, Routes};

    #[test]
    fn it_finds_what_a_router_of_all_paths_does() {
        let paths = [
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/a/{x}",
            "/a/{x}/c",
            "/a/b/{y}",
            "/a-{x}",
            "/a-b",
            "/{x}",
            "/{*x}",
            "/a/{*x}",
            "/{{x}}",
            "/b/{x}/{*y}",
        ];
        let requests = [
            "", "*", "/", "//", "/a", "/a/", "/a/b", "/a/c", "/a/b/c", "/a/x/c", "/a/b/d", "/a-", "/a-b", "/a-c",
            "/{x}", "/{{x}}", "/a/{x}", "/b", "/b/c/d/e",
        ];
        let mut compared = 0;
        // All subsets; those with two paths that cannot be distinguished are refused.
        for subset in 0..1u32 << paths.len() {
            let some: Vec<_> = (0..paths.len()).filter(|at| subset >> at & 1 == 1).map(|at| paths[at]).collect();
            let (mut index, mut all) = (RouteIndex::default(), matchit::Router::new());
            let mut put = |path: &str| {
                let (path, owner, summary) = (path.to_string(), "web".to_string(), String::new());
                index.put(Route { method: Method::GET, path, owner, summary, during_start: false }).is_err()
            };
            let refused = some.iter().map(|path| (all.insert(*path, *path).is_err(), put(path)));
            let refused: Vec<_> = refused.collect();
            assert!(refused.iter().all(|(all, ours)| all == ours), "{some:?}: {refused:?}");
            if refused.iter().any(|(all, _)| *all) {
                continue;
            }
            for request in requests {
                let found = index.find(&Method::GET, request).map(|route| route.path.as_str());
                assert_eq!(found, all.at(request).ok().map(|found| *found.value), "{request} of {some:?}");
                compared += 1;
            }
        }
        assert!(compared > 10_000, "{compared}");
    }

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
