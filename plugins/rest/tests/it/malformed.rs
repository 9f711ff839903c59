//! Tests of invalid requests and ambiguous hosts: the responses, and where they are logged and counted. And of
//! responses without content.

use crate::{
    raw::{Raw, client, serve},
    support::start,
};
use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse as _,
    routing::get,
};
use cninfra::{
    http::Routes,
    metrics::{Format, Metrics},
};
use cninfra_rest::{Access, Limits, RequestMetrics, Server};
use cninfra_testbed::DEADLINE;
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

/// The head of everything that arrives, in lower case, and the body.
fn answer(addr: std::net::SocketAddr, request: &str) -> (String, String) {
    let mut raw = Raw::connect(addr);
    raw.send(request);
    let (text, _) = raw.until_closed();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_lowercase(), body.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_plain_is_answered_with_400() {
    let served = serve(Router::new().route("/", get(async || "fine")), Limits::default()).await;
    client(move || {
        for (request, wrong) in [
            ("GET / HTTP/1.1\r\n\r\n", "the request has no header `Host`"),
            ("GET http://x/ HTTP/1.1\r\n\r\n", "the request has no header `Host`"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "the request has more than one header `Host`"),
            ("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "the request has more than one header `Host`"),
            ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "the request has more than one header `Host`"),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "the header `Host` is not valid"),
            ("GET / HTTP/1.1\r\nHost: a/..\r\n\r\n", "the header `Host` is not valid"),
            ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "the header `Host` is not valid"),
            ("GET / HTTP/1.1\r\nHost: \u{e4}\r\n\r\n", "the header `Host` is not valid"),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "the request has no header `Host`"),
        ] {
            let (head, body) = answer(served.addr, request);
            assert!(head.starts_with("http/1.1 400 ") || head.starts_with("http/1.0 400 "), "{request}: {head}");
            assert!(head.contains("connection: close") || request.contains("1.0"), "{head}");
            assert_eq!(body, format!(r#"{{"error":"{wrong}"}}"#));
        }
        for request in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
            "GET http://x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        ] {
            let (head, body) = answer(served.addr, request);
            assert!(head.contains(" 200 ") && body == "fine", "{request}: {head}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_in_json_counted_and_logged() {
    let (metrics, logged) = (RequestMetrics::new(), Arc::<Mutex<Vec<Access>>>::default());
    let all = Metrics::new("test");
    metrics.register(&all).unwrap();
    let empty = async || (StatusCode::BAD_REQUEST, [(header::CONTENT_LENGTH, "0")]);
    let router = Router::new().route("/", get(async || "fine")).route("/empty", get(empty));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap().metrics(&metrics);
    let (addr, log) = (server.local_addr(), logged.clone());
    tokio::spawn(server.access_to(move |access| log.lock().unwrap().push(access.clone())).serve());
    client(move || {
        let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(65_536));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(200));
        for (request, status, error) in [
            ("NONSENSE\r\n\r\n", 400, "this is not a valid request"),
            ("GET / HTTP/9.9\r\n\r\n", 400, "this is not a valid request"),
            ("GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n", 400, "this is not a valid request"),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400,
                "this is not a valid request",
            ),
            (&long, 414, "the target of the request is longer than the server takes"),
            (&many, 431, "the headers are larger or more than the server takes"),
        ] {
            let (head, body) = answer(addr, request);
            assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
            let length = format!("content-length: {}", body.len());
            for part in ["content-type: application/json", "connection: close", &length] {
                assert!(head.contains(part), "{part}: {head}");
            }
            assert_eq!(body, format!(r#"{{"error":"{error}"}}"#));
        }
        // After requests on the same connection, one of which has a response that looks like hyper's own.
        let mut late = Raw::connect(addr);
        late.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n");
        let first = late.answer();
        assert!(first.to_lowercase().contains("content-length: 0") && first.ends_with("\r\n\r\n"), "{first}");
        assert!(late.answer().ends_with("fine"));
        assert!(late.until_closed().0.ends_with(r#"{"error":"this is not a valid request"}"#));
    })
    .await;
    let counted = |status: u16| {
        let text = all.expose(Format::Text).text;
        let series = format!(r#"http_requests_total{{method="other",route="malformed",status="{status}"}} "#);
        text.lines().find_map(|line| line.strip_prefix(&series).map(str::to_string))
    };
    let told = || [400, 414, 431].map(|status| counted(status).unwrap_or_default());
    let until = Instant::now() + DEADLINE;
    while told() != ["5", "1", "1"] {
        assert!(Instant::now() < until, "{:?}", told());
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let logged = logged.lock().unwrap();
    let malformed: Vec<_> = logged.iter().filter(|access| access.method.as_str() == "-").collect();
    assert_eq!((malformed.len(), logged.len()), (7, 9), "{logged:?}");
    assert!(malformed.iter().all(|access| access.path == "-" && access.peer.ip().is_loopback()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_head_gets_no_body_also_where_it_is_no_request() {
    let served = serve(Router::new().route("/", get(async || "fine")), Limits::default()).await;
    client(move || {
        let wrong = "HEAD / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n";
        let (head, body) = answer(served.addr, wrong);
        assert!(
            head.starts_with("http/1.1 400 ") && head.contains("content-length: 39") && body.is_empty(),
            "{head}: {body}"
        );
        // After another request.
        let mut late = Raw::connect(served.addr);
        late.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(late.answer().ends_with("fine"));
        late.send(wrong);
        let (text, _) = late.until_closed();
        assert!(text.starts_with("HTTP/1.1 400 ") && text.ends_with("\r\n\r\n"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_has_no_content_sends_none() {
    let routes = Routes::new()
        .get("/204", async || (StatusCode::NO_CONTENT, "content"))
        .get("/304", async || (StatusCode::NOT_MODIFIED, [(header::CONTENT_LENGTH, "7")], "content").into_response())
        .get("/fine", async || "fine");
    let (agent, addr) = start(routes).await;
    client(move || {
        for path in ["/204", "/304"] {
            let mut raw = Raw::connect(addr);
            raw.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /fine HTTP/1.1\r\nHost: x\r\n\r\n"));
            let head = raw.answer().to_lowercase();
            assert!(head.starts_with(&format!("http/1.1 {} ", &path[1..])), "{head}");
            assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
            let next = raw.answer();
            assert!(next.starts_with("HTTP/1.1 200 ") && next.ends_with("fine"), "{next}");
        }
    })
    .await;
    agent.close().await.unwrap();
}
