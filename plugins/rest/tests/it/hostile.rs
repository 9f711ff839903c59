//! Slow, oversized and broken clients, and handlers that never answer, over raw sockets.

mod bodies;

use crate::raw::{Raw, client, serve};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use cninfra_rest::Limits;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

const SHORT: Duration = Duration::from_millis(500);
/// Much less than the other limits.
const SOON: Duration = Duration::from_secs(20);
const LONG: Option<Duration> = Some(Duration::from_secs(50));
const GET: &str = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

/// All limits are too long for a test, except those that the test sets.
fn limits() -> Limits {
    Limits::default().head(LONG).read(LONG).stall(LONG).idle(LONG).handler(LONG)
}

fn router() -> Router {
    Router::new()
        .route("/hello", get(async || "hello"))
        .route("/length", post(async |body: Bytes| body.len().to_string()))
        .route("/ignores", post(async || "not read"))
        .route(
            "/half",
            post(async |body: Body| body.into_data_stream().next().await.unwrap().unwrap().len().to_string()),
        )
        .route("/small", post(async |body: Bytes| body.len().to_string()).layer(DefaultBodyLimit::max(10)))
}

fn is_408(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 408 ") && answer.ends_with(r#"{"error":"the body did not come in time"}"#)
}

fn is_413(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 413 ") && answer.ends_with(r#"{"error":"the body is larger than the server takes"}"#)
}

/// Asserts that the server closed at its limit, and not before.
#[track_caller]
fn in_time(took: Duration) {
    assert!(took > SHORT / 2 && took < SOON, "{took:?}");
}

