//! Tests of the metrics of requests.

use crate::support::{One, Source, config, request, start};
use cninfra::{
    http::{
        Routes,
        axum::{
            body::{Body, Bytes, HttpBody},
            extract::Path,
        },
    },
    metrics::Format,
    prelude::*,
};
use cninfra_testbed::DEADLINE;
use futures_util::stream;
use hyper::body::{Frame, SizeHint};
use std::{
    convert::Infallible,
    io::Write as _,
    net::TcpStream,
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll, ready},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

fn told(agent: &Agent<One>) -> String {
    agent.metrics().expose(Format::Text).text
}

/// The value of a series.
fn value(agent: &Agent<One>, series: &str) -> Option<f64> {
    let text = told(agent);
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

/// Waits for a value: it is counted after the end of a response, which the client may see first.
async fn wait_for(agent: &Agent<One>, series: &str, expected: f64) {
    let until = Instant::now() + DEADLINE;
    while value(agent, series) != Some(expected) {
        assert!(Instant::now() < until, "{series} is not {expected}:\n{}", told(agent));
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_route_method_and_status() {
    let routes = Routes::new()
        .get("/hello/{name}", async |Path(name): Path<String>| name)
        .post("/hello/{name}", async || (cninfra::http::axum::http::StatusCode::IM_A_TEAPOT, "no coffee"))
        .get("/panic", async || -> &'static str { panic!("on purpose") });
    let (agent, addr) = start(routes).await;
    for name in 0..20 {
        let path: &'static str = Box::leak(format!("/hello/{name}?q={name}").into_boxed_str());
        assert_eq!(request(addr, "GET", path).await.status, 200);
    }
    for (method, path, status) in [
        ("HEAD", "/hello/bob", 200),
        ("POST", "/hello/bob", 418),
        ("DELETE", "/hello/bob", 405),
        ("BREW", "/hello/bob", 405),
        ("GET", "/nosuch/1", 404),
        ("BREW", "/nosuch/2", 404),
        ("GET", "/panic", 500),
    ] {
        assert_eq!(request(addr, method, path).await.status, status, "{method} {path}");
    }
    for (series, count) in [
        (r#"method="GET",route="/hello/{name}",status="200""#, 21.0),
        (r#"method="POST",route="/hello/{name}",status="418""#, 1.0),
        (r#"method="other",route="/hello/{name}",status="405""#, 2.0),
        (r#"method="other",route="none",status="404""#, 2.0),
        (r#"method="GET",route="/panic",status="500""#, 1.0),
    ] {
        wait_for(&agent, &format!("http_requests_total{{{series}}}"), count).await;
    }
    let text = told(&agent);
    assert_eq!(text.matches("\nhttp_requests_total{").count(), 5, "{text}");
    assert!(!text.contains("BREW") && !text.contains("bob"), "what clients make up is in no label: {text}");
    let labels = r#"method="GET",route="/hello/{name}""#;
    assert_eq!(value(&agent, &format!("http_request_duration_seconds_count{{{labels}}}")), Some(21.0));
    assert_eq!(value(&agent, &format!(r#"http_request_duration_seconds_bucket{{le="+Inf",{labels}}}"#)), Some(21.0));
    let sum = value(&agent, &format!("http_request_duration_seconds_sum{{{labels}}}")).unwrap();
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    agent.close().await.unwrap();
}

/// A body with one part, of a known size, that is ready when the time is over.
struct Late(Pin<Box<tokio::time::Sleep>>, bool);

impl HttpBody for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.1 {
            return Poll::Ready(None);
        }
        ready!(self.0.as_mut().poll(task));
        self.1 = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"late")))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.1 { 0 } else { 4 })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_a_request_has_taken_to_the_end_of_its_answer() {
    const LONG: Duration = Duration::from_millis(50);
    let made = || {
        std::thread::sleep(LONG);
        Ok::<_, Infallible>("made")
    };
    let routes = Routes::new()
        .get("/at-once", async || "here")
        .get("/handler", async || {
            tokio::time::sleep(LONG).await;
            "waited"
        })
        .get("/thread", async || {
            std::thread::sleep(LONG);
            "kept its thread"
        })
        .get("/body", async || Body::new(Late(Box::pin(tokio::time::sleep(LONG)), false)))
        .get("/made", async move || Body::from_stream(stream::once(async move { made() })));
    let (agent, addr) = start(routes).await;
    for path in ["/at-once", "/handler", "/thread", "/body", "/made"] {
        assert_eq!(request(addr, "GET", path).await.status, 200, "{path}");
        let labels = format!(r#"method="GET",route="{path}""#);
        wait_for(&agent, &format!("http_request_duration_seconds_count{{{labels}}}"), 1.0).await;
        let took = value(&agent, &format!("http_request_duration_seconds_sum{{{labels}}}")).unwrap();
        let least = if path == "/at-once" { f64::MIN_POSITIVE } else { LONG.as_secs_f64() };
        assert!(took >= least, "{path} took {took} s");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_flight() {
    let (entered, open) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let (inside, gate) = (entered.clone(), open.clone());
    let routes = Routes::new().get("/slow", async move || {
        inside.notify_one();
        gate.notified().await;
        "done"
    });
    let (agent, addr) = start(routes).await;
    wait_for(&agent, "http_requests_in_flight", 0.0).await;
    let slow = tokio::spawn(request(addr, "GET", "/slow"));
    entered.notified().await;
    wait_for(&agent, "http_requests_in_flight", 1.0).await;
    wait_for(&agent, "http_connections", 1.0).await;
    open.notify_one();
    assert_eq!(slow.await.unwrap().status, 200);
    wait_for(&agent, "http_requests_in_flight", 0.0).await;
    // A request whose client leaves is no longer in flight, and was not answered.
    let mut left = TcpStream::connect(addr).unwrap();
    left.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    entered.notified().await;
    wait_for(&agent, "http_connections", 1.0).await;
    drop(left);
    open.notify_one();
    wait_for(&agent, "http_requests_in_flight", 0.0).await;
    wait_for(&agent, "http_connections", 0.0).await;
    assert_eq!(value(&agent, "http_connections_accepted_total"), Some(2.0));
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_where_the_config_says_so() {
    let routes = Routes::new().get("/hello", async || "hello");
    let config = config().set("http", "metrics", false);
    let agent = Agent::<One>::builder().config(config).with(Source { routes }).start().await.unwrap();
    assert_eq!(request(agent.rest.local_addr().unwrap(), "GET", "/hello").await.status, 200);
    assert!(!told(&agent).contains("http_"), "{}", told(&agent));
    agent.close().await.unwrap();
}
