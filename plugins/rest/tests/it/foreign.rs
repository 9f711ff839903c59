//! Handlers, layers and bodies that misbehave: any call into them may panic, and may call the server.

use crate::{
    raw::{Raw, client},
    support::{config, request},
};
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::Response,
};
use cninfra::{
    agent::{Backoff, StartPolicy},
    config::Config,
    http::{Http, RouteTable, Routes},
    prelude::*,
    status::{PluginStatus, State},
};
use cninfra_rest::{Handle, Rest, Server};
use cninfra_testbed::DEADLINE;
use futures_util::{StreamExt as _, stream};
use hyper::body::Frame;
use std::{
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
        mpsc,
    },
    task::{Context as Task, Poll},
    thread,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// Calls the server when it is cloned or dropped: a destructor may call whatever it wants to.
struct Asks(Dep<dyn Http>, Arc<AtomicU32>);

impl Asks {
    fn ask(&self) {
        let _ = (self.0.local_addr(), self.0.routes());
        self.1.fetch_add(1, SeqCst);
    }

    /// A handler that owns it.
    fn route(self, path: &str) -> Routes {
        Routes::new().get(path, async move || {
            let _ = &self;
            "asked"
        })
    }
}

impl Clone for Asks {
    fn clone(&self) -> Self {
        self.ask();
        Asks(self.0.clone(), self.1.clone())
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        self.ask();
    }
}

/// Counts how often its handlers have called the server.
#[plugin]
#[derive(Default)]
struct Asked(Arc<AtomicU32>);

/// Registers a route that is refused, one that replaces another, and one that comes late.
#[plugin]
struct Asking {
    http: Dep<dyn Http>,
    asked: Dep<Asked>,
    attempts: AtomicU32,
}

impl Lifecycle for Asking {
    async fn init(&self, cx: &Context) -> Result<()> {
        let asks = || Asks(self.http.clone(), self.asked.0.clone());
        self.http.register(cx, asks().route("/asks").during_start())?;
        self.http.register(cx, asks().route("/asks")).expect_err("it is there");
        let twice = asks().route("/twice").merge(asks().route("/twice"));
        self.http.register(cx, twice).expect_err("one route, two handlers");
        if self.attempts.fetch_add(1, SeqCst) == 0 { Err(Error::msg("not yet")) } else { Ok(()) }
    }
}

#[derive(Flavor)]
struct Asker {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    asked: Dep<Asked>,
    asking: Dep<Asking>,
}

/// Runs it on a thread of its own, so that a deadlock fails the test.
fn in_time<T: Send + 'static>(run: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let _ = done.send(runtime.block_on(run()));
    });
    wait.recv_timeout(DEADLINE).expect("it neither ends nor panics")
}

#[test]
fn a_handler_may_ask_the_server_when_a_failed_start_drops_it() {
    let asked = in_time(async || {
        let asked = Dep::from(Asked::default());
        let error = Agent::<Asker>::builder().config(config()).with(asked.clone()).start().await.unwrap_err();
        assert_eq!(error.errors.len(), 1, "{error}");
        asked.0.load(SeqCst)
    });
    assert!(asked >= 4, "each handler is dropped: {asked}");
}

#[test]
fn a_handler_may_ask_the_server_when_another_takes_its_place() {
    another_takes_its_place(true);
    // Even while the server does not serve yet, it accepts routes.
    another_takes_its_place(false);
}

fn another_takes_its_place(serves: bool) {
    in_time(async move || {
        let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(10));
        let used = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = used.local_addr().unwrap().to_string();
        let config = if serves { config() } else { Config::new().set("http", "endpoint", taken) };
        let builder = Agent::<Asker>::builder().config(config).start_policy("asking", StartPolicy::Retry(backoff));
        let agent = builder.start_policy("http", StartPolicy::Ignore).start().await.unwrap();
        let is_up = |plugin: &PluginStatus| plugin.state == State::Ok || (plugin.name == "http" && !serves);
        while !agent.status().plugins.iter().all(is_up) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if let Some(addr) = agent.rest.local_addr() {
            assert_eq!(request(addr, "GET", "/asks").await.body, "asked");
        }
        let index = usize::from(serves);
        assert_eq!(agent.asking.http.routes().len(), 1 + index, "this one, and the page that lists them");
        let asked = agent.asked.0.clone();
        agent.close().await.unwrap();
        assert!(asked.load(SeqCst) >= 8);
    });
}

