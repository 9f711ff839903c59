//! [`RouteTable`]: the routes of all plugins of a server.

use super::{Route, RouteError, RouteIndex, Routes, handler::Shared, path, routes::Entry};
use axum::{http::Method, routing::MethodRouter};
use std::{fmt, mem, sync::Arc};

/// The routes of all plugins of one server: the server lists them, and builds its router from them. For authors of
/// servers.
///
/// axum's own router cannot list its routes, and panics if routes overlap. This table knows the owner of every route
/// and refuses conflicting ones.
///
/// ```
/// use cninfra::http::{RouteTable, Routes};
///
/// let mut table = RouteTable::new();
/// table.add("phonebook", Routes::new().get("/contacts", async || "alice"))?;
///
/// let error = table.add("crm", Routes::new().get("/contacts", async || "bob")).unwrap_err();
/// assert_eq!(error.to_string(), "`crm` registers `GET /contacts`, which `phonebook` has registered already");
///
/// let router: cninfra::http::axum::Router = table.router();
/// # let _ = router;
/// # Ok::<(), cninfra::http::RouteError>(())
/// ```
///
/// A clone has the same handlers. Handlers are foreign code, also when they are cloned or dropped. Of this table's
/// methods, only those that make a router clone handlers, and [`renew`](RouteTable::renew) returns the handlers it
/// takes out, instead of dropping them. So a table can be changed under a lock. If a handler panics when it is cloned,
/// only its own route is answered with 500, and a [`Failure`](super::Failure) tells the server why.
#[derive(Clone, Default)]
pub struct RouteTable {
    pub(super) index: RouteIndex,
    /// One for each route, in the same order.
    pub(super) handlers: Vec<Arc<MethodRouter<Shared<()>>>>,
    /// For each route, in the same order: in which attempt of its owner's `init` it was registered.
    attempts: Vec<u32>,
}

impl RouteTable {
    /// A table without routes.
    #[must_use]
    pub fn new() -> Self {
        RouteTable::default()
    }

    /// Adds the routes of the plugin with the instance name `owner`: all of them, or none if there is an error.
    ///
    /// # Errors
    /// The first route that is not valid, or that overlaps with another one.
    pub fn add(&mut self, owner: &str, routes: Routes) -> Result<(), RouteError> {
        self.extend(owner, 0, &routes)
    }

    /// Like [`add`](RouteTable::add), but what the owner registers in a later attempt of its `init`
    /// ([`Context::failed_attempts`](crate::Context::failed_attempts)) replaces what it registered in an earlier one.
    /// Returns a table with the handlers that were taken out, to be dropped while no lock is held.
    ///
    /// # Errors
    /// Those of [`add`](RouteTable::add), also if the owner registers a route twice in one attempt.
    pub fn renew(&mut self, owner: &str, attempt: u32, routes: &Routes) -> Result<RouteTable, RouteError> {
        let is_replaced = |at: usize, route: &Route| {
            let is_same = |method: &Method, path: &str| *method == route.method && *path == *route.path;
            *route.owner == *owner
                && self.attempts[at] < attempt
                && routes.entries.iter().any(|entry| is_same(&entry.method, &entry.path))
        };
        if !self.routes().iter().enumerate().any(|(at, route)| is_replaced(at, route)) {
            return self.extend(owner, attempt, routes).map(|()| RouteTable::new());
        }
        let mut all = self.only(|at, route| !is_replaced(at, route))?;
        all.extend(owner, attempt, routes)?;
        Ok(mem::replace(self, all))
    }

