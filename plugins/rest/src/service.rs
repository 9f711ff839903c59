//! The service that hyper calls for each request: the router, with limits, and guarded against panics.

use crate::{
    body::{Logged, Made, Received, Sent, has_no_content},
    budget::Share,
    clock::Millis,
    host::{Host, KnownHost},
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
    hosts: KnownHost,
}

impl Answerer {
    pub(crate) fn new(pulse: Arc<Pulse>, peer: SocketAddr) -> Self {
        Answerer { pulse, peer, hosts: KnownHost::default() }
    }

    /// Why this request does not even reach the router.
    fn find_refusal(&self, request: &Request<Incoming>) -> Option<Refusal> {
        let Shared { limits, bodies, .. } = &*self.pulse.shared;
        let (mut headers, mut host_headers) = (0, Host::default());
        for (name, value) in request.headers() {
            headers += name.as_str().len() + value.len() + 4;
            host_headers.see(name, value);
        }
        let uri = request.uri();
        let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
        let host = uri.authority().map_or(0, |host| host.as_str().len());
        if request.method().as_str().len() + host + target + headers > limits.head_bytes {
            return Some(Refusal::HeadTooLarge);
        }
        if let Some(refusal) = host_headers.refused(request.version(), &self.hosts) {
            return Some(refusal);
        }
        let hint = request.body().size_hint();
        // A known length means that there is no transfer coding.
        if hint.exact().is_none() && !is_chunked(request.headers()) {
            return Some(Refusal::UnknownCoding);
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
        let Answerer { pulse, peer, .. } = self;
        let began = pulse.on_head();
        let table = pulse.shared.table();
        let (method, path) = (request.method(), request.uri().path());
        pulse.current.request.set(method, path);
        let at = table.index.position(method, path);
        let counted = table.series.as_ref().map(|series| series.count_request(&table.index, at, method));
        let logged = pulse.shared.access.is_some().then(|| Box::new((*peer, Instant::now())));
        let (share, version) = (None, request.version());
        let pulse = Some(pulse.clone());
        let mut answering = Answering { pulse, version, logged, counted, share, state: State::Answered };
        match self.find_refusal(&request) {
            Some(refusal) => {
                if !request.body().is_end_stream() {
                    self.pulse.mark_unread();
                }
                answering.state = State::Refused(refusal);
            }
            None => answering.route(&self.pulse, request, began, || table.router(at)),
        }
        answering
    }
}

/// Whether `chunked` is the only transfer coding. A proxy in front of the server may have understood the others
/// differently, and the server does not decode them.
fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked =
        codings.next().is_some_and(|coding| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"));
    is_chunked && codings.next().is_none()
}

/// The future of the response to one request.
pub(crate) struct Answering {
    /// `None` once it is answered: then the response's body has it.
    pulse: Option<Arc<Pulse>>,
    /// The version of the request.
    version: Version,
    logged: Logged,
    /// `Some` if requests are counted.
    counted: Option<Counted>,
    /// Its share of the memory for bodies, until its handler is done.
    share: Option<Arc<Share>>,
    state: State,
}

#[expect(clippy::large_enum_variant, reason = "a box would cost each request, and few are refused")]
enum State {
    Refused(Refusal),
    Routed {
        routed: Routed,
        /// The time, just asked, for the first poll: most handlers are called and return at once.
        now: Option<Instant>,
        /// `None` once the handler was called.
        waits: Option<Waiting>,
        /// Created when the handler has to wait.
        alarm: Option<Pin<Box<Sleep>>>,
    },
    Answered,
}

impl Future for Answering {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let answering = self.get_mut();
        let Some(pulse) = &answering.pulse else { return Poll::Pending };
        let Pulse { shared, current, .. } = &**pulse;
        let state = &mut answering.state;
        let now = match state {
            State::Refused(refusal) => {
                let response = refusal.answer();
                return answering.send(response, Instant::now());
            }
            State::Routed { now, waits, .. } => {
                if let Some(waiting) = waits {
                    ready!(waiting.poll(&pulse.turn, shared, task));
                    *waits = None;
                }
                now.take()
            }
            State::Answered => return Poll::Pending,
        };
        // What a guarded closure returns is moved twice, and a response is too large for that.
        let mut answer = None;
        // Unwind safety: the handler's own state is not used again, and what it shares with other handlers is its own
        // concern (a lock is poisoned).
        let (called, returned) = current.handle(now, shared, || {
            let State::Routed { routed, .. } = state else { return };
            match Pin::new(routed).poll(task) {
                Poll::Ready(Ok(response)) => answer = Some(response),
                Poll::Ready(Err(never)) => match never {},
                Poll::Pending => return,
            }
            // Drops the handler's future after the response was taken out, so that a panicking destructor does not lose
            // it.
            *state = State::Answered;
        });
        if let Err(panic) = &called {
            current.request.report_panic(shared, panic);
        }
        let response = match answer {
            Some(response) => response,
            None if called.is_err() => error_response(StatusCode::INTERNAL_SERVER_ERROR, "internal server error"),
            None => {
                let (State::Routed { alarm, .. }, Some(limit)) = (&mut answering.state, shared.limits.handler) else {
                    return Poll::Pending;
                };
                if alarm.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(task).is_pending() {
                    return Poll::Pending;
                }
                current.request.report_too_slow(shared, limit);
                error_response(StatusCode::SERVICE_UNAVAILABLE, "the handler did not answer in time")
            }
        };
        let response = match pulse.take_refused() {
            // If the handler has answered with success nevertheless, its response is sent.
            Some(why) if response.status().is_client_error() || response.status().is_server_error() => why.answer(),
            _ => {
                if let Some(failure) = response.extensions().get() {
                    current.request.report_failure(shared, failure);
                }
                response
            }
        };
        answering.send(response, returned)
    }
}

