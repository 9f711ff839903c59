//! Tests of the forms of responses, and of their headers.

use crate::small::start;
use cninfra::{
    graph::Format,
    http::{axum::http::Method, testing::Answer},
    prelude::*,
};
use serde_json::{Value, json};

const PATHS: [&str; 5] = ["/agent", "/agent/graph", "/agent/timeline", "/agent/status", "/agent/config"];

fn kind(answer: &Answer) -> &str {
    answer.header("content-type").unwrap_or_default()
}

#[tokio::test]
async fn a_browser_gets_a_page_and_a_program_json() {
    let (agent, client) = start().await;
    for path in PATHS {
        for (accept, query, wanted) in [
            ("*/*", "", "application/json"),
            ("application/json", "", "application/json"),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "", "text/html; charset=utf-8"),
            ("*/*", "?format=html", "text/html; charset=utf-8"),
            ("text/html", "?format=json", "application/json"),
            ("image/png", "", "application/json"),
        ] {
            let answer = client.get(&format!("{path}{query}")).header("accept", accept).await;
            assert_eq!((answer.status.as_u16(), kind(&answer)), (200, wanted), "{path}{query} {accept}");
            for (name, value) in
                [("cache-control", "no-store"), ("x-content-type-options", "nosniff"), ("vary", "accept")]
            {
                assert_eq!(answer.header(name), Some(value), "{path}{query} {accept}");
            }
            match wanted {
                "application/json" => assert!(answer.json::<Value>().is_object()),
                _ => {
                    assert!(answer.text().starts_with("<!doctype html>") && answer.text().ends_with("</html>\n"));
                    let policy = answer.header("content-security-policy").unwrap();
                    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; "), "{policy}");
                    assert!(!policy.contains("script-src") && !policy.contains('*'), "{policy}");
                }
            }
        }
    }
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_graph_has_the_forms_that_it_is_printed_in() {
    let (agent, client) = start().await;
    let graph = Agent::<crate::small::Small>::graph();
    for (name, format) in [("dot", Format::Dot), ("mermaid", Format::Mermaid), ("text", Format::Text)] {
        let answer = client.get(&format!("/agent/graph?format={name}")).header("accept", "text/html").await;
        assert_eq!(kind(&answer), "text/plain; charset=utf-8");
        assert_eq!(answer.text(), graph.print(format));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    agent.close().await.unwrap();
}

#[tokio::test]
async fn what_is_not_understood_is_refused_in_json() {
    let (agent, client) = start().await;
    let graph = "json, html, dot, mermaid, text";
    for (path, error) in [
        ("/agent/graph?format=png", format!("no format `png`; one of {graph}")),
        ("/agent/graph?format=", format!("no format ``; one of {graph}")),
        ("/agent/graph?format=HTML", format!("no format `HTML`; one of {graph}")),
        ("/agent/status?format=dot", "no format `dot`; one of json, html".to_string()),
        ("/agent/timeline?format=%3Cscript%3E", "no format `<script>`; one of json, html".to_string()),
        ("/agent/config?format=xml", "no format `xml`; one of json, html".to_string()),
    ] {
        let answer = client.get(path).header("accept", "text/html").await;
        assert_eq!((answer.status.as_u16(), kind(&answer)), (400, "application/json"), "{path}");
        assert_eq!(answer.json::<Value>(), json!({ "error": error }), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
    for path in ["/agent/status?fromat=html", "/agent/config?format=json&format=html"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.json::<Value>()["error"].as_str().unwrap().contains("form"), "{}", answer.text());
    }
    assert_eq!(client.post("/agent/status").await.status, 405);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let (agent, client) = start().await;
    for path in PATHS {
        for query in ["?format=html", "?format=json"] {
            let target = format!("{path}{query}");
            let (get, head) = (client.get(&target).await, client.request(Method::HEAD, &target).await);
            assert_eq!((head.status, head.text()), (get.status, ""), "{target}");
            for name in ["content-type", "cache-control", "content-security-policy"] {
                assert_eq!(head.header(name), get.header(name), "{target}: {name}");
            }
        }
    }
    agent.close().await.unwrap();
}
