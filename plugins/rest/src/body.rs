//! The bodies of requests, which are read within their limits, and of responses, whose end is observed.

use crate::{
    Access,
    budget::Share,
    clock::{Millis, after},
    metrics::Counted,
    pulse::Pulse,
    refusal::Refusal,
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
    task::{Context, Poll, Waker},
    thread,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// Smaller parts are joined: each part costs more than its bytes, and keeps alive the buffer that it was read into.
const SMALL: usize = 4 << 10;
/// If the handler leaves no more than this many bytes of the body, the server reads them itself, if they have arrived.
const LEFT: u64 = 4 << 10;
/// Parts are joined up to this many bytes.
const TOGETHER: usize = 16 << 10;

/// The body of a request, read within its limits.
pub(crate) struct Received {
    body: Incoming,
    /// Its share of the memory for all bodies; `None` if that has no limit.
    share: Option<Arc<Share>>,
    /// Small parts, joined.
    small: Vec<u8>,
    /// Nothing had arrived at the last poll: then small parts are held back no longer.
    waited: bool,
    /// The frame that arrived after the small parts.
    next: Option<Frame<Bytes>>,
    pulse: Arc<Pulse>,
    /// How many bytes may still arrive.
    left: u64,
    /// When the request began; if that is not known, the first time that the body has to wait counts.
    began: Option<Millis>,
    /// Created when the body has to wait.
    alarm: Option<Pin<Box<Sleep>>>,
    done: bool,
    /// The client sends the body only after `100 Continue`, which hyper sends at the first poll.
    expects: bool,
}

impl Received {
    pub(crate) fn new(
        body: Incoming,
        share: Option<Arc<Share>>,
        pulse: Arc<Pulse>,
        began: Option<Millis>,
        expects: bool,
    ) -> Self {
        let left = pulse.shared.limits.body.unwrap_or(u64::MAX);
        let (small, next) = (Vec::new(), None);
        Received { body, share, small, waited: false, next, pulse, left, began, alarm: None, done: false, expects }
    }

    fn refuse(&mut self, why: Refusal) -> BodyError {
        self.done = true;
        self.pulse.mark_unread();
        self.pulse.refuse(why);
        BodyError::Refused(why)
    }

    /// Whether the body has taken too long.
    fn is_late(&mut self, task: &mut Context<'_>) -> bool {
        let shared = &self.pulse.shared;
        if shared.limits.read.is_none() {
            return false;
        }
        let ends = || shared.clock.instant(after(self.began.unwrap_or_else(|| shared.now()), shared.limits.read));
        self.alarm.get_or_insert_with(|| Box::pin(sleep_until(ends()))).as_mut().poll(task).is_ready()
    }
}

type Part = Option<Result<Frame<Bytes>, BodyError>>;

impl Received {
    /// The next frame, within the limits of time and size.
    fn poll_part(&mut self, task: &mut Context<'_>) -> Poll<Part> {
        if self.done {
            return Poll::Ready(None);
        }
        let frame = match Pin::new(&mut self.body).poll_frame(task) {
            Poll::Ready(frame) => frame,
            Poll::Pending if self.is_late(task) => return Poll::Ready(Some(Err(self.refuse(Refusal::TooSlow)))),
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
                    None => Some(Err(self.refuse(Refusal::TooLarge))),
                }
            }
            Some(Err(error)) => {
                // The client's fault, whatever the handler makes of it.
                self.refuse(Refusal::BrokenOff);
                Some(Err(BodyError::Broken(error)))
            }
            None => {
                self.done = true;
                None
            }
        })
    }

    /// The next frame for the handler, with small parts joined.
    fn poll_next(&mut self, task: &mut Context<'_>) -> Poll<Part> {
        if let Some(next) = self.next.take() {
            return Poll::Ready(Some(self.charge_frame(next)));
        }
        loop {
            let frame = match self.poll_part(task) {
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(None) if !self.small.is_empty() => return Poll::Ready(Some(self.take_small())),
                Poll::Ready(ended) => return Poll::Ready(ended),
                Poll::Pending if self.small.is_empty() => return Poll::Pending,
                Poll::Pending if self.waited => return Poll::Ready(Some(self.take_small())),
                Poll::Pending => {
                    // hyper hands over one part at a time, and may have the next one at the next poll.
                    self.waited = true;
                    task.waker().wake_by_ref();
                    return Poll::Pending;
                }
            };
            self.waited = false;
            match frame.data_ref() {
                Some(data) if data.len() < SMALL && !(self.small.is_empty() && self.body.is_end_stream()) => {
                    self.small.extend_from_slice(data);
                    if self.small.len() >= TOGETHER || self.body.is_end_stream() {
                        return Poll::Ready(Some(self.take_small()));
                    }
                }
                _ if self.small.is_empty() => return Poll::Ready(Some(self.charge_frame(frame))),
                _ => {
                    self.next = Some(frame);
                    return Poll::Ready(Some(self.take_small()));
                }
            }
        }
    }

    fn take_small(&mut self) -> Result<Frame<Bytes>, BodyError> {
        let small = std::mem::take(&mut self.small);
        let capacity = small.capacity();
        self.charge(small.into(), capacity)
    }

    fn charge_frame(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        match frame.into_data() {
            Ok(data) => {
                let capacity = data.len();
                self.charge(data, capacity)
            }
            Err(trailers) => Ok(trailers),
        }
    }

    /// Charges the data to the memory for all bodies.
    fn charge(&mut self, data: Bytes, capacity: usize) -> Result<Frame<Bytes>, BodyError> {
        let data = match &self.share {
            Some(share) => share.take(data, capacity),
            None => Some(data),
        };
        data.map(Frame::data).ok_or_else(|| self.refuse(Refusal::Full))
    }

    fn has_ended(&self) -> bool {
        self.done || self.body.is_end_stream()
    }

    /// Whether the rest of the body is small and has arrived completely. hyper has read what was there before it called
    /// the handler, but does not wait for what comes later: in that case the connection ends with the response, which
    /// has to say so.
    fn read_small_rest(&mut self) -> bool {
        if self.body.size_hint().exact().is_none_or(|left| left > LEFT) {
            return false;
        }
        let mut task = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(_))) = Pin::new(&mut self.body).poll_frame(&mut task) {}
        self.body.is_end_stream()
    }
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Part> {
        let part = self.poll_next(task);
        if let Some(share) = self.share.as_ref().filter(|_| part.is_ready() && self.is_end_stream()) {
            share.set_complete();
        }
        part
    }

    fn is_end_stream(&self) -> bool {
        self.small.is_empty() && self.next.is_none() && self.has_ended()
    }

    fn size_hint(&self) -> SizeHint {
        let next = self.next.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let (here, mut hint) = ((self.small.len() + next) as u64, self.body.size_hint());
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(here));
        }
        hint.set_lower(hint.lower().saturating_add(here));
        hint
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        if self.expects || !self.read_small_rest() {
            self.pulse.mark_unread();
            self.pulse.mark_last();
        }
    }
}

