//! What hyper calls for each request: the router, within limits, and guarded against panics.

use crate::{
    body::{Logged, Received, Sent, has_no_content},
    budget::Share,
    clock::Millis,
    host,
    metrics::Counted,
    pulse::Pulse,
    refusal::Refusal,
    shared::Shared,
    turn::Waiting,
};
use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::DefaultBodyLimit,
    http::{
        HeaderMap, HeaderValue, Request, Response, StatusCode, Version,
        header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING},
    },
};
use cninfra::http::error_response;
use hyper::{body::Incoming, service::Service};
use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    thread,
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
    fn refused(&self, request: &Request<Incoming>) -> Option<Refusal> {
        let Shared { limits, bodies, .. } = &*self.pulse.shared;
        let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let uri = request.uri();
        let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
        let host = uri.authority().map_or(0, |host| host.as_str().len());
        if request.method().as_str().len() + host + target + headers > limits.head_bytes {
            return Some(Refusal::Head);
        }
        if let Some(refusal) = host::refused(request.version(), request.headers()) {
            return Some(refusal);
        }
        let hint = request.body().size_hint();
        // that there is a length says that there is no coding
        if hint.exact().is_none() && !is_chunked(request.headers()) {
            return Some(Refusal::Coding);
        }
        let body = hint.lower();
        if limits.body.is_some_and(|limit| body > limit) {
            return Some(Refusal::TooLarge);
        }
        (!bodies.has_room(body, limits.bodies)).then_some(Refusal::Full)
    }
}

impl Service<Request<Incoming>> for Answerer {
    type Response = Response<Sent>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let Answerer { pulse, peer } = self;
        let began = pulse.asks();
        let table = pulse.shared.table();
        let (method, path) = (request.method(), request.uri().path());
        pulse.current.asked.is(method, path);
        let at = table.index.position(method, path);
        let counted = table.series.as_ref().map(|series| series.asks(&table.index, at, method));
        let logged = pulse.shared.access.is_some().then(|| Box::new((*peer, Instant::now())));
        let (share, version) = (None, request.version());
        let mut answering = Answering { pulse: pulse.clone(), version, logged, counted, share, state: State::Answered };
        match self.refused(&request) {
            Some(refusal) => {
                if !request.body().is_end_stream() {
                    pulse.leaves_unread();
                }
                answering.state = State::Refused(refusal);
            }
            None => answering.route(request, began, || table.router(at)),
        }
        answering
    }
}

/// Is the body in chunks, and nothing else? A proxy before the server may have understood something else of other codings, which nobody undoes here.
fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked =
        codings.next().is_some_and(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    is_chunked && codings.next().is_none()
}

/// The answer to one request.
pub(crate) struct Answering {
    pulse: Arc<Pulse>,
    /// The request's.
    version: Version,
    logged: Logged,
    /// Where requests are counted.
    counted: Option<Counted>,
    /// What it has of the memory for bodies, until its handler is done.
    share: Option<Arc<Share>>,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "a box would cost each request, and few are refused")]
enum State {
    Refused(Refusal),
    Routed {
        routed: Routed,
        /// What the clock has said just now, for the first poll: most handlers answer at once, and are called at once.
        now: Option<Instant>,
        /// None when it has begun.
        waits: Option<Waiting>,
        /// Made when the handler has to wait.
        alarm: Option<Pin<Box<Sleep>>>,
    },
    Answered,
}

