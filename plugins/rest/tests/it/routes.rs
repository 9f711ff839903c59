//! Tests of requests and their responses.

use crate::support::{One, Source, config, request, start};
use cninfra::{
    agent::{Backoff, StartPolicy},
    http::{
        Http, Routes,
        axum::{extract::Path, http::StatusCode},
        testing::InProcess,
    },
    prelude::*,
    status::State,
};
use cninfra_rest::Rest;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

fn routes() -> Routes {
    Routes::new()
        .get("/", async || "root")
        .get("/contacts/{name}", async |Path(name): Path<String>| name)
        .summary("shows a contact")
        .put("/contacts/{name}", async |Path(name): Path<String>| (StatusCode::CREATED, name))
        .get("/files/{*path}", async |Path(path): Path<String>| path)
        .delete("/files", async || StatusCode::NO_CONTENT)
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_answer() {
    let (agent, addr) = start(routes()).await;
    for (method, path, status, body) in [
        ("GET", "/", 200, "root"),
        ("GET", "/contacts/alice", 200, "alice"),
        ("GET", "/contacts/%C3%A4?x=y", 200, "ä"),
        ("PUT", "/contacts/bob", 201, "bob"),
        ("GET", "/files/a/b", 200, "a/b"),
        ("DELETE", "/files", 204, ""),
        ("HEAD", "/contacts/alice", 200, ""),
    ] {
        let answer = request(addr, method, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{method} {path}: {answer:?}");
    }
    let length = |answer: &cninfra_testbed::Answer| answer.header("content-length").map(str::to_string);
    let (get, head) = (request(addr, "GET", "/").await, request(addr, "HEAD", "/").await);
    assert_eq!((length(&get), length(&head)), (Some("4".into()), Some("4".into())));
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_answers_is_told_in_json() {
    let (agent, addr) = start(routes()).await;
    for path in ["/nosuch", "/contacts", "/contacts/", "/contacts/a/b", "/files/", "//"] {
        let answer = request(addr, "GET", path).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, r#"{"error":"not found"}"#), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    for (method, path, allow) in [
        ("POST", "/contacts/a", "GET,HEAD,PUT,OPTIONS"),
        ("GET", "/files", "DELETE,OPTIONS"),
        ("BREW", "/", "GET,HEAD,OPTIONS"),
    ] {
        let answer = request(addr, method, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (405, r#"{"error":"method not allowed"}"#), "{answer:?}");
        assert_eq!((answer.header("allow"), answer.header("content-type")), (Some(allow), Some("application/json")));
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn options_says_what_is_allowed() {
    let (agent, addr) = start(routes()).await;
    for (path, status, allow) in [
        ("/contacts/a", 204, Some("GET,HEAD,PUT,OPTIONS")),
        ("*", 204, Some("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS")),
        ("/nosuch", 404, None),
    ] {
        let answer = request(addr, "OPTIONS", path).await;
        assert_eq!((answer.status, answer.header("allow")), (status, allow), "{path}: {answer:?}");
    }
    // A target without a path.
    assert_eq!(request(addr, "CONNECT", "example.org:80").await.status, 404);
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_lists_the_routes_where_no_plugin_has_it() {
    let (agent, addr) = start(Routes::new().get("/a", async || "")).await;
    let list = request(addr, "GET", "/").await;
    assert!(list.body.contains(r#"{"method":"GET","path":"/a","owner":"web"}"#), "{list:?}");
    assert!(list.body.contains(r#"{"method":"GET","path":"/","owner":"http""#), "{list:?}");
    let http = agent.find::<dyn Http>().unwrap();
    assert_eq!(http.routes().iter().map(|route| &*route.owner).collect::<Vec<_>>(), ["web", "http"]);
    agent.close().await.unwrap();
    // Whatever its method is.
    let (agent, addr) = start(Routes::new().post("/", async || "")).await;
    assert_eq!(request(addr, "GET", "/").await.status, 405);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn handlers_are_called_without_a_server() {
    let http = Arc::new(InProcess::default());
    let builder = Agent::<One>::builder().bind::<dyn Http>(http.clone()).with(Source { routes: routes() });
    let agent = builder.start().await.unwrap();
    assert_eq!(agent.rest.local_addr(), None);
    let client = http.client();
    let answer = client.put("/contacts/bob").await;
    assert_eq!((answer.status, answer.text()), (StatusCode::CREATED, "bob"));
    assert_eq!(client.get("/nosuch").await.json::<HashMap<String, String>>()["error"], "not found");
    assert_eq!(http.routes()[1].summary, "shows a contact");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_handler_is_one_500() {
    let bad = Routes::new()
        .get("/late", async || {
            tokio::task::yield_now().await;
            panic!("on purpose");
            #[allow(unreachable_code)]
            ""
        })
        .get("/fine", async || "fine");
    let (agent, addr) = start(bad).await;
    for _ in 0..3 {
        let answer = request(addr, "GET", "/late").await;
        assert_eq!((answer.status, answer.body.as_str()), (500, r#"{"error":"internal server error"}"#));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(request(addr, "GET", "/fine").await.body, "fine");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_are_listed_with_their_owners() {
    let (agent, _) = start(routes()).await;
    let http = agent.find::<dyn Http>().unwrap();
    let list: Vec<_> =
        http.routes().iter().map(|r| format!("{} {} {} {}", r.method, r.path, r.owner, r.summary)).collect();
    assert_eq!(list[..2], ["GET / web ", "GET /contacts/{name} web shows a contact"]);
    assert!(list.len() == 5 && http.local_addr() == agent.rest.local_addr());
    agent.close().await.unwrap();
}

macro_rules! registers {
    ($name:ident, $phase:ident, $routes:expr) => {
        #[plugin]
        struct $name {
            http: Dep<dyn Http>,
        }
        impl Lifecycle for $name {
            async fn $phase(&self, cx: &Context) -> Result<()> {
                self.http.register(cx, $routes)
            }
        }
    };
}

#[tokio::test]
async fn an_overlap_fails_the_start_and_names_both_owners() {
    registers!(Phonebook, init, Routes::new().get("/contacts/{name}", async || ""));
    registers!(Crm, init, Routes::new().get("/contacts/{id}", async || ""));
    #[derive(Flavor)]
    struct Both {
        #[provides(dyn Http)]
        rest: Dep<Rest>,
        phonebook: Dep<Phonebook>,
        crm: Dep<Crm>,
    }
    let error = Agent::<Both>::builder().config(config()).start().await.unwrap_err().to_string();
    for part in [
        "`crm` registers `GET /contacts/{id}`",
        "`/contacts/{name}` of `phonebook`",
        "help: give one of them another path",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[plugin]
struct Twice {
    http: Dep<dyn Http>,
}

impl Lifecycle for Twice {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, Routes::new().get("/contacts", async || "one").get("/other", async || ""))?;
        self.http.register(cx, Routes::new().get("/contacts", async || "two"))
    }
}

#[tokio::test]
async fn a_route_that_is_registered_twice_fails_the_start() {
    #[derive(Flavor)]
    struct One {
        #[provides(dyn Http)]
        rest: Dep<Rest>,
        twice: Dep<Twice>,
    }
    let over_sockets = Agent::<One>::builder().config(config()).start().await.unwrap_err().to_string();
    let in_process =
        Agent::<One>::builder().bind::<dyn Http>(Arc::new(InProcess::default())).start().await.unwrap_err().to_string();
    for error in [over_sockets, in_process] {
        assert!(error.contains("`twice` registers `GET /contacts`, which `twice` has registered already"), "{error}");
        assert!(error.contains("help: "), "{error}");
    }
}

#[tokio::test]
async fn a_bad_path_fails_the_start_with_the_mend() {
    registers!(Bad, init, Routes::new().get("contacts", async || ""));
    #[derive(Flavor)]
    struct One {
        #[provides(dyn Http)]
        rest: Dep<Rest>,
        bad: Dep<Bad>,
    }
    let error = Agent::<One>::builder().config(config()).start().await.unwrap_err().to_string();
    assert!(error.contains("the path `contacts` of `bad` does not start with `/`"), "{error}");
    assert!(error.contains("help: write it with a `/` in front"), "{error}");
}

#[tokio::test]
async fn a_route_that_comes_too_late_fails_the_start() {
    registers!(Late, after_init, Routes::new().get("/late", async || ""));
    #[derive(Flavor)]
    struct One {
        #[provides(dyn Http)]
        rest: Dep<Rest>,
        late: Dep<Late>,
    }
    let error = Agent::<One>::builder().config(config()).start().await.unwrap_err().to_string();
    for part in ["`late` registers [\"GET /late\"], but the server serves already", "help: register routes in `init`"] {
        assert!(error.contains(part), "{error}");
    }
}

/// Its first attempt fails, after it has registered its first route. The responses say which attempt registered the
/// route.
#[plugin]
struct Flaky {
    http: Dep<dyn Http>,
    attempts: AtomicU32,
}

impl Lifecycle for Flaky {
    async fn init(&self, cx: &Context) -> Result<()> {
        let attempt = self.attempts.fetch_add(1, SeqCst) + 1;
        let answer = async move || format!("attempt {attempt}");
        self.http.register(cx, Routes::new().get("/flaky", answer))?;
        if attempt < 3 {
            return Err(Error::msg("not yet"));
        }
        self.http.register(cx, Routes::new().get("/late", answer))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_tried_again_registers_its_routes_again() {
    #[derive(Flavor)]
    struct One {
        #[provides(dyn Http)]
        rest: Dep<Rest>,
        contacts: Dep<Contacts>,
        page: Dep<Page>,
        flaky: Dep<Flaky>,
    }
    let backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(10));
    let builder = Agent::<One>::builder().config(config()).start_policy("flaky", StartPolicy::Retry(backoff));
    let agent = builder.start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    let all_up = async {
        while agent.status().plugins.iter().any(|plugin| plugin.state != State::Ok) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_up).await.unwrap();
    for path in ["/flaky", "/late"] {
        assert_eq!(request(addr, "GET", path).await.body, "attempt 3", "{path}");
    }
    assert_eq!(request(addr, "GET", "/").await.body, "3", "those of others are there");
    let contacts = Arc::downgrade(&agent.contacts.clone().into_arc());
    agent.close().await.unwrap();
    assert!(contacts.upgrade().is_none(), "the plugins are gone with the agent");
}

/// Holds the server, as plugins with routes do.
#[plugin]
struct Contacts {
    http: Dep<dyn Http>,
}

/// Its handler holds a plugin that holds the server.
#[plugin]
struct Page {
    http: Dep<dyn Http>,
    contacts: Dep<Contacts>,
}

impl Lifecycle for Page {
    async fn init(&self, cx: &Context) -> Result<()> {
        let contacts = self.contacts.clone();
        self.http.register(cx, Routes::new().get("/", async move || contacts.http.routes().len().to_string()))
    }
}

#[derive(Flavor)]
struct Circle {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    contacts: Dep<Contacts>,
    page: Dep<Page>,
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_go_with_the_server() {
    let agent = Agent::<Circle>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    assert_eq!(request(addr, "GET", "/").await.body, "1");
    let contacts = Arc::downgrade(&agent.contacts.clone().into_arc());
    agent.close().await.unwrap();
    assert!(contacts.upgrade().is_none(), "the plugins are gone with the agent");
}

/// Fails when the routes are registered, and nothing serves yet.
#[plugin]
struct Failing {
    page: Dep<Page>,
    seen: Dep<Seen>,
}

/// Observes a plugin without keeping it alive.
#[plugin]
#[derive(Default)]
struct Seen(Mutex<Weak<Contacts>>);

impl Lifecycle for Failing {
    async fn init(&self, _: &Context) -> Result<()> {
        *self.seen.0.lock().unwrap() = Arc::downgrade(&self.page.contacts.clone().into_arc());
        Err(Error::msg("not today"))
    }
}

#[derive(Flavor)]
struct Broken {
    circle: Circle,
    failing: Dep<Failing>,
    seen: Dep<Seen>,
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_of_a_server_that_never_served_go_too() {
    let seen = Dep::from(Seen::default());
    Agent::<Broken>::builder().config(config()).with(seen.clone()).start().await.unwrap_err();
    let contacts = std::mem::take(&mut *seen.0.lock().unwrap());
    assert!(!contacts.ptr_eq(&Weak::new()), "it has been seen");
    assert!(contacts.upgrade().is_none(), "the plugins are gone with the failed start");
}
