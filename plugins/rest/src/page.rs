//! The answer to `GET /` if no plugin has that route: the routes of the agent, as HTML or JSON.

use crate::registered::{Registered, lock};
use axum::{
    http::{
        HeaderMap, HeaderName, StatusCode, Uri,
        header::{CACHE_CONTROL, VARY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use cninfra::http::{Json, Page, Route, RouteIndex, Routes, error_response, escaped, wanted_form};
use serde::Serialize;
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

/// The page as a route. It lists all routes, itself included, as they are when it is requested.
pub(crate) fn routes(agent: &str, registered: &Arc<Mutex<Registered>>) -> Routes {
    // Weak, since the handlers in `registered` hold this one.
    let (agent, registered) = (agent.to_string(), Arc::downgrade(registered));
    let list = async move |headers: HeaderMap, uri: Uri| {
        let index = registered.upgrade().map(|registered| lock(&registered).index().clone()).unwrap_or_default();
        answer(wanted_form(&headers, &uri, &[]), &List::new(&agent, &index))
    };
    Routes::new().get("/", list).summary("lists the routes")
}

#[derive(Serialize)]
struct List {
    agent: String,
    routes: Vec<Listed>,
}

impl List {
    fn new(agent: &str, index: &RouteIndex) -> Self {
        let mut routes: Vec<Listed> = index.routes().iter().map(Listed::new).collect();
        // Stable: the routes of one path stay in the order of their registration.
        routes.sort_by(|a, b| a.path.cmp(&b.path));
        List { agent: agent.to_string(), routes }
    }
}

#[derive(Serialize)]
struct Listed {
    method: String,
    path: String,
    owner: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    summary: String,
}

impl Listed {
    fn new(route: &Route) -> Self {
        Listed {
            method: route.method.to_string(),
            path: route.path.clone(),
            owner: route.owner.clone(),
            summary: route.summary.clone(),
        }
    }
}

fn answer(wanted: Result<&str, String>, list: &List) -> Response {
    let about: [(HeaderName, &str); 3] =
        [(VARY, "accept"), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    match wanted {
        Ok("html") => html(list).into_response(),
        Ok(_) => (about, Json(list)).into_response(),
        Err(why) => (about, error_response(StatusCode::BAD_REQUEST, &why)).into_response(),
    }
}

fn html(List { agent, routes }: &List) -> Page {
    let mut body = format!("<h1>{}</h1>\n<div class=\"wide\" tabindex=\"0\">\n<table>\n", escaped(agent));
    body.push_str("<tr><th>Method</th><th>Path</th><th>Plugin</th><th></th></tr>\n");
    for Listed { method, path, owner, summary } in routes {
        let is_link = method == "GET" && !path.contains('{');
        let (path, owner, summary) = (escaped(path), escaped(owner), escaped(summary));
        // Writing to a `String` cannot fail.
        let _ = write!(body, "<tr><td>{method}</td><td>");
        let _ = match is_link {
            true => write!(body, "<a href=\"{path}\"><code>{path}</code></a>"),
            false => write!(body, "<code>{path}</code>"),
        };
        let _ = writeln!(body, "</td><td>{owner}</td><td>{summary}</td></tr>");
    }
    Page::new(agent).body(body + "</table>\n</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cninfra::http::testing::Client;

    async fn asked(accept: &str) -> (String, String) {
        let (_, kind, text) = asked_for("/", accept).await;
        (kind, text)
    }

    async fn asked_for(target: &str, accept: &str) -> (u16, String, String) {
        let registered = Arc::<Mutex<Registered>>::default();
        let add = |owner, routes| lock(&registered).add(owner, 0, &routes).unwrap().unwrap();
        add("http", routes("me<>", &registered));
        add(
            "bob",
            Routes::new().get("/b", async || "").summary("<script>alert('&\"')</script>").put("/a/{b}", async || ""),
        );
        let (table, _) = lock(&registered).open().unwrap();
        let client = Client::new(table.router());
        let answer = client.get(target).header("accept", accept).await;
        assert_eq!(answer.header("vary"), Some("accept"));
        (answer.status.as_u16(), answer.header("content-type").unwrap().to_string(), answer.text().to_string())
    }

    #[tokio::test]
    async fn the_query_says_the_format_too() {
        let (status, kind, page) = asked_for("/?format=html", "*/*").await;
        assert!(status == 200 && kind.starts_with("text/html") && page.contains("<h1>"), "{page}");
        let (status, kind, _) = asked_for("/?format=json", "text/html").await;
        assert_eq!((status, &*kind), (200, "application/json"));
        let told = asked_for("/?format=xml", "text/html").await;
        let error = r#"{"error":"no format `xml`; one of json, html"}"#;
        assert_eq!(told, (400, "application/json".to_string(), error.to_string()));
        assert_eq!(asked_for("/?fromat=html", "text/html").await.0, 400);
    }

    #[tokio::test]
    async fn programs_get_json() {
        for accept in ["*/*", "application/json", "application/json, text/html", "text/plain", "x"] {
            let (kind, text) = asked(accept).await;
            assert_eq!(kind, "application/json", "{accept}");
            let expected = concat!(
                r#"{"agent":"me<>","routes":[{"method":"GET","path":"/","owner":"http","summary":"lists the routes"},"#,
                r#"{"method":"PUT","path":"/a/{b}","owner":"bob"},"#,
                r#"{"method":"GET","path":"/b","owner":"bob","summary":"<script>alert('&\"')</script>"}]}"#
            );
            assert_eq!(text, expected);
        }
    }

    #[tokio::test]
    async fn people_get_a_page_that_needs_nothing_else_and_is_escaped() {
        for accept in
            ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html;q=1, */*"]
        {
            let (kind, page) = asked(accept).await;
            assert!(kind.starts_with("text/html"), "{kind}");
            for part in [
                "<h1>me&lt;&gt;</h1>",
                "<td>PUT</td><td><code>/a/{b}</code></td><td>bob</td>",
                "<td><a href=\"/b\"><code>/b</code></a></td><td>bob</td><td>&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;</td>",
                "color-scheme\" content=\"light dark\"",
            ] {
                assert!(page.contains(part), "{part}: {page}");
            }
            assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{page}");
        }
    }
}
