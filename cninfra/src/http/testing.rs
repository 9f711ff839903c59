//! Calls handlers without a server and without a socket. Needs the feature `testing`.
//!
//! [`InProcess`] replaces the server of an agent. [`Client`] is for routes without an agent.
//!
//! ```
//! use cninfra::{http::{Http, Routes, testing::InProcess}, prelude::*};
//! use std::sync::Arc;
//!
//! #[plugin]
//! struct Greeter {
//!     http: Dep<dyn Http>,
//! }
//!
//! impl Lifecycle for Greeter {
//!     async fn init(&self, cx: &Context) -> Result<()> {
//!         self.http.register(cx, Routes::new().get("/hello", async || "Hello!"))
//!     }
//! }
//! # #[plugin]
//! # struct Server;
//! # impl Http for Server {
//! #     fn register(&self, _: &Context, _: Routes) -> Result<()> { Ok(()) }
//! #     fn routes(&self) -> Vec<cninfra::http::Route> { Vec::new() }
//! #     fn local_addr(&self) -> Option<std::net::SocketAddr> { None }
//! # }
//! # impl Lifecycle for Server {}
//!
//! #[derive(Flavor)]
//! struct Hello {
//!     #[provides(dyn Http)]
//!     rest: Dep<Server>, // of any crate: it does not run
//!     greeter: Dep<Greeter>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let http = Arc::new(InProcess::default());
//! let agent = Agent::<Hello>::builder().bind::<dyn Http>(http.clone()).start().await?;
//! let answer = http.client().get("/hello").await;
//! assert_eq!(answer.status, 200);
//! assert_eq!(answer.text(), "Hello!");
//! agent.close().await?;
//! # Ok(())
//! # }
//! ```

use super::{Failure, Http, Route, RouteTable, Routes};
use crate::{BoxFuture, Context, Error, Result};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
        header::{CONTENT_TYPE, HOST},
    },
    response::Response,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    future::{IntoFuture, poll_fn},
    net::SocketAddr,
    str::from_utf8,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tower_service::Service as _;

/// Replaces the HTTP server of an agent: it accepts routes as a server does, and a [`Client`] calls their handlers. See
/// the [module](self).
#[derive(Debug, Default)]
pub struct InProcess(Mutex<RouteTable>);

impl InProcess {
    /// A client for all routes registered so far.
    #[must_use]
    pub fn client(&self) -> Client {
        let table = self.table().clone();
        Client(table.router())
    }

    fn table(&self) -> MutexGuard<'_, RouteTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Http for InProcess {
    fn register(&self, owner: &Context, routes: Routes) -> Result<()> {
        // Dropped after the lock is released, as is `routes`.
        let _former = self.table().renew(owner.name(), owner.failed_attempts(), &routes).map_err(|error| {
            let help = error.help();
            Error::from(error).with_help(help)
        })?;
        Ok(())
    }

    fn routes(&self) -> Vec<Route> {
        self.table().routes().to_vec()
    }

    /// `None`: there is no socket.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Calls handlers as a server does, without a server. A panic in a handler is a panic in the test.
///
/// ```
/// use cninfra::http::{Path, Routes, testing::Client};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let client = Client::of(Routes::new().get("/hello/{name}", async |Path(name): Path<String>| name));
/// assert_eq!(client.get("/hello/bob").await.text(), "bob");
/// assert_eq!(client.post("/hello/bob").await.status, 405);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Router);

impl Client {
    /// A client for these routes.
    ///
    /// # Panics
    /// The routes are not valid, or overlap.
    #[must_use]
    #[track_caller]
    pub fn of(routes: Routes) -> Self {
        let mut table = RouteTable::new();
        match table.add("test", routes) {
            Ok(()) => Client(table.router()),
            Err(error) => panic!("{error}\n  help: {}", error.help()),
        }
    }

    /// A client for a router of axum.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Client(router)
    }

    /// A request. `target` is a path, with or without a query.
    ///
    /// # Panics
    /// `target` is not valid.
    #[track_caller]
    pub fn request(&self, method: Method, target: &str) -> Call {
        let uri: Uri = match target.parse() {
            Ok(uri) => uri,
            Err(error) => panic!("`{target}` is not the target of a request: {error}"),
        };
        let mut request = Request::new(Body::empty());
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        Call { router: self.0.clone(), request }
    }

    /// A [`request`](Self::request) with `GET`.
    ///
    /// # Panics
    /// `target` is not valid.
    #[track_caller]
    pub fn get(&self, target: &str) -> Call {
        self.request(Method::GET, target)
    }

    /// A [`request`](Self::request) with `POST`.
    ///
    /// # Panics
    /// `target` is not valid.
    #[track_caller]
    pub fn post(&self, target: &str) -> Call {
        self.request(Method::POST, target)
    }

    /// A [`request`](Self::request) with `PUT`.
    ///
    /// # Panics
    /// `target` is not valid.
    #[track_caller]
    pub fn put(&self, target: &str) -> Call {
        self.request(Method::PUT, target)
    }

    /// A [`request`](Self::request) with `DELETE`.
    ///
    /// # Panics
    /// `target` is not valid.
    #[track_caller]
    pub fn delete(&self, target: &str) -> Call {
        self.request(Method::DELETE, target)
    }
}

/// A request that is not sent yet: `.await` sends it.
#[derive(Debug)]
#[must_use = "a request is sent by `.await`"]
pub struct Call {
    router: Router,
    request: Request<Body>,
}

