//! Bodies that arrive slowly, that are too large, and that no handler reads.

use super::{SHORT, SOON, in_time, is_408, is_413, limits, router, sent_in_time};
use crate::raw::{Raw, client, serve};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_too_slowly_is_answered_with_408() {
    let served = serve(router(), limits().read(SHORT)).await;
    client(move || {
        for (head, part) in [("Content-Length: 1000", "x"), ("Transfer-Encoding: chunked", "1\r\nx\r\n")] {
            let began = Instant::now();
            let mut slow = Raw::connect(served.addr);
            slow.send(format!("POST /length HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n"));
            while began.elapsed() < 2 * SHORT && slow.send(part) {
                std::thread::sleep(SHORT / 20);
            }
            let (text, _) = slow.until_closed();
            in_time(began.elapsed());
            assert!(is_408(&text) && text.to_lowercase().contains("connection: close"), "{text}");
        }
        let mut fine = sent_in_time(|| {
            let mut fine = Raw::connect(served.addr);
            fine.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
            fine.trickle("0123456789", SHORT / 50);
            fine
        });
        assert!(fine.answer().ends_with("10"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_large_is_answered_with_431() {
    for limit in [64 << 10, 4 << 10] {
        let served = serve(router(), limits().head_bytes(limit)).await;
        client(move || {
            let with =
                |bytes: usize| format!("GET /hello HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n", "x".repeat(bytes));
            let half = "x".repeat(limit / 2);
            let mut fine = Raw::connect(served.addr);
            fine.send(with(limit - 100));
            assert!(fine.answer().ends_with("hello"));
            for large in [
                with(limit + 100),
                // Many small headers; one long line that never ends; a long target.
                format!("GET /hello HTTP/1.1\r\n{}\r\n", "X-Many: x\r\n".repeat(limit / 10)),
                format!("GET /hello HTTP/1.1\r\nX-Endless: {}", "x".repeat(4 * limit)),
                format!("GET /hello?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(limit + 1)),
                // A long method; one half of it in the target's host.
                format!("{} /hello HTTP/1.1\r\nHost: x\r\n\r\n", "X".repeat(limit + 1)),
                format!("GET http://{half}/hello HTTP/1.1\r\nHost: x\r\nX-Large: {half}\r\n\r\n"),
            ] {
                let mut client = Raw::connect(served.addr);
                client.send(large);
                let (text, _) = client.until_closed();
                assert!(text.starts_with("HTTP/1.1 431 ") || text.starts_with("HTTP/1.1 414 "), "{text}");
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_answered_with_413() {
    const LIMIT: usize = 5 << 20;
    let served = serve(router(), limits().body(LIMIT as u64)).await;
    client(move || {
        let head = |length: usize| format!("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        // More than axum's default limit.
        let mut fine = Raw::connect(served.addr);
        fine.send(head(LIMIT));
        fine.send(vec![b'x'; LIMIT]);
        assert!(fine.answer().ends_with(&LIMIT.to_string()));
        // It is refused before it sends the body, and also if it does not wait for that.
        let mut waits = Raw::connect(served.addr);
        waits.send(head(LIMIT + 1));
        let (text, _) = waits.until_closed();
        assert!(is_413(&text) && text.to_lowercase().contains("connection: close"), "{text}");
        // Also for the largest possible lengths.
        for (length, is_later) in
            [u64::MAX - 2, u64::MAX - 1, u64::MAX].into_iter().flat_map(|length| [(length, false), (length, true)])
        {
            let mut endless = Raw::connect(served.addr);
            // On a connection that has had another request, with a body that is larger than a head may be.
            if is_later {
                endless.send(head(100_000));
                endless.send(vec![b'x'; 100_000]);
                assert!(endless.answer().ends_with("100000"));
            }
            endless.send(format!("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nabc"));
            let (text, _) = endless.until_closed();
            assert!(is_413(&text) && text.to_lowercase().contains("connection: close"), "{length}: {text}");
        }
        let mut sends = Raw::connect(served.addr);
        sends.send(head(LIMIT + 1));
        sends.send(vec![b'x'; 128 << 10]);
        let (text, _) = sends.until_closed();
        assert!(is_413(&text), "{text}");
        // Without a length, in chunks.
        let mut parts = Raw::connect(served.addr);
        parts.send("POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        let part = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let most = LIMIT / 0x10000 + 1;
        let sent = (0..most).take_while(|_| parts.send(&part)).count();
        let (text, _) = parts.until_closed();
        assert!(is_413(&text) && sent == most, "{sent}: {text}");
        // A handler may have a smaller limit.
        let mut small = Raw::connect(served.addr);
        small.send("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890");
        assert!(small.answer().starts_with("HTTP/1.1 413 "));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_or_is_not_valid_is_answered_with_400_in_json() {
    let served = serve(router(), limits()).await;
    client(move || {
        for (head, body) in [
            ("Content-Length: 10", "abc"),
            ("Transfer-Encoding: chunked", "3\r\nab"),
            ("Transfer-Encoding: chunked", "3\r\nabc\r\n"),
            ("Transfer-Encoding: chunked", "x\r\nabc\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked", "3\r\nabcd\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked", "fffffffffffffffff\r\nabc"),
        ] {
            let mut broken = Raw::connect(served.addr);
            broken.send(format!("POST /length HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{body}"));
            broken.send_no_more();
            let (text, _) = broken.until_closed();
            assert!(text.starts_with("HTTP/1.1 400 "), "{body:?}: {text}");
            assert!(text.ends_with(r#"{"error":"the body broke off, or is not valid"}"#), "{body:?}: {text}");
            let head = text.to_lowercase();
            assert!(head.contains("connection: close") && head.contains("application/json"), "{body:?}: {text}");
        }
        // Further data of the client does not discard the response.
        let mut sends = Raw::connect(served.addr);
        sends.send("POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
        std::thread::sleep(std::time::Duration::from_millis(50));
        sends.send(vec![b'x'; 64 << 10]);
        std::thread::sleep(std::time::Duration::from_millis(50));
        sends.send_no_more();
        let (text, _) = sends.until_closed();
        assert!(text.starts_with("HTTP/1.1 400 ") && !sends.was_reset(), "{text}");
        // A handler that has not read the body is not affected by it.
        let mut ignored = Raw::connect(served.addr);
        ignored.send("POST /ignores HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
        assert!(ignored.answer().ends_with("not read"));
        assert_eq!(*served.told.lock().unwrap(), [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coding_of_a_body_that_is_not_known_is_answered_with_501() {
    let served = serve(router(), limits()).await;
    client(move || {
        let body = "3\r\nabc\r\n0\r\n\r\n";
        for coding in
            ["gzip, chunked", "chunked, chunked", "identity, chunked", "chunked\r\nTransfer-Encoding: chunked"]
        {
            let mut coded = Raw::connect(served.addr);
            coded.send(format!("POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n{body}"));
            let (text, _) = coded.until_closed();
            assert!(text.starts_with("HTTP/1.1 501 ") && text.to_lowercase().contains("connection: close"), "{text}");
            assert!(text.ends_with(r#"{"error":"the body has a transfer coding other than `chunked`"}"#), "{text}");
        }
        for coding in ["chunked", "Chunked", "chunked "] {
            let mut fine = Raw::connect(served.addr);
            fine.send(format!("POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n{body}"));
            assert!(fine.answer().ends_with('3'), "{coding}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_wait_for_the_body_arrives() {
    let served = serve(router(), limits()).await;
    client(move || {
        for _ in 0..20 {
            let mut eager = Raw::connect(served.addr);
            eager.send("POST /ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
            assert!(eager.send(vec![b'x'; 200_000]));
            let (text, took) = eager.until_closed();
            assert!(text.ends_with("not read") && took < SOON && !eager.was_reset(), "{text}");
        }
    })
    .await;
}

/// Otherwise a client, or a proxy, that keeps its connection would lose its next request.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_that_the_connection_ends_with_a_body_that_nobody_has_read() {
    let served = serve(router(), limits()).await;
    client(move || {
        for (path, head, body) in [
            ("/ignores", "Content-Length: 100000", vec![b'x'; 100_000]),
            ("/nowhere", "Content-Length: 100000", vec![b'x'; 100_000]),
            ("/hello", "Content-Length: 100000", vec![b'x'; 100_000]),
            ("/ignores", "Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n".to_vec()),
            ("/ignores", "Expect: 100-continue\r\nContent-Length: 3", Vec::new()),
        ] {
            let mut unread = Raw::connect(served.addr);
            unread.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n"));
            unread.send(body);
            let (text, _) = unread.until_closed();
            assert!(text.to_lowercase().contains("connection: close\r\n"), "{path} {head}: {text}");
        }
        // Also with a small body that has not arrived yet, since the server does not wait for it; and if its handler
        // has read the first half.
        for (path, part) in [("/ignores", ""), ("/ignores", "ab"), ("/nowhere", "a"), ("/half", "ab")] {
            let mut late = Raw::connect(served.addr);
            late.send(format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{part}"));
            let text = late.answer();
            assert!(text.to_lowercase().contains("connection: close\r\n"), "{path} {part}: {text}");
            late.send("c");
            assert_eq!(late.until_closed().0, "");
        }
        // A small body is read without its handler, and one that the handler has read does not matter.
        for (path, body) in
            [("/ignores", &b"abc"[..]), ("/ignores", &[b'x'; 4096]), ("/half", b"abc"), ("/length", &[b'x'; 100_000])]
        {
            let mut kept = Raw::connect(served.addr);
            for _ in 0..3 {
                let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
                kept.send([head.as_bytes(), body].concat());
                let text = kept.answer();
                assert!(text.starts_with("HTTP/1.1 200 ") && !text.to_lowercase().contains("connection:"), "{text}");
            }
        }
    })
    .await;
}

/// The client may take the first of two contradicting headers as valid.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_1_0_is_told_one_thing_about_its_connection() {
    let served = serve(router(), limits()).await;
    client(move || {
        let ask = |path: &str, length: usize| {
            let mut old = Raw::connect(served.addr);
            let head = "HTTP/1.0\r\nConnection: keep-alive";
            old.send(format!("POST {path} {head}\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length)));
            let text = old.answer();
            let said: Vec<_> = text
                .to_lowercase()
                .lines()
                .filter(|line| line.starts_with("connection:"))
                .map(str::to_string)
                .collect();
            (old, said, text)
        };
        for (path, length) in [("/ignores", 100_000), ("/length", 3 << 20)] {
            let (mut old, said, text) = ask(path, length);
            assert_eq!(said, ["connection: close"], "{path}: {text}");
            assert_eq!(old.until_closed().0, "");
        }
        // A connection that is kept can be reused.
        let (mut old, said, text) = ask("/length", 3);
        assert_eq!(said, ["connection: keep-alive"], "{text}");
        old.send("GET /hello HTTP/1.0\r\n\r\n");
        assert!(old.until_closed().0.ends_with("hello"));
    })
    .await;
}
