//! The routers that a [`RouteTable`] makes for a server.

use super::{Route, RouteTable, answer, handler::Shared};
use crate::{
    Error,
    foreign::{Panic, guard},
};
use axum::{
    Router,
    http::{HeaderValue, Method, Uri},
    response::Response,
    routing::{MethodFilter, MethodRouter, any, on},
};
use std::sync::Arc;

impl RouteTable {
    /// The router for all routes. Requests that no route answers get 404 or 405 with `Allow`, in JSON; `OPTIONS`, if no
    /// route answers it, gets 204 with `Allow`.
    #[must_use = "built once, when all routes are known"]
    pub fn router(&self) -> Router {
        self.router_of(|_| true, answer::method_not_allowed).fallback(answer::not_found)
    }

    /// The router for one path alone: for the routes that have the same path as the one at this place of
    /// [`routes`](Self::routes), or for none. It answers requests for that path as [`router`](Self::router) does. A
    /// server that finds the place with the index ([`RouteIndex::position`](super::RouteIndex::position)) can make each
    /// router on first use, since making the routers of all paths takes a good part of a start.
    #[must_use = "built once for each path"]
    pub fn router_at(&self, at: Option<usize>) -> Router {
        let path = at.and_then(|at| self.routes().get(at)).map(|route| &route.path);
        self.router_of(|route| Some(&route.path) == path, answer::method_not_allowed).fallback(answer::not_found)
    }

    /// The router for an agent that is still starting, with the routes that are answered then. Everything else gets 503
    /// with `Retry-After`, since it is not known yet which other routes there will be.
    #[must_use = "built anew with each route"]
    pub fn router_during_start(&self) -> Router {
        self.router_of(|route| route.during_start, answer::starting_with).fallback(async || answer::starting())
    }

    /// The router for some of the routes. If a path has routes, but none for the method, `refused` answers with the
    /// allowed methods; for `OPTIONS`, these are the answer. The allowed methods are those of all routes, including
    /// those that are left out, so that they are the same during the start as later.
    fn router_of(&self, is_in: impl Fn(&Route) -> bool, refused: fn(HeaderValue) -> Response) -> Router {
        let routes = self.routes().iter().zip(&self.handlers).filter(|(route, _)| is_in(route));
        let state = Shared::new(());
        let add = |router: Router, (route, handler): (&Route, &Arc<MethodRouter<Shared<()>>>)| {
            let handler = guard(|| MethodRouter::clone(handler).with_state(state.clone()));
            router.route(&route.path, handler.unwrap_or_else(|panic| stand_in(&route.method, &panic)))
        };
        let index = self.index.clone();
        // One fallback for all paths: a handler for `OPTIONS` on each path would take a good part of a start.
        let other = async move |method: Method, uri: Uri| {
            let allow = answer::allow(index.at(uri.path()).map(|route| &route.method));
            if method == Method::OPTIONS { answer::options(allow) } else { refused(allow) }
        };
        routes.fold(Router::new(), add).method_not_allowed_fallback(other)
    }
}

/// Answers in the place of a handler that could not be cloned.
fn stand_in(method: &Method, panic: &Panic) -> MethodRouter {
    let why = panic.to_string();
    let fails = async move || Err::<(), _>(Error::msg(format_args!("it panicked when it was cloned: {why}")));
    match MethodFilter::try_from(method.clone()) {
        Ok(filter) => on(filter, fails),
        // A route with such a method is never registered.
        Err(_) => any(fails),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Routes;
    use std::sync::atomic::Ordering::Relaxed;

    fn get(path: &str) -> Routes {
        Routes::new().get(path, async || "")
    }

    #[tokio::test]
    async fn the_router_of_a_path_answers_as_that_of_all_does() {
        use crate::http::testing::Client;
        let mut table = RouteTable::new();
        let name = async |axum::extract::Path(name): axum::extract::Path<String>| name;
        let first = Routes::new().get("/a/{name}", name).post("/a/{name}", async || "posted").get("/{*rest}", name);
        table.add("first", first).unwrap();
        table.add("second", get("/a/b").get("/", async || "root")).unwrap();
        let all = Client::new(table.router());
        for path in ["/a/x", "/a/b", "/a/x%20y", "/a/", "/c/d", "/", "//", "/a"] {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS] {
                let one = Client::new(table.router_at(table.index().position(&method, path)));
                let told = async |client: &Client| {
                    let answer = client.request(method.clone(), path).await;
                    (answer.status, answer.header("allow").map(str::to_owned), answer.body)
                };
                assert_eq!(told(&one).await, told(&all).await, "{method} {path}");
            }
        }
        assert_eq!(Client::new(table.router_at(None)).get("/a/b").await.status, 404);
    }

    /// Panics when it is cloned, once the flag is set.
    #[cfg(feature = "testing")]
    struct Single(Arc<std::sync::atomic::AtomicBool>);

    #[cfg(feature = "testing")]
    impl Clone for Single {
        fn clone(&self) -> Self {
            assert!(!self.0.load(Relaxed), "there is one of it");
            Single(self.0.clone())
        }
    }

    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn a_handler_whose_clone_panics_fails_alone() {
        let is_single = Arc::<std::sync::atomic::AtomicBool>::default();
        let single = Single(is_single.clone());
        let handler = async move || {
            let _ = &single;
        };
        let mut table = RouteTable::new();
        table.add("one", Routes::new().put("/a", handler).get("/a", async || "a").during_start()).unwrap();
        table.add("two", get("/b").during_start()).unwrap();
        is_single.store(true, Relaxed);
        for router in [table.router_during_start(), table.router()] {
            let client = crate::http::testing::Client::new(router);
            let failed = client.request(Method::PUT, "/a").await;
            assert_eq!(failed.status.as_u16(), 500);
            let why = failed.failure().expect("the server is told");
            assert!(why.starts_with("it panicked when it was cloned: there is one of it"), "{why}");
            for path in ["/a", "/b"] {
                assert_eq!(client.get(path).await.status.as_u16(), 200, "{path}");
            }
        }
    }

    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn what_is_allowed_is_the_same_during_the_start() {
        let mut table = RouteTable::new();
        table.add("one", get("/a").during_start().post("/a", async || "").put("/b", async || "")).unwrap();
        for (router, status) in [(table.router_during_start(), 503), (table.router(), 405)] {
            let client = crate::http::testing::Client::new(router);
            let answer = client.delete("/a").await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (status, Some("GET,HEAD,POST,OPTIONS")));
            assert_eq!(answer.header("retry-after").is_some(), status == 503);
            let answer = client.request(Method::OPTIONS, "/a").await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (204, Some("GET,HEAD,POST,OPTIONS")));
        }
    }
}
