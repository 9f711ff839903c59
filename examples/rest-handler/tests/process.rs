//! Tests of the agent as a process, as its users run it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Program, request, request_json};

#[test]
fn contacts_are_kept() {
    let mut agent = Program::new(env!("CARGO_BIN_EXE_rest-handler")).env("HTTP_PORT", "0").start();
    let addr = agent.http_addr();
    agent.wait_for("started RestHandler");
    assert_eq!(request(addr, "GET", "/contacts").body, "{}");
    for (name, contact, status) in [
        ("alice", r#"{"phone":"1"}"#, 201),
        ("alice", r#"{"phone":"2"}"#, 200),
        ("bob", r#"{"fax":"2"}"#, 422),
        ("bob", r#"{"phone":"#, 400),
    ] {
        let answer = request_json(addr, "PUT", &format!("/contacts/{name}"), contact);
        assert_eq!(answer.status, status, "{contact}: {}", answer.body);
        let is_error = answer.body.starts_with(r#"{"error":"#);
        assert_eq!(is_error, status >= 400, "{contact}: {}", answer.body);
    }
    assert_eq!(request(addr, "GET", "/contacts").body, r#"{"alice":{"phone":"2"}}"#);
    assert_eq!(request(addr, "GET", "/contacts/alice").body, r#"{"phone":"2"}"#);
    for method in ["GET", "DELETE"] {
        let nobody = request(addr, method, "/contacts/bob");
        let (kind, body) = (nobody.header("content-type"), &*nobody.body);
        assert_eq!((nobody.status, kind), (404, Some("application/json")), "{method}: {body}");
        assert_eq!(body, r#"{"error":"nobody has that name"}"#, "{method}");
    }
    let deleted = ["first", "again"].map(|_| request(addr, "DELETE", "/contacts/alice").status);
    assert_eq!(deleted, [204, 404]);
    let index: serde_json::Value = serde_json::from_str(&request(addr, "GET", "/").body).unwrap();
    assert!(index.to_string().contains("writes a contact down"), "{index}");
    agent.signal("TERM");
    assert_eq!(agent.wait().code, Some(0));
}