/// Why a body is read no further.
#[derive(Debug)]
pub(crate) enum BodyError {
    Refused(Refusal),
    Broken(hyper::Error),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::Refused(why) => why.text(),
            BodyError::Broken(_) => Refusal::BrokenOff.text(),
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

/// The body of a response, whose end is observed.
pub(crate) struct Sent {
    /// The handler's own body: all calls into it may panic.
    body: Body,
    pulse: Arc<Pulse>,
    status: StatusCode,
    logged: Logged,
    /// Dropped at the end of the response.
    counted: Option<Counted>,
    /// `Some` if requests are counted and the length of the body is known.
    made: Option<Made>,
}

/// When a response was made: the turn of its connection, and the time.
pub(crate) struct Made {
    pub(crate) turn: u64,
    pub(crate) at: Instant,
}

/// The client and the time of the request, if there is an access log. Most servers have none.
pub(crate) type Logged = Option<Box<(SocketAddr, Instant)>>;

/// Some responses have no content, whatever their handler has given them: a client would take it for the beginning of
/// the next response.
pub(crate) fn has_no_content(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

impl Sent {
    pub(crate) fn new(
        body: Body,
        pulse: Arc<Pulse>,
        status: StatusCode,
        logged: Logged,
        counted: Option<Counted>,
        made: Made,
    ) -> Self {
        let made = Some(made).filter(|_| counted.is_some() && body.size_hint().exact().is_some());
        let mut sent = Sent { body, pulse, status, logged, counted, made };
        if has_no_content(status) {
            sent.drop_body();
        }
        sent
    }

    /// When the response has ended, if that is known without asking the clock: if it had to wait for nothing, no time
    /// has passed.
    fn ended(&self) -> Option<Instant> {
        self.made.as_ref().filter(|made| made.turn == self.pulse.turn.number()).map(|made| made.at)
    }

    /// Drops the handler's body, and reports if its destructor panics.
    fn drop_body(&mut self) {
        if let Err(panic) = self.pulse.current.call(|| self.body = Body::empty()) {
            self.pulse.current.request.report_panic(&self.pulse.shared, &panic);
        }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let sent = &mut *self;
        sent.pulse.current.call(|| Pin::new(&mut sent.body).poll_frame(task)).unwrap_or_else(|panic| {
            self.pulse.current.request.report_broken_off(&self.pulse.shared, &panic);
            self.drop_body();
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
            shared.note_panicking(&self.pulse.current.request);
        }
        let ended = self.ended();
        self.pulse.on_response_end(self.counted.as_mut().map(|counted| counted.end_at(ended)));
        if let Some((peer, began)) = self.logged.as_deref().copied() {
            shared.log(|| {
                let (method, path, route) = self.pulse.current.request.reported(shared);
                Access { method, path, status: self.status, took: began.elapsed(), peer, route }
            });
        }
        self.drop_body();
    }
}