impl Answering {
    /// Passes the request to its router. Values as large as a request are written in place, instead of being moved from
    /// call to call.
    fn route(
        &mut self,
        pulse: &Arc<Pulse>,
        request: Request<Incoming>,
        began: Option<Millis>,
        router: impl FnOnce() -> Router,
    ) {
        let Answering { counted, share, state, .. } = self;
        let request = if request.body().is_end_stream() {
            request.map(|_| Body::empty())
        } else {
            *share = Share::new(&pulse.shared);
            let expects = request.headers().contains_key(EXPECT);
            let received = |body| Body::new(Received::new(body, share.clone(), pulse.clone(), began, expects));
            let mut request = request.map(received);
            // The server has its own limit; a handler may still set a smaller one.
            DefaultBodyLimit::disable().apply(&mut request);
            request
        };
        let now = counted.as_ref().map(Counted::began);
        let mut request = Some(request);
        // Handlers and layers are cloned, and may be called. A guarded closure is moved twice with what it captures, so
        // it only borrows the request.
        let called = pulse.current.call(|| {
            if let Some(request) = request.take() {
                let routed = tower_service::Service::call(&mut router(), request);
                *state = State::Routed { routed, now, waits: Some(Waiting::default()), alarm: None };
            }
        });
        if let Err(panic) = called {
            pulse.current.request.report_panic(&pulse.shared, &panic);
            *state = State::Refused(Refusal::Panicked);
        }
    }

    /// Drops what the handler has left, with its destructors guarded.
    fn drop_handler(&mut self, pulse: &Pulse) {
        if let Err(panic) = pulse.current.call(|| self.state = State::Answered) {
            pulse.current.request.report_panic(&pulse.shared, &panic);
        }
    }

    /// `at` is the time, just asked.
    fn send(&mut self, response: Response<Body>, at: Instant) -> Poll<Result<Response<Sent>, Infallible>> {
        let Some(pulse) = self.pulse.take() else { return Poll::Pending };
        let mut response = response;
        if !matches!(self.state, State::Answered) {
            self.drop_handler(&pulse);
        }
        self.share = None;
        if pulse.is_last() || pulse.shared.clock.drains_since().is_some() {
            // So that the client connects elsewhere next time, instead of having its connection closed during a
            // request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.version == Version::HTTP_10 && response.headers().contains_key(CONNECTION) {
            // Otherwise hyper would add `keep-alive` beside what is already there.
            *response.version_mut() = Version::HTTP_10;
        }
        let status = response.status();
        if has_no_content(status) {
            response.headers_mut().remove(CONTENT_LENGTH);
            response.headers_mut().remove(TRANSFER_ENCODING);
        }
        let mut counted = self.counted.take();
        if let Some(counted) = &mut counted {
            counted.set_status(status);
        }
        pulse.on_response();
        let (logged, made) = (self.logged.take(), Made { turn: pulse.turn.number(), at });
        Poll::Ready(Ok(response.map(|body| Sent::new(body, pulse, status, logged, counted, made))))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Some(pulse) = self.pulse.take() else { return };
        if thread::panicking() {
            pulse.shared.note_panicking(&pulse.current.request);
        }
        self.drop_handler(&pulse);
    }
}