/// Panics when it is dropped, unless something else panics already, which would abort the process.
#[derive(Clone)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(thread::panicking(), "dropped on purpose");
    }
}

/// A body whose first part arrives, and that then panics.
fn broken() -> Body {
    Body::from_stream(stream::iter([1, 2]).then(async |part| {
        // So that the first part is sent.
        tokio::task::yield_now().await;
        assert_eq!(part, 1, "read on purpose");
        Ok::<_, Infallible>("x")
    }))
}

/// A body that arrives completely, and then panics in its destructor.
struct Burst(bool, Bomb);

impl HttpBody for Burst {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let is_done = std::mem::replace(&mut self.0, true);
        Poll::Ready((!is_done).then(|| Ok(Frame::data(Bytes::from_static(b"whole")))))
    }
}

/// A service that panics when it is called.
#[derive(Clone)]
struct Trap<S>(S);

impl<S> tower_service::Service<Request> for Trap<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        panic!("called on purpose")
    }
}

impl<S> tower_layer::Layer<S> for Trap<()> {
    type Service = Trap<S>;

    fn layer(&self, inner: S) -> Trap<S> {
        Trap(inner)
    }
}

/// Panics when it is cloned, once the flag is set.
struct Single(Arc<AtomicBool>);

impl Clone for Single {
    fn clone(&self) -> Self {
        assert!(!self.0.load(SeqCst), "cloned on purpose");
        Single(self.0.clone())
    }
}

struct Served {
    addr: SocketAddr,
    handle: Handle,
    serving: JoinHandle<usize>,
    told: Arc<Mutex<Vec<String>>>,
}

impl Served {
    /// Serves these routes for the plugin `web`.
    async fn start(routes: Routes, change: impl FnOnce(Server) -> Server) -> Self {
        let mut table = RouteTable::new();
        table.add("web", routes).unwrap();
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), table.router()).await.unwrap();
        let (addr, handle) = (server.local_addr(), server.handle());
        let told = Arc::<Mutex<Vec<String>>>::default();
        let tell = told.clone();
        let report = move |incident: &cninfra_rest::Incident| tell.lock().unwrap().push(incident.to_string());
        let server = change(server.routes(table.index().clone()).report_to(report));
        Served { addr, handle, serving: tokio::spawn(server.serve()), told }
    }

    /// Sends one request, and returns everything that arrives.
    async fn ask(&self, path: &str) -> String {
        let (addr, head) = (self.addr, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        client(move || {
            let mut raw = Raw::connect(addr);
            raw.send(head);
            raw.until_closed().0
        })
        .await
    }

    /// Asserts that it still serves, has reported exactly this, and has cut off no request.
    async fn ends_with(self, told: &[&str]) {
        assert!(self.ask("/fine").await.ends_with("fine"));
        self.handle.drain().await;
        assert_eq!(self.serving.await.unwrap(), 0, "nothing was in flight any more");
        assert_eq!(*self.told.lock().unwrap_or_else(PoisonError::into_inner), told);
    }
}