impl Future for Answering {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let answering = self.get_mut();
        let (routed, now, waits, alarm) = match &mut answering.state {
            State::Refused(refusal) => {
                let response = refusal.answer();
                return Poll::Ready(Ok(answering.send(response)));
            }
            State::Routed { routed, now, waits, alarm } => (routed, now.take(), waits, alarm),
            State::Answered => return Poll::Pending,
        };
        if let Some(waiting) = waits {
            ready!(waiting.poll(&answering.pulse.turn, &answering.pulse.shared, task));
            *waits = None;
        }
        // the handler's own state is its own affair: other handlers do not share it, or share it by what poisons
        let Pulse { shared, current, .. } = &*answering.pulse;
        let response = match current.handle(now, shared, || Pin::new(routed).poll(task)) {
            Ok(Poll::Ready(Ok(response))) => response,
            Ok(Poll::Ready(Err(never))) => match never {},
            Ok(Poll::Pending) => {
                let Some(limit) = shared.limits.handler else { return Poll::Pending };
                if alarm.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(task).is_pending() {
                    return Poll::Pending;
                }
                current.asked.too_slow(shared, limit);
                error_response(StatusCode::SERVICE_UNAVAILABLE, "the handler did not answer in time")
            }
            Err(panic) => {
                current.asked.panicked(shared, &panic);
                error_response(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
            }
        };
        let response = match answering.pulse.take_refused() {
            // a handler that has answered well all the same had its reasons
            Some(why) if response.status().is_client_error() || response.status().is_server_error() => why.answer(),
            _ => {
                if let Some(failure) = response.extensions().get() {
                    current.asked.failed(shared, failure);
                }
                response
            }
        };
        Poll::Ready(Ok(answering.send(response)))
    }
}

impl Answering {
    /// Hands the request to its router. What is as large as a request is written where it stays, instead of being moved from call to call.
    fn route(&mut self, request: Request<Incoming>, began: Option<Millis>, router: impl FnOnce() -> Router) {
        let Answering { pulse, counted, share, state, .. } = self;
        let request = if request.body().is_end_stream() {
            request.map(|_| Body::empty())
        } else {
            *share = Share::new(&pulse.shared);
            let expects = request.headers().contains_key(EXPECT);
            let received = |body| Body::new(Received::new(body, share.clone(), pulse.clone(), began, expects));
            let mut request = request.map(received);
            // the limit is ours; a handler may still have a smaller one
            DefaultBodyLimit::disable().apply(&mut request);
            request
        };
        let now = counted.as_ref().map(Counted::began);
        // handlers and layers are cloned, and may be called
        let called = pulse.current.call(|| {
            let routed = tower_service::Service::call(&mut router(), request);
            *state = State::Routed { routed, now, waits: Some(Waiting::default()), alarm: None };
        });
        if let Err(panic) = called {
            pulse.current.asked.panicked(&pulse.shared, &panic);
            *state = State::Refused(Refusal::Panicked);
        }
    }

    /// Drops what the handler has left: its destructors are its own.
    fn let_go(&mut self) {
        if let Err(panic) = self.pulse.current.call(|| self.state = State::Answered) {
            self.pulse.current.asked.panicked(&self.pulse.shared, &panic);
        }
    }

    fn send(&mut self, response: Response<Body>) -> Response<Sent> {
        let mut response = response;
        self.let_go();
        self.share = None;
        if self.pulse.is_last() || self.pulse.shared.clock.drains_since().is_some() {
            // so the client asks elsewhere next time, instead of having its connection closed under a request
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.version == Version::HTTP_10 && response.headers().contains_key(CONNECTION) {
            // else hyper adds that the connection is kept, beside what is said
            *response.version_mut() = Version::HTTP_10;
        }
        let status = response.status();
        if has_no_content(status) {
            response.headers_mut().remove(CONTENT_LENGTH);
            response.headers_mut().remove(TRANSFER_ENCODING);
        }
        let mut counted = self.counted.take();
        if let Some(counted) = &mut counted {
            counted.answers(status);
        }
        self.pulse.answers();
        let (pulse, logged) = (self.pulse.clone(), self.logged.take());
        response.map(|body| Sent::new(body, pulse, status, logged, counted))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if matches!(self.state, State::Answered) {
            return;
        }
        if thread::panicking() {
            self.pulse.shared.blame(&self.pulse.current.asked);
        }
        self.let_go();
    }
}
