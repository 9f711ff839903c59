//! What hyper calls for each request: the router, within limits, and guarded against panics.

use crate::{
    Access, Incident,
    body::{Received, Sent},
    metrics::Counted,
    pulse::{Pulse, Refused},
};
use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::DefaultBodyLimit,
    http::{HeaderValue, Method, Request, Response, StatusCode, header::CONNECTION, uri::PathAndQuery},
};
use cninfra::http::{Route, error_response};
use hyper::{body::Incoming, service::Service};
use std::{
    any::Any,
    convert::Infallible,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

type Routed = <Router as tower_service::Service<Request<Body>>>::Future;

/// Answers the requests of one connection.
pub(crate) struct Answerer {
    pulse: Arc<Pulse>,
    peer: SocketAddr,
}

impl Answerer {
    pub(crate) fn new(pulse: Arc<Pulse>, peer: SocketAddr) -> Self {
        Answerer { pulse, peer }
    }

    /// Why this request is not even looked at.
    fn refused(&self, request: &Request<Incoming>) -> Option<StatusCode> {
        let limits = &self.pulse.shared.limits;
        let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
        if headers + target > limits.head_bytes {
            return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        let too_large = limits.body.is_some_and(|limit| request.body().size_hint().lower() > limit);
        too_large.then_some(StatusCode::PAYLOAD_TOO_LARGE)
    }
}

impl Service<Request<Incoming>> for Answerer {
    type Response = Response<Sent>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (pulse, shared) = (self.pulse.clone(), &self.pulse.shared);
        let began = pulse.asks();
        let table = shared.tables.load();
        let (method, target) = (request.method().clone(), request.uri().path_and_query().cloned());
        let counted = table.series.as_ref().map(|series| {
            let path = target.as_ref().map_or("", PathAndQuery::path);
            series.asks(&table.index, &method, path)
        });
        let logged = shared.access.is_some().then(|| (self.peer, Instant::now()));
        let state = match self.refused(&request) {
            Some(status) => {
                if !request.body().is_end_stream() {
                    pulse.leaves_unread();
                }
                State::Refused(status)
            }
            None => {
                let (head, body) = request.into_parts();
                let request = if body.is_end_stream() {
                    Request::from_parts(head, Body::empty())
                } else {
                    let mut request = Request::from_parts(head, Body::new(Received::new(body, pulse.clone(), began)));
                    // the limit is ours; a handler may still have a smaller one
                    DefaultBodyLimit::disable().apply(&mut request);
                    request
                };
                State::Routed { routed: tower_service::Service::call(&mut table.router.clone(), request), alarm: None }
            }
        };
        Answering { pulse, method, target, logged, counted, state }
    }
}

/// The answer to one request.
pub(crate) struct Answering {
    pulse: Arc<Pulse>,
    method: Method,
    /// None where a request has no path: `CONNECT`.
    target: Option<PathAndQuery>,
    /// Where answers are logged: who asked, and when.
    logged: Option<(SocketAddr, Instant)>,
    /// Where requests are counted.
    counted: Option<Counted>,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "a box would cost each request, and few are refused")]
enum State {
    Refused(StatusCode),
    Routed {
        routed: Routed,
        /// Made when the handler has to wait.
        alarm: Option<Pin<Box<Sleep>>>,
    },
}

impl Future for Answering {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let answering = self.get_mut();
        let (routed, alarm) = match &mut answering.state {
            State::Refused(status) => {
                let status = *status;
                return Poll::Ready(Ok(answering.send(refusal(status))));
            }
            State::Routed { routed, alarm } => (routed, alarm),
        };
        // the handler's own state is its own affair: other handlers do not share it, or share it by what poisons
        let response = match catch_unwind(AssertUnwindSafe(|| Pin::new(routed).poll(task))) {
            Ok(Poll::Ready(Ok(response))) => response,
            Ok(Poll::Ready(Err(never))) => match never {},
            Ok(Poll::Pending) => {
                let Some(limit) = answering.pulse.shared.limits.handler else { return Poll::Pending };
                if alarm.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(task).is_pending() {
                    return Poll::Pending;
                }
                answering.too_slow(limit)
            }
            Err(payload) => answering.panicked(message(&*payload)),
        };
        let response = match answering.pulse.take_refused() {
            // a handler that has answered well all the same had its reasons
            Some(why) if response.status().is_client_error() || response.status().is_server_error() => {
                refusal(match why {
                    Refused::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    Refused::TooSlow => StatusCode::REQUEST_TIMEOUT,
                })
            }
            _ => response,
        };
        Poll::Ready(Ok(answering.send(response)))
    }
}

impl Answering {
    fn too_slow(&self, after: Duration) -> Response<Body> {
        let (method, path, route) = self.request();
        (self.pulse.shared.report)(&Incident::NotAnswered { method, path, route, after });
        error_response(StatusCode::SERVICE_UNAVAILABLE, "the handler did not answer in time")
    }

    fn panicked(&self, message: String) -> Response<Body> {
        let (method, path, route) = self.request();
        (self.pulse.shared.report)(&Incident::Panicked { method, path, route, message });
        error_response(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
    }

    fn request(&self) -> (Method, String, Option<Route>) {
        let path = self.target.as_ref().map_or("", PathAndQuery::path);
        (self.method.clone(), path.to_string(), self.pulse.shared.route(&self.method, path))
    }

    fn send(&mut self, response: Response<Body>) -> Response<Sent> {
        let mut response = response;
        if self.pulse.shared.clock.drains_since().is_some() {
            // so the client asks elsewhere next time, instead of having its connection closed under a request
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let access = self.logged.map(|(peer, began)| {
            let (method, path, route) = self.request();
            Box::new((Access { method, path, status: response.status(), took: Duration::ZERO, peer, route }, began))
        });
        let mut counted = self.counted.take();
        if let Some(counted) = &mut counted {
            counted.answers(response.status());
        }
        self.pulse.answers();
        let pulse = self.pulse.clone();
        response.map(|body| Sent::new(body, pulse, access, counted))
    }
}

/// The answer to a request that is not read to its end.
fn refusal(status: StatusCode) -> Response<Body> {
    let text = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than the server takes",
        StatusCode::REQUEST_TIMEOUT => "the body did not come in time",
        _ => "the headers are larger than the server takes",
    };
    let mut response = error_response(status, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The text of a panic, where it has one.
fn message(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "with a value that is no text".to_string(),
    }
}