fn fine() -> Routes {
    Routes::new().get("/fine", async || "fine")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_panics_is_told_with_its_owner_and_is_no_request_cut_off() {
    let served = Served::start(fine().get("/body/{id}", async || Response::new(broken())), |server| server).await;
    let text = served.ask("/body/7").await;
    assert!(text.starts_with("HTTP/1.1 200 ") && !text.ends_with("0\r\n\r\n"), "it breaks off: {text:?}");
    let told = "the body of the answer to GET /body/7 (`/body/{id}` of `web`) panicked: assertion `left == right` failed: \
                read on purpose\n  left: 2\n right: 1";
    served.ends_with(&[told]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn destructors_that_panic_are_told_with_their_owners() {
    let routes = fine().get("/body", async || Response::new(Body::new(Burst(false, Bomb))));
    let served = Served::start(routes, |server| server).await;
    assert!(served.ask("/body").await.contains("whole"));
    served.ends_with(&["the handler of GET /body of `web` panicked: dropped on purpose"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_is_dropped_and_panics_then_is_told_and_cut_off() {
    let (entered, mut wait) = tokio::sync::mpsc::unbounded_channel();
    let never = async move || {
        let _bomb = Bomb;
        entered.send(()).unwrap();
        pending::<&str>().await
    };
    let served = Served::start(fine().get("/never", never), |server| server).await;
    let mut raw = Raw::connect(served.addr);
    raw.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    wait.recv().await.unwrap();
    served.handle.end().await;
    assert_eq!(served.serving.await.unwrap(), 1);
    assert_eq!(*served.told.lock().unwrap(), ["the handler of GET /never of `web` panicked: dropped on purpose"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_and_clones_that_panic_are_answered_with_500() {
    let is_served = Arc::<AtomicBool>::default();
    let single = Single(is_served.clone());
    let handler = async move || {
        let _ = &single;
        ""
    };
    let routes = Routes::new().get("/layer", async || "").layer(Trap(())).get("/clone", handler).merge(fine());
    let served = Served::start(routes, |server| server).await;
    is_served.store(true, SeqCst);
    for path in ["/layer", "/clone"] {
        let text = served.ask(path).await;
        assert!(text.starts_with("HTTP/1.1 500 ") && text.ends_with(r#"{"error":"internal server error"}"#), "{text}");
    }
    let told = ["layer", "clone"].map(|what| {
        let done = if what == "layer" { "called" } else { "cloned" };
        format!("the handler of GET /{what} of `web` panicked: {done} on purpose")
    });
    served.ends_with(&told.each_ref().map(|told| &**told)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_handler_is_answered_with_500_and_told_with_its_owner() {
    async fn read(body: String) -> cninfra::Result<String> {
        Err::<String, _>(std::io::Error::other("the disk is gone"))
            .context(format_args!("reading `{body}`"))
            .help("put it back")
    }
    let served = Served::start(fine().get("/bad", read), |server| server).await;
    let text = served.ask("/bad").await;
    assert!(text.starts_with("HTTP/1.1 500 ") && text.ends_with(r#"{"error":"internal server error"}"#), "{text}");
    assert!(text.contains("application/json"), "{text}");
    served
        .ends_with(&["the handler of GET /bad of `web` failed: reading ``: the disk is gone\n  help: put it back"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_panics_is_told_with_the_owner_and_is_no_request_cut_off() {
    let bad = async || {
        let mut response = Response::new(Body::from("x"));
        // hyper drops it when it writes the head of the response.
        response.extensions_mut().insert(Bomb);
        response
    };
    let served = Served::start(fine().get("/head", bad), |server| server).await;
    assert_eq!(served.ask("/head").await, "");
    let told =
        "a connection is closed, since its task panicked while it answered GET /head of `web`: dropped on purpose";
    served.ends_with(&[told]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_log_that_panics_is_told() {
    let log = |access: &cninfra_rest::Access| assert_ne!(access.path, "/logged", "logged on purpose");
    let served = Served::start(fine().get("/logged", async || "fine"), |server| server.access_to(log)).await;
    assert!(served.ask("/logged").await.ends_with("fine"));
    let began = Instant::now();
    while served.told.lock().unwrap().is_empty() && began.elapsed() < DEADLINE {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let told = "the request observer panicked: assertion `left != right` failed: logged on purpose\n  left: \
                \"/logged\"\n right: \"/logged\"";
    served.ends_with(&[told]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_kept_its_thread_for_too_long_is_told_of() {
    for (handler, millis) in [(Some(Duration::from_millis(100)), 300), (None, 1100)] {
        let block = async move || {
            thread::sleep(Duration::from_millis(millis));
            "blocked"
        };
        let mut limits = cninfra_rest::Limits::default();
        limits.handler = handler;
        let served = Served::start(fine().get("/block", block), |server| server.limits(limits)).await;
        assert!(served.ask("/fine").await.ends_with("fine") && served.told.lock().unwrap().is_empty());
        assert!(served.ask("/block").await.ends_with("blocked"));
        let told = served.told.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        assert!(told.starts_with("the handler of GET /block of `web` has blocked its thread for "), "{told}");
        served.ends_with(&[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_panics_ends_nothing() {
    let bad = async || if true { panic!("on purpose") } else { "" };
    let report = |_: &cninfra_rest::Incident| panic!("told on purpose");
    let served = Served::start(fine().get("/bad", bad), |server| server.report_to(report)).await;
    assert!(served.ask("/bad").await.starts_with("HTTP/1.1 500 "));
    served.ends_with(&[]).await;
}