    /// Adds all routes, or none if there is an error. The table grows in place, since a copy for each plugin would take
    /// a good part of a start.
    fn extend(&mut self, owner: &str, attempt: u32, routes: &Routes) -> Result<(), RouteError> {
        let before = self.handlers.len();
        for Entry { method, path, summary, during_start, handler } in routes.entries.iter().cloned() {
            let owner = owner.to_string();
            let added = match handler {
                Some(handler) => self.put(Route { method, path, owner, summary, during_start }, attempt, handler),
                None => Err(RouteError::Method { owner, method, path }),
            };
            if let Err(error) = added {
                *self = self.only(|at, _| at < before)?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// A table with the routes for which the condition holds.
    fn only(&self, is_in: impl Fn(usize, &Route) -> bool) -> Result<RouteTable, RouteError> {
        let mut only = RouteTable::new();
        for (at, (route, handler)) in self.routes().iter().zip(&self.handlers).enumerate() {
            if is_in(at, route) {
                only.put(route.clone(), self.attempts[at], handler.clone())?;
            }
        }
        Ok(only)
    }

    fn put(&mut self, route: Route, attempt: u32, handler: Arc<MethodRouter<Shared<()>>>) -> Result<(), RouteError> {
        let is_new = self.index.of_path(&route.path).next().is_none();
        if is_new && let Err(wrong) = path::check_text(&route.path) {
            return Err(RouteError::Path { owner: route.owner, path: route.path, wrong });
        }
        let other = self.index.of_path(&route.path).find(|other| other.same_method(&route.method)).cloned();
        if let Some(Route { owner: other_owner, path: other_path, .. }) = other {
            let Route { owner, method, path, .. } = route;
            return Err(RouteError::Overlap { owner, method, path, other_owner, other_path });
        }
        self.index.put(route).map_err(|route| self.refusal(route))?;
        self.handlers.push(handler);
        self.attempts.push(attempt);
        Ok(())
    }

    /// Why the index has refused a route. The index is a router, too, so no separate router has to check each path,
    /// which would take a good part of the time of adding it.
    fn refusal(&self, route: Route) -> RouteError {
        match path::check(&route.path) {
            Ok(()) => self.conflict(route),
            Err(wrong) => RouteError::Path { owner: route.owner, path: route.path, wrong },
        }
    }

    /// The error for a path that cannot be distinguished from another one.
    fn conflict(&self, route: Route) -> RouteError {
        let others = || self.routes().iter().filter(|other| path::conflict(&other.path, &route.path));
        // A route that answers the same requests explains more than one that only looks alike.
        let same = |other: &&Route| other.same_method(&route.method) && path::meet(&other.path, &route.path);
        let other = others().find(same).or_else(|| others().next());
        let (other_owner, other_path) =
            other.map_or_else(Default::default, |other| (other.owner.clone(), other.path.clone()));
        if other.as_ref().is_some_and(same) {
            let (owner, method, path) = (route.owner, route.method, route.path);
            return RouteError::Overlap { owner, method, path, other_owner, other_path };
        }
        RouteError::Ambiguous { owner: route.owner, path: route.path, other_owner, other_path }
    }

    /// All routes, in the order in which they were added.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        self.index.routes()
    }

    /// The routes without their handlers, which a server keeps to list them, and to find the owner of a request.
    #[must_use]
    pub fn index(&self) -> &RouteIndex {
        &self.index
    }
}

impl fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    fn get(path: &str) -> Routes {
        Routes::new().get(path, async || "")
    }

    fn refused(first: &str, second: Routes) -> RouteError {
        let mut table = RouteTable::new();
        table.add("first", get(first)).unwrap();
        let error = table.add("second", get("/fine").post("/fine", async || "").merge(second)).unwrap_err();
        assert_eq!(table.routes().len(), 1, "none of them is added on an error");
        let _ = table.router();
        error
    }

    #[test]
    fn the_same_route_twice_names_both_owners() {
        let text = refused("/a/{b}", get("/a/{b}")).to_string();
        assert_eq!(text, "`second` registers `GET /a/{b}`, which `first` has registered already");
        let head = Routes::new().on(Method::HEAD, "/a", async || "");
        let text = refused("/a", head).to_string();
        assert_eq!(text, "`second` registers `HEAD /a`, which `first` has registered already");
    }

    #[test]
    fn paths_that_match_the_same_requests_are_told_with_both() {
        let text = refused("/a/{b}", get("/a/{c}")).to_string();
        assert_eq!(text, "`second` registers `GET /a/{c}`, where `/a/{b}` of `first` answers already");
        let post = Routes::new().post("/a/{c}", async || "");
        let error = refused("/a/{b}", post);
        assert_eq!(error.to_string(), "the path `/a/{c}` of `second` cannot be told from `/a/{b}` of `first`");
        assert!(error.help().contains("the same name"));
        assert!(matches!(refused("/a/{b}", get("/a/{*c}")), RouteError::Overlap { .. }));
    }

    #[test]
    fn all_forms_of_an_overlap_name_both_owners() {
        for (one, two) in [
            ("/a", "/a"),
            ("/a/{x}", "/a/{x}"),
            ("/a/{x}", "/a/{y}"),
            ("/a/v{x}", "/a/v{y}"),
            ("/a/{x}/b", "/a/{y}/b"),
            ("/a/{x}/b/{z}", "/a/{x}/b/{y}"),
            ("/{*x}", "/{*y}"),
            ("/{x}", "/{*y}"),
            ("/{*y}", "/{x}"),
            ("/a/{x}/{*y}", "/a/{x}/{*z}"),
        ] {
            let text = refused(one, get(two)).to_string();
            assert!(["`first`", "`second`", one, two].iter().all(|part| text.contains(part)), "{text}");
            assert!(text.contains("`GET ") && !text.contains("cannot be told from"), "{text}");
        }
        for (one, two) in [
            ("/a/{x}", "/a/b"),
            ("/a/{x}", "/a"),
            ("/a/{x}", "/a/{x}/"),
            ("/{*x}", "/"),
            ("/a/{x}/b", "/a/{y}/c"),
            ("/a/{x}/{*y}", "/a/{z}/b/c"),
        ] {
            let mut table = RouteTable::new();
            table.add("first", get(one)).unwrap();
            table.add("second", get(two)).unwrap();
        }
    }

    #[test]
    fn a_plugin_may_overlap_with_itself_no_more_than_with_others() {
        let error = RouteTable::new().add("one", get("/a").merge(get("/a"))).unwrap_err();
        assert_eq!(error.to_string(), "`one` registers `GET /a`, which `one` has registered already");
    }

    #[test]
    fn what_a_plugin_registers_again_takes_the_place_of_what_it_did_before() {
        let mut table = RouteTable::new();
        table.renew("one", 0, &get("/a").get("/b", async || "")).unwrap();
        table.renew("two", 0, &get("/c")).unwrap();
        table.renew("one", 1, &get("/a").get("/d", async || "")).unwrap();
        let found: Vec<_> = table.routes().iter().map(|route| format!("{} {}", route.owner, route.path)).collect();
        assert_eq!(found, ["one /b", "two /c", "one /a", "one /d"]);
        // Routes of others are never replaced, and an error changes nothing.
        assert!(table.renew("two", 1, &get("/c").get("/a", async || "")).is_err());
        assert!(table.renew("one", 2, &get("/e").merge(get("/e"))).is_err());
        assert_eq!(table.routes().len(), 4);
        // Nor are routes of the same attempt replaced, even by another call.
        let error = table.renew("one", 1, &get("/a")).unwrap_err();
        assert_eq!(error.to_string(), "`one` registers `GET /a`, which `one` has registered already");
        table.renew("one", 1, &get("/b")).unwrap();
        assert!(table.renew("one", 1, &get("/b")).is_err());
        let _ = table.router();
    }

    /// Counts its clones and its drops.
    struct Counted(Arc<AtomicU32>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Relaxed);
            Counted(self.0.clone())
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_table_that_changes_calls_nothing_of_its_handlers() {
        let count = Arc::<AtomicU32>::default();
        let counted = |path: &str| {
            let counted = Counted(count.clone());
            Routes::new().get(path, async move || drop(counted))
        };
        let (first, again, refused) = (counted("/a"), counted("/a").merge(counted("/b")), counted("/a"));
        let mut table = RouteTable::new();
        let before = count.load(Relaxed);
        let empty = table.renew("one", 0, &first).unwrap();
        drop((first, empty));
        assert_eq!(count.load(Relaxed), before, "the table has it");
        let former = table.renew("one", 1, &again).unwrap();
        table.renew("two", 0, &refused).unwrap_err();
        let copies = (table.clone(), again.clone());
        assert_eq!(count.load(Relaxed), before);
        drop(former);
        assert!(count.load(Relaxed) > before, "what was taken out was handed back");
        drop((copies, again, refused, table));
    }

    #[test]
    fn methods_of_one_path_and_paths_beside_each_other_go_together() {
        let mut table = RouteTable::new();
        table.add("one", get("/a/{b}").summary("shows it")).unwrap();
        table.add("two", Routes::new().post("/a/{b}", async || "").put("/a/b", async || "")).unwrap();
        table.add("three", get("/{*rest}").get("/", async || "").patch("/", async || "")).unwrap();
        let found: Vec<_> =
            table.routes().iter().map(|r| format!("{} {} {} {}", r.method, r.path, r.owner, r.summary)).collect();
        let expected = [
            "GET /a/{b} one shows it",
            "POST /a/{b} two ",
            "PUT /a/b two ",
            "GET /{*rest} three ",
            "GET / three ",
            "PATCH / three ",
        ];
        assert_eq!(found, expected);
        let _ = table.router();
    }

    #[test]
    fn a_wrong_path_or_method_names_the_owner() {
        let error = RouteTable::new().add("one", get("a")).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.help()),
            ("the path `a` of `one` does not start with `/`", "write it with a `/` in front")
        );
        let made_up = Method::from_bytes(b"BREW").unwrap();
        let error = RouteTable::new().add("one", Routes::new().on(made_up, "/pot", async || "")).unwrap_err();
        assert_eq!(error.to_string(), "`one` registers `BREW /pot`, but `BREW` is not an HTTP method");
    }

    #[test]
    fn a_wrong_path_is_refused_as_one_whatever_else_there_is() {
        let pieces = ["/", "a", "{a}", "{*b}", "{{", "}}", "{", "}", ":"];
        let mut paths = vec![String::new()];
        for _ in 0..4 {
            paths = paths
                .iter()
                .flat_map(|path| ["", "/"].iter().chain(&pieces).map(move |piece| format!("{path}{piece}")))
                .collect();
            paths.sort();
            paths.dedup();
        }
        let (mut right, mut wrong) = (0, 0);
        for there in ["/", "/a", "/a/{a}", "/{a}", "/a{a}", "/{*b}", "/a/{*b}", "/{{a", "/a/{a}/{*b}"] {
            let mut table = RouteTable::new();
            table.add("there", get(there)).unwrap();
            for path in &paths {
                let added = table.clone().add("new", get(path));
                match path::check(path) {
                    Ok(()) => right += u32::from(added.is_ok()),
                    Err(_) => {
                        wrong += 1;
                        assert!(matches!(added, Err(RouteError::Path { .. })), "{path} beside {there}: {added:?}");
                    }
                }
            }
        }
        assert!(right > 100 && wrong > 100, "{right} right, {wrong} wrong");
    }

    #[test]
    fn what_the_table_takes_never_panics_in_axum() {
        let paths = [
            "/",
            "/a",
            "/a/",
            "/{a}",
            "/{b}",
            "/{*r}",
            "/a/{b}",
            "/a/{*c}",
            "/a/b{c}",
            "/a/b{d}",
            "/a/{b}/c",
            "/{a}/{b}",
            "/{x}/{y}/c",
        ];
        for one in paths {
            for two in paths {
                for three in paths {
                    let mut table = RouteTable::new();
                    for path in [one, two, three] {
                        let _ = table.add(path, get(path));
                    }
                    let _ = table.router();
                }
            }
        }
    }
}
