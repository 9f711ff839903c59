//! What a server answers where no route does: errors are JSON.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

pub(super) async fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, r#"{"error":"not found"}"#)
}

/// The router adds `Allow`.
pub(super) async fn method_not_allowed() -> Response {
    error(StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"method not allowed"}"#)
}

fn error(status: StatusCode, body: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