impl Call {
    /// Adds a header.
    ///
    /// # Panics
    /// The name or the value is not valid in HTTP.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => self.request.headers_mut().append(name, value),
            _ => panic!("`{name}: {value}` is not a header"),
        };
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Sets the body to this value as JSON.
    ///
    /// # Panics
    /// It cannot be written as JSON, such as a map whose keys are not texts.
    #[track_caller]
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => *self.request.body_mut() = json.into(),
            Err(error) => panic!("no JSON: {error}"),
        }
        self.request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    async fn send(mut self) -> Answer {
        let ready =
            poll_fn(|task| <Router as tower_service::Service<Request<Body>>>::poll_ready(&mut self.router, task));
        let response: Response = match ready.await {
            Ok(()) => match self.router.call(self.request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(never) => match never {},
        };
        let (head, body) = response.into_parts();
        match to_bytes(body, usize::MAX).await {
            Ok(body) => {
                let failure = head.extensions.get().cloned();
                Answer { status: head.status, headers: head.headers, body, failure }
            }
            Err(error) => panic!("the answer broke off: {error}"),
        }
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = BoxFuture<'static, Answer>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// The complete response of a handler.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status. It can also be compared with a number.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    failure: Option<Failure>,
}

impl Answer {
    /// The first header of this name, if it is a text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The error that the handler returned, with its causes, if it was a [`cninfra::Error`]. A server writes it to its
    /// log.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_ref().map(Failure::as_str)
    }

    /// The body as text.
    ///
    /// # Panics
    /// It is not UTF-8.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        match from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body of the answer {} is no text: {error}: {:?}", self.status, self.body),
        }
    }

    /// The body, parsed as JSON.
    ///
    /// # Panics
    /// It is not JSON, or not of this type.
    #[must_use]
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            // What was answered instead is mostly an error, in words.
            Err(error) => {
                panic!("the answer {} cannot be read so: {error}: {}", self.status, self.body.escape_ascii())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::axum::{
        Json,
        extract::{Query, State},
        middleware::{Next, from_fn},
        response::Response,
    };
    use std::collections::BTreeMap;

    #[tokio::test]
    async fn requests_and_answers_are_whole() {
        type Map = BTreeMap<String, String>;
        let routes = Routes::new()
            .put("/echo", async |Query(mut query): Query<Map>, headers: HeaderMap, Json(body): Json<Map>| {
                query.extend(body);
                query.insert("host".to_string(), headers["host"].to_str().unwrap().to_string());
                query.insert("x".to_string(), headers["x-test"].to_str().unwrap().to_string());
                ([("x-answer", "yes")], Json(query))
            })
            .get("/text", async |body: String| body);
        let client = Client::of(routes);
        let body: Map = [("b".to_string(), "2".to_string())].into();
        let answer = client.put("/echo?a=1").header("x-test", "y").json(&body).await;
        assert_eq!((answer.status, answer.header("x-answer")), (StatusCode::OK, Some("yes")));
        let expected = [("a", "1"), ("b", "2"), ("host", "localhost"), ("x", "y")];
        assert_eq!(answer.json::<Map>(), expected.map(|(key, value)| (key.to_string(), value.to_string())).into());
        assert_eq!(client.get("/text").body("some").await.text(), "some");
        let head = client.request(Method::HEAD, "/text").body("some").await;
        assert_eq!((head.text(), head.header("content-length")), ("", Some("4")));
    }

    #[tokio::test]
    async fn routes_have_a_state_and_layers() {
        async fn knock(request: axum::extract::Request, next: Next) -> std::result::Result<Response, StatusCode> {
            if request.headers().contains_key("x-key") {
                Ok(next.run(request).await)
            } else {
                Err(StatusCode::FORBIDDEN)
            }
        }
        let told = async |State(text): State<&'static str>| text;
        let shut = Routes::new().get("/shut", told).layer(from_fn(knock));
        let routes = shut.get("/open", told).with_state("a state").get("/plain", async || "none");
        let client = Client::of(routes);
        assert_eq!(client.get("/shut").await.status, StatusCode::FORBIDDEN);
        assert_eq!(client.get("/shut").header("x-key", "1").await.text(), "a state");
        assert_eq!(client.get("/open").await.text(), "a state", "it was added after the layer");
        assert_eq!(client.get("/plain").await.text(), "none");
    }

    #[tokio::test]
    async fn what_no_route_answers_is_answered_as_by_a_server() {
        let both = Routes::new().get("/a/{b}", async || "").put("/a/{b}", async || "");
        let own = Routes::new().on(Method::OPTIONS, "/own", async || "mine");
        let client = Client::of(both.merge(own).get("/own", async || ""));
        let answer = client.get("/b").await;
        assert_eq!((answer.status, answer.text()), (StatusCode::NOT_FOUND, r#"{"error":"not found"}"#));
        let answer = client.delete("/a/b").await;
        let error = r#"{"error":"method not allowed"}"#;
        assert_eq!((answer.status, answer.text()), (StatusCode::METHOD_NOT_ALLOWED, error));
        assert_eq!(answer.header("allow"), Some("GET,HEAD,PUT,OPTIONS"));
        for (path, allow) in [("/a/b", "GET,HEAD,PUT,OPTIONS"), ("*", "GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS")] {
            let answer = client.request(Method::OPTIONS, path).await;
            let found = (answer.status, answer.header("allow"), answer.text());
            assert_eq!(found, (StatusCode::NO_CONTENT, Some(allow), ""), "{path}");
        }
        let answer = client.request(Method::OPTIONS, "/own").await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "mine"));
        assert_eq!(client.request(Method::OPTIONS, "/b").await.status, StatusCode::NOT_FOUND);
    }

    #[test]
    #[should_panic(expected = "`test` registers `GET /a`, which `test` has registered already")]
    fn routes_that_overlap_fail_the_test() {
        let _ = Client::of(Routes::new().get("/a", async || "").get("/a", async || ""));
    }
}
