//! The bodies of requests, within their limits, and of answers, whose end is seen.

use crate::{
    Access,
    asked::Asked,
    clock::{Millis, after},
    metrics::Counted,
    pulse::{Pulse, Refused},
};
use axum::{
    body::{Body, Bytes, HttpBody},
    http::StatusCode,
};
use hyper::body::{Frame, Incoming, SizeHint};
use std::{
    error::Error,
    fmt,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The body of a request, within its limits.
pub(crate) struct Received {
    body: Incoming,
    pulse: Arc<Pulse>,
    /// So many bytes may still come.
    left: u64,
    /// When the request began; if it is not known, when it has to wait first.
    began: Option<Millis>,
    /// Made when it has to wait.
    alarm: Option<Pin<Box<Sleep>>>,
    done: bool,
}

impl Received {
    pub(crate) fn new(body: Incoming, pulse: Arc<Pulse>, began: Option<Millis>) -> Self {
        let left = pulse.shared.limits.body.unwrap_or(u64::MAX);
        Received { body, pulse, left, began, alarm: None, done: false }
    }

    fn refuse(&mut self, why: Refused) -> BodyError {
        self.done = true;
        self.pulse.leaves_unread();
        self.pulse.refuse(why);
        BodyError::Refused(why)
    }

    /// Has it taken too long?
    fn is_late(&mut self, task: &mut Context<'_>) -> bool {
        let shared = &self.pulse.shared;
        if shared.limits.read.is_none() {
            return false;
        }
        let ends = || shared.clock.instant(after(self.began.unwrap_or_else(|| shared.now()), shared.limits.read));
        self.alarm.get_or_insert_with(|| Box::pin(sleep_until(ends()))).as_mut().poll(task).is_ready()
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut self.body).poll_frame(task) {
            Poll::Ready(frame) => frame,
            Poll::Pending if self.is_late(task) => return Poll::Ready(Some(Err(self.refuse(Refused::TooSlow)))),
            Poll::Pending => return Poll::Pending,
        };
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                match self.left.checked_sub(bytes) {
                    Some(left) => {
                        self.left = left;
                        Some(Ok(frame))
                    }
                    None => Some(Err(self.refuse(Refused::TooLarge))),
                }
            }
            Some(Err(error)) => {
                self.done = true;
                Some(Err(BodyError::Broken(error)))
            }
            None => {
                self.done = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.done || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            self.pulse.leaves_unread();
        }
    }
}

/// A body that is not read on.
#[derive(Debug)]
pub(crate) enum BodyError {
    Refused(Refused),
    Broken(hyper::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::Refused(Refused::TooLarge) => "the body is larger than the server takes",
            BodyError::Refused(Refused::TooSlow) => "the body did not come in time",
            BodyError::Broken(_) => "the body broke off",
        })
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BodyError::Broken(error) => Some(error),
            BodyError::Refused(_) => None,
        }
    }
}

/// The body of an answer, whose end is seen.
pub(crate) struct Sent {
    /// A handler's: all of it may panic.
    body: Body,
    pulse: Arc<Pulse>,
    asked: Asked,
    status: StatusCode,
    logged: Logged,
    /// Dropped at the end.
    counted: Option<Counted>,
}

/// Where answers are logged: who asked, and when.
pub(crate) type Logged = Option<(SocketAddr, Instant)>;

impl Sent {
    pub(crate) fn new(
        body: Body,
        pulse: Arc<Pulse>,
        asked: Asked,
        status: StatusCode,
        logged: Logged,
        counted: Option<Counted>,
    ) -> Self {
        Sent { body, pulse, asked, status, logged, counted }
    }

    /// Drops the body.
    fn let_go(&mut self) {
        if let Err(panic) = self.pulse.current.call(|| self.body = Body::empty()) {
            self.asked.panicked(&self.pulse.shared, &panic);
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let sent = &mut *self;
        sent.pulse.current.call(|| Pin::new(&mut sent.body).poll_frame(task)).unwrap_or_else(|panic| {
            self.asked.broke_off(&self.pulse.shared, &panic);
            self.let_go();
            Poll::Ready(Some(Err(axum::Error::new("the body of the answer panicked"))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let shared = &self.pulse.shared;
        if thread::panicking() {
            shared.blame(&self.asked);
        }
        self.pulse.has_answered(self.counted.as_mut().map(Counted::ends));
        if let Some((peer, began)) = self.logged {
            shared.log(|| {
                let (method, path, route) = self.asked.request(shared);
                Access { method, path, status: self.status, took: began.elapsed(), peer, route }
            });
        }
        self.let_go();
    }
}