/// Sends slowly, but well within the limit; retries if a busy machine has made it slower.
fn sent_in_time(send: impl Fn() -> Raw) -> Raw {
    for _ in 0..50 {
        let began = Instant::now();
        let client = send();
        if began.elapsed() < SHORT * 2 / 3 {
            return client;
        }
    }
    panic!("this machine is too busy for this test");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_too_slowly_is_not_waited_for() {
    let served = serve(router(), limits().head(SHORT)).await;
    client(move || {
        let began = Instant::now();
        // It sends for a long time, and is closed while it does.
        let mut slow = Raw::connect(served.addr);
        slow.trickle(GET.repeat(20), SHORT / 20);
        assert_eq!(slow.until_closed().0, "");
        in_time(began.elapsed());
        // Silent from the beginning.
        let (text, took) = Raw::connect(served.addr).until_closed();
        assert_eq!(text, "");
        in_time(took);
        // Slow, but in time; and the next request on the connection is slow, too.
        let mut fine = sent_in_time(|| {
            let mut fine = Raw::connect(served.addr);
            fine.trickle(GET, SHORT / 5 / GET.len() as u32);
            fine
        });
        assert!(fine.answer().ends_with("hello"));
        fine.send("GET ");
        let (text, took) = fine.until_closed();
        assert_eq!(text, "");
        in_time(took);
    })
    .await;
}

#[tokio::test]
async fn who_sends_many_requests_at_once_does_not_keep_others_waiting() {
    const MANY: usize = 400;
    let (many, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (count, look, saw) = (many.clone(), many.clone(), seen.clone());
    let router = Router::new()
        .route(
            "/many",
            get(async move || {
                if count.fetch_add(1, SeqCst) == 0 {
                    // It blocks the only thread; meanwhile the other client sends its request.
                    std::thread::sleep(SHORT);
                }
            }),
        )
        .route("/other", get(async move || saw.store(look.load(SeqCst), SeqCst)));
    let served = serve(router, limits()).await;
    client(move || {
        let mut other = Raw::connect(served.addr);
        // The connection is accepted.
        other.send(GET);
        other.answer();
        let mut eager = Raw::connect(served.addr);
        eager.send("GET /many HTTP/1.1\r\nHost: x\r\n\r\n".repeat(MANY));
        std::thread::sleep(SHORT / 5);
        other.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
        other.answer();
        (0..MANY).for_each(|_| drop(eager.answer()));
    })
    .await;
    // tokio polls the sockets after about sixty turns.
    let (many, seen) = (many.load(SeqCst), seen.load(SeqCst));
    assert!(many == MANY && (1..MANY / 2).contains(&seen), "{seen} of {many}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed() {
    const IDLE: Duration = Duration::from_secs(2);
    let served = serve(router(), limits().idle(IDLE)).await;
    client(move || {
        let mut kept = Raw::connect(served.addr);
        for _ in 0..8 {
            kept.send(GET);
            assert!(kept.answer().ends_with("hello"));
            // Together longer than the limit.
            std::thread::sleep(IDLE / 6);
        }
        kept.send(GET);
        assert!(kept.answer().ends_with("hello"));
        let (text, took) = kept.until_closed();
        assert_eq!(text, "");
        in_time(took);
    })
    .await;
}

/// Counts how many of it exist.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Held(count.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// A response without an end.
fn endless(count: &Arc<AtomicUsize>) -> Router {
    let count = count.clone();
    let answer = async move || {
        let held = Held::new(&count);
        Body::from_stream(stream::repeat(vec![b'x'; 64 << 10]).map(move |part| {
            let _ = &held;
            Ok::<_, Infallible>(part)
        }))
    };
    Router::new().route("/hello", get(answer))
}

async fn until_none(count: &AtomicUsize) {
    while count.load(SeqCst) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
    const STALL: Duration = Duration::from_millis(1500);
    let count = Arc::default();
    let served = serve(endless(&count), limits().stall(STALL)).await;
    let mut greedy = Raw::connect(served.addr);
    greedy.send(GET);
    let began = Instant::now();
    // Everything that it takes counts, even if it is little at a time.
    let (greedy, taken) = client(move || {
        let mut taken = 0;
        while began.elapsed() < 2 * STALL {
            taken += greedy.take_some();
            std::thread::sleep(Duration::from_millis(1));
        }
        (greedy, taken)
    })
    .await;
    assert!(taken > 0 && count.load(SeqCst) == 1, "{taken}");
    let began = Instant::now();
    tokio::time::timeout(SOON, until_none(&count)).await.unwrap();
    in_time(began.elapsed());
    drop(greedy);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_its_time_to_be_sent_whatever_the_client_takes() {
    let count = Arc::default();
    let served = serve(endless(&count), limits().write(SHORT)).await;
    let (count, took) = client(move || {
        let mut greedy = Raw::connect(served.addr);
        let began = Instant::now();
        greedy.send(GET);
        (greedy.count_until_closed(SOON), began.elapsed())
    })
    .await;
    assert!(count > 0);
    in_time(took);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_is_room_for_wait() {
    let served = serve(router(), limits().connections(2)).await;
    client(move || {
        let mut first: Vec<_> = (0..2).map(|_| Raw::connect(served.addr)).collect();
        for kept in &mut first {
            kept.send(GET);
            assert!(kept.answer().ends_with("hello"));
        }
        let mut third = Raw::connect(served.addr);
        third.send(GET);
        assert!(!third.answers_within(SHORT), "there is no room");
        drop(first.pop());
        assert!(third.answer().ends_with("hello"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_together_are_answered_in_order() {
    let router = Router::new().route("/{n}", get(async |path: axum::extract::Path<u32>| path.0.to_string()));
    let served = serve(router, limits()).await;
    client(move || {
        let mut all = Raw::connect(served.addr);
        let requests: String = (0..100).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
        all.send(requests);
        for n in 0..100 {
            assert!(all.answer().ends_with(&format!("\r\n\r\n{n}")));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_refused_and_others_are_served_on() {
    let served = serve(router(), limits()).await;
    client(move || {
        let mut random = 1_u64;
        let mut noise = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 56) as u8
        };
        let noise: Vec<Vec<u8>> = (0..50).map(|_| (0..200).map(|_| noise()).chain(*b"\r\n\r\n").collect()).collect();
        let broken: [&[u8]; 9] = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"GET /hello\r\n\r\n",
            b"GET  /hello HTTP/1.1\r\n\r\n",
            b"GET /hello HTTP/9.9\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET /hello HTTP/1.1\r\nX\x00Y: z\r\n\r\n",
            b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ];
        for bytes in broken.into_iter().chain(noise.iter().map(|bytes| &bytes[..])) {
            let mut client = Raw::connect(served.addr);
            client.send(bytes);
            client.send_no_more();
            let (text, took) = client.until_closed();
            let well = text.is_empty() || text.starts_with("HTTP/1.1 4");
            assert!(well && took < SOON, "{:?}: {text}", String::from_utf8_lossy(bytes));
        }
        // Two lengths of one body: it is one request, or none, but never a second one that was hidden in the first.
        let mut hidden = Raw::connect(served.addr);
        let body = "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
        let length = body.len();
        hidden.send(format!(
            "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        ));
        hidden.send_no_more();
        let (text, _) = hidden.until_closed();
        assert!(!text.contains("hello"), "{text}");
        let mut fine = Raw::connect(served.addr);
        fine.send(GET);
        assert!(fine.answer().ends_with("hello"));
    })
    .await;
    assert!(served.told.lock().unwrap().is_empty(), "a client's fault is no incident");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_no_more_still_gets_its_answer() {
    let late = get(async || {
        tokio::time::sleep(SHORT / 4).await;
        "late"
    });
    let served = serve(Router::new().route("/hello", late), limits()).await;
    client(move || {
        let mut half = Raw::connect(served.addr);
        half.send(GET);
        half.send_no_more();
        let (text, took) = half.until_closed();
        assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with("late") && took < SOON, "{text}");
        // A client that breaks off within its request is no incident, either.
        let mut broken = Raw::connect(served.addr);
        broken.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
        broken.send_no_more();
        assert!(broken.until_closed().1 < SOON);
    })
    .await;
    assert!(served.told.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_never_answers_is_dropped_and_told() {
    let count = Arc::<AtomicUsize>::default();
    let inside = count.clone();
    let never = post(async move || {
        let _held = Held::new(&inside);
        pending::<&str>().await
    });
    let served = serve(Router::new().route("/never", never), limits().handler(SHORT)).await;
    let addr = served.addr;
    client(move || {
        let mut client = Raw::connect(addr);
        for _ in 0..2 {
            let began = Instant::now();
            client.send("POST /never?secret HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
            let text = client.answer();
            in_time(began.elapsed());
            assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
            assert!(text.ends_with(r#"{"error":"the handler did not answer in time"}"#), "{text}");
        }
    })
    .await;
    tokio::time::timeout(SOON, until_none(&count)).await.unwrap();
    let told = "the handler of POST /never did not answer within 500ms: it is dropped";
    assert_eq!(*served.told.lock().unwrap(), [told, told]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_limits_all_of_them_are_waited_for() {
    let none = Limits::without_times().body(None);
    let served = serve(router(), none).await;
    client(move || {
        let mut slow = Raw::connect(served.addr);
        std::thread::sleep(SHORT);
        slow.send("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
        std::thread::sleep(SHORT);
        slow.send(vec![b'x'; 3_000_000]);
        assert!(slow.answer().ends_with("3000000"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_takes_what_is_on_its_way() {
    let late = get(async || {
        tokio::time::sleep(SHORT / 2).await;
        "late"
    });
    let served = serve(router().route("/late", late), limits()).await;
    let (addr, handle) = (served.addr, served.handle.clone());
    let mut kept = client(move || {
        let mut kept = Raw::connect(addr);
        kept.send(GET);
        kept.answer();
        kept
    })
    .await;
    let mut late = Raw::connect(addr);
    late.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n");
    // Connected, and most likely not noticed by the server yet.
    let mut new: Vec<_> = (0..20).map(|_| Raw::connect(addr)).collect();
    let mut draining = Box::pin(async move { handle.drain().await });
    assert!((&mut draining).now_or_never().is_none());
    for one in new.iter_mut().chain([&mut kept]) {
        one.send(GET);
    }
    let draining = tokio::spawn(draining);
    client(move || {
        for mut one in new.into_iter().chain([kept, late]) {
            let (text, _) = one.until_closed();
            assert!(text.starts_with("HTTP/1.1 200 ") && text.to_lowercase().contains("connection: close"), "{text:?}");
        }
    })
    .await;
    tokio::time::timeout(SOON, draining).await.unwrap().unwrap();
}
