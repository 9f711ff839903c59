//! What hyper calls for each request: the router, guarded against panics.

use crate::{Incident, server::Report};
use axum::{
    Router,
    http::{Request, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use std::{any::Any, convert::Infallible, panic::AssertUnwindSafe};
use tower_service::Service as _;

/// Answers one request. A panic of the handler is an answer, too: otherwise the client would lose its connection.
pub(crate) async fn answer(
    mut router: Router,
    request: Request<Incoming>,
    report: Report,
) -> Result<Response, Infallible> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    // the handler's own state is its own affair: other handlers do not share it, or share it by what poisons
    let answering = AssertUnwindSafe(async move { router.call(request).await });
    Ok(match answering.catch_unwind().await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(payload) => {
            report(&Incident::Panicked { method, uri, message: message(&*payload) });
            let body = r#"{"error":"internal server error"}"#;
            (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "application/json")], body).into_response()
        }
    })
}

/// The text of a panic, where it has one.
fn message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is no text".to_string(),
    }
}
