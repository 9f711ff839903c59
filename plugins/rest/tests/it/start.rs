//! Tests of what is answered while the agent starts, and that the port is bound before any dependent starts.

use crate::support::{config, request};
use cninfra::{
    config::Config,
    http::{Http, Routes},
    prelude::*,
};
use cninfra_rest::Rest;
use cninfra_testbed::Answer;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

/// Sends requests in the middle of its `init`, before and after it registers its last routes.
#[plugin]
pub struct Asking {
    http: Dep<dyn Http>,
    answers: Mutex<Vec<Answer>>,
}

const PATHS: [&str; 4] = ["/early", "/late", "/more", "/"];

impl Lifecycle for Asking {
    async fn init(&self, cx: &Context) -> Result<()> {
        let addr = self.http.local_addr().context("the server does not listen")?;
        let early = Routes::new().get("/early", async || "early").put("/early", async || "put").during_start();
        self.http.register(cx, early.get("/late", async || "late").post("/early", async || "post"))?;
        let mut answers = Vec::new();
        for path in PATHS {
            answers.push(request(addr, "GET", path).await);
        }
        answers.push(request(addr, "DELETE", "/early").await);
        self.http.register(cx, Routes::new().get("/more", async || "more").during_start())?;
        answers.push(request(addr, "GET", "/more").await);
        *self.answers.lock().unwrap() = answers;
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Early {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub asking: Dep<Asking>,
}

#[tokio::test(flavor = "multi_thread")]
async fn only_early_routes_are_answered_during_the_start() {
    let agent = Agent::<Early>::builder().config(config()).start().await.unwrap();
    let answers = std::mem::take(&mut *agent.asking.answers.lock().unwrap());
    let starting = r#"{"error":"the agent is starting"}"#;
    let found: Vec<_> =
        answers.iter().map(|answer| (answer.status, &*answer.body, answer.header("retry-after"))).collect();
    let refused = (503, starting, Some("1"));
    assert_eq!(found, [(200, "early", None), refused, refused, refused, refused, (200, "more", None)]);
    assert_eq!(answers[1].header("content-type"), Some("application/json"));
    // It includes methods that are only served later, so it is the same then.
    let allowed = Some("GET,HEAD,PUT,POST,OPTIONS");
    assert_eq!(answers[4].header("allow"), allowed);
    let addr = agent.rest.local_addr().unwrap();
    for (path, body) in [("/early", "early"), ("/late", "late"), ("/more", "more")] {
        assert_eq!(request(addr, "GET", path).await.body, body);
    }
    let answer = request(addr, "DELETE", "/early").await;
    assert_eq!((answer.status, answer.header("allow")), (405, allowed));
    assert!(request(addr, "GET", "/").await.body.contains("/late"));
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_ends_the_start_before_anybody_waits() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config::new().set("http", "endpoint", other.local_addr().unwrap().to_string());
    let error = Agent::<Early>::builder().config(config).start().await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("plugin `Rest (http)` failed in init: another process listens on"), "{error}");
    assert!(!error.contains("Asking"), "it has not begun, and so it misses nothing: {error}");
}

/// Panics when it is cloned for the second time after it was registered.
struct Second(Arc<AtomicU32>);

impl Clone for Second {
    fn clone(&self) -> Self {
        if self.0.load(SeqCst) > 0 {
            assert_ne!(self.0.fetch_add(1, SeqCst), 2, "cloned twice");
        }
        Second(self.0.clone())
    }
}

/// Sends two requests to a handler of that kind.
#[plugin]
pub struct Careless {
    http: Dep<dyn Http>,
    answers: Mutex<Vec<u16>>,
}

impl Lifecycle for Careless {
    async fn init(&self, cx: &Context) -> Result<()> {
        let addr = self.http.local_addr().context("the server does not listen")?;
        let clones = Arc::<AtomicU32>::default();
        let second = Second(clones.clone());
        let handler = async move || {
            let _ = &second;
        };
        // Joining two methods of a path takes one more clone.
        let routes = Routes::new().get("/a", handler).put("/a", async || "put").during_start();
        self.http.register(cx, routes)?;
        clones.store(1, SeqCst);
        for _ in 0..2 {
            let status = request(addr, "PUT", "/a").await.status;
            self.answers.lock().unwrap().push(status);
        }
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Clones {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub careless: Dep<Careless>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_that_panics_while_routes_come_costs_no_answer() {
    let agent = Agent::<Clones>::builder().config(config()).start().await.unwrap();
    assert_eq!(*agent.careless.answers.lock().unwrap(), [503, 200]);
    agent.close().await.unwrap();
}

/// Sends a request before its `init` returns, and checks there whether a response has arrived.
#[plugin]
pub struct Hasty {
    http: Dep<dyn Http>,
    asked: Mutex<Option<TcpStream>>,
}

impl Lifecycle for Hasty {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, Routes::new().get("/late", async || "late"))?;
        let mut client = TcpStream::connect(self.http.local_addr().context("the server does not listen")?)?;
        client.write_all(b"GET /late HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        // Every task that might answer gets its turn, and no time passes.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        client.set_nonblocking(true)?;
        assert_eq!(client.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
        client.set_nonblocking(false)?;
        *self.asked.lock().unwrap() = Some(client);
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Quick {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub hasty: Dep<Hasty>,
}

#[tokio::test(start_paused = true)]
async fn who_comes_in_the_first_moment_waits_for_a_start_that_is_done_then() {
    let agent = Agent::<Quick>::builder().config(config()).start().await.unwrap();
    let mut client = agent.hasty.asked.lock().unwrap().take().unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        client.read_to_string(&mut answer).map(|_| answer)
    });
    let answer = answer.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nlate"), "{answer}");
    agent.close().await.unwrap();
}
