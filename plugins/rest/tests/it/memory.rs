//! Tests of the memory for bodies, single and together.

use crate::raw::{Raw, client, serve};
use axum::{
    Router,
    body::{Body, Bytes},
    routing::post,
};
use cninfra_rest::Limits;
use futures_util::StreamExt as _;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use tokio::sync::Notify;

const HEAD: &str = "POST /parts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Responds with the numbers of parts and bytes that have arrived.
async fn parts(body: Body) -> String {
    let (mut parts, mut bytes, mut body) = (0, 0, body.into_data_stream());
    while let Some(part) = body.next().await {
        parts += 1;
        bytes += part.unwrap().len();
    }
    format!("{parts} parts of {bytes} bytes")
}

#[tokio::test(flavor = "multi_thread")]
async fn tiny_parts_of_a_body_are_put_together() {
    const BYTES: usize = 200_000;
    let served = serve(Router::new().route("/parts", post(parts)), Limits::default()).await;
    client(move || {
        let mut raw = Raw::connect(served.addr);
        raw.send(HEAD);
        raw.send("1\r\nx\r\n".repeat(BYTES));
        raw.send("0\r\n\r\n");
        let text = raw.answer();
        let parts: usize = text.split("\r\n\r\n").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(text.ends_with(&format!("parts of {BYTES} bytes")) && parts < BYTES / 100, "{text}");
        // In their order, whatever their size.
        let mut raw = Raw::connect(served.addr);
        raw.send(HEAD);
        raw.send(format!("1\r\nx\r\n1\r\ny\r\n2000\r\n{}\r\n1\r\nz\r\n0\r\n\r\n", "x".repeat(0x2000)));
        assert!(raw.answer().ends_with(&format!("of {} bytes", 0x2003)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_reads_on_the_way_gets_what_has_come() {
    let came = Arc::<Notify>::default();
    let got = came.clone();
    let first = async move |body: Body| {
        let mut body = body.into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        got.notify_one();
        let second = body.next().await.unwrap().unwrap();
        format!("{} {}", String::from_utf8_lossy(&first), String::from_utf8_lossy(&second))
    };
    let served = serve(Router::new().route("/parts", post(first)), Limits::default()).await;
    let raw = client(move || {
        let mut raw = Raw::connect(served.addr);
        raw.send(HEAD);
        raw.send("3\r\none\r\n");
        raw
    })
    .await;
    // The handler does not wait for more.
    came.notified().await;
    client(move || {
        let mut raw = raw;
        raw.send("3\r\ntwo\r\n");
        assert!(raw.answer().ends_with("one two"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_much_together_are_answered_with_503() {
    const BODY: usize = 100_000;
    let (entered, open) = (Arc::new(AtomicUsize::new(0)), Arc::<Notify>::default());
    let (inside, gate) = (entered.clone(), open.clone());
    let held = async move |body: Bytes| {
        inside.fetch_add(1, SeqCst);
        gate.notified().await;
        body.len().to_string()
    };
    let router = Router::new().route("/held", post(held)).route("/parts", post(parts));
    let limits = Limits::default().bodies(250_000).body(None);
    let served = serve(router, limits).await;
    let text = format!("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n{}", "x".repeat(BODY));
    let addr = served.addr;
    let send = text.clone();
    let (mut first, mut second) = client(move || {
        let ask = || {
            let mut raw = Raw::connect(addr);
            raw.send(&send);
            raw
        };
        (ask(), ask())
    })
    .await;
    while entered.load(SeqCst) < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let full = r#"{"error":"the server holds as many bodies as it may: try again later"}"#;
    client(move || {
        // Refused by its length, or, without a length, when there is no room any more.
        let chunk = format!("{:x}\r\n{}\r\n", BODY, "x".repeat(BODY));
        let parts = format!("POST /held HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
        for request in [text.as_str(), &parts] {
            let mut third = Raw::connect(addr);
            third.send(request);
            let (text, _) = third.until_closed();
            let lower = text.to_lowercase();
            assert!(text.starts_with("HTTP/1.1 503 ") && text.ends_with(full), "{text}");
            assert!(lower.contains("retry-after: 1") && lower.contains("connection: close"), "{text}");
        }
        // Parts that a handler has dropped do not count: a stream may be larger than the whole limit.
        let mut stream = Raw::connect(addr);
        stream.send(format!("{HEAD}{}0\r\n\r\n", format!("4000\r\n{}\r\n", "x".repeat(0x4000)).repeat(100)));
        let text = stream.answer();
        assert!(text.ends_with(&format!("of {} bytes", 0x4000 * 100)), "{text}");
    })
    .await;
    open.notify_waiters();
    client(move || {
        assert!(first.answer().ends_with(&BODY.to_string()) && second.answer().ends_with(&BODY.to_string()));
        // Their memory is free again.
        let mut again = Raw::connect(addr);
        again.send(format!("{HEAD}0\r\n\r\n"));
        assert!(again.answer().ends_with("0 parts of 0 bytes"));
    })
    .await;
    let asked = client(move || {
        let mut raw = Raw::connect(addr);
        raw.send(format!("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n{}", "x".repeat(200_000)));
        raw
    })
    .await;
    while entered.load(SeqCst) < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    open.notify_waiters();
    client(move || {
        let mut asked = asked;
        assert!(asked.answer().ends_with("200000"));
    })
    .await;
}
