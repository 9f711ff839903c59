//! [`Socket`]: the TCP stream of a client, which updates the connection's [`Pulse`].

use crate::{
    malformed::{Malformed, Seen},
    pulse::{Phase, Pulse},
};
use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// At most this much of what a client still sends is read and discarded before its connection is closed.
const MOST_UNREAD: usize = 256 << 10;

/// A response of at most this size, head and body, is copied into one buffer: one piece costs the system less time than
/// two.
const TOGETHER: usize = 1 << 10;

/// The TCP stream of a client, which updates the connection's pulse.
pub(crate) struct Socket {
    stream: TcpStream,
    peer: SocketAddr,
    pulse: Arc<Pulse>,
    /// The client sends no more.
    ended: bool,
    thrown_away: usize,
    /// Sent in place of what hyper writes.
    malformed: Option<Malformed>,
    /// The buffer for small responses, kept for the next one.
    together: Vec<u8>,
    /// What was seen of the head that is arriving, to tell why hyper refuses it; `None` if more than a head may have
    /// arrived.
    seen: Option<Seen>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr, pulse: Arc<Pulse>) -> Self {
        Socket { stream, peer, pulse, ended: false, thrown_away: 0, malformed: None, together: Vec::new(), seen: None }
    }

    /// Updates the pulse after a write of this many bytes.
    fn after_write(&self, sent: Poll<io::Result<usize>>, of: usize) -> Poll<io::Result<usize>> {
        self.pulse.on_write(sent.is_ready());
        if matches!(sent, Poll::Ready(Ok(sent)) if sent == of) {
            self.pulse.on_all_written();
        }
        sent
    }

    /// Writes all buffers as one piece, of at most [`TOGETHER`] bytes.
    fn send_together(&mut self, bufs: &[IoSlice<'_>], task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.together.clear();
        bufs.iter().for_each(|buf| self.together.extend_from_slice(buf));
        Pin::new(&mut self.stream).poll_write(task, &self.together)
    }

    /// If hyper itself writes this response, to an invalid request, it is reported, and another one is prepared in its
    /// place.
    fn replace_hyper_answer(&mut self, bytes: &[u8]) -> bool {
        if self.malformed.is_some() {
            return true;
        }
        if self.pulse.is_answer_due() {
            return false;
        }
        let most = self.pulse.shared.limits.head_bytes;
        self.malformed = Malformed::of(bytes, self.seen, most);
        let Some(Malformed { status, .. }) = self.malformed else { return false };
        // What follows the invalid request is not read.
        self.pulse.mark_unread();
        self.pulse.shared.count_malformed(status, self.peer);
        true
    }

    /// Sends that other response, and then pretends that hyper's own, of this many bytes, was written.
    fn send_instead(&mut self, of: usize, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(answer) = &mut self.malformed {
            let sent = Pin::new(&mut self.stream).poll_write(task, answer.left());
            self.pulse.on_write(sent.is_ready());
            if answer.advance(ready!(sent)?) {
                self.malformed = None;
            }
        }
        Poll::Ready(Ok(of))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining());
        ready!(Pin::new(&mut self.stream).poll_read(task, buf))?;
        let came = &buf.filled()[before..];
        if !came.is_empty() {
            // What a client has sent ahead, together with the previous request, is not counted.
            let before = match self.pulse.phase() {
                Phase::Fresh | Phase::Idle | Phase::Flushing => Some(Seen::default()),
                Phase::Head => self.seen,
                Phase::Handling | Phase::Writing | Phase::Closing => None,
            };
            self.seen = before.map(|seen| seen.and(came));
            self.pulse.on_bytes();
        } else if room > 0 {
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.replace_hyper_answer(buf) {
            return self.send_instead(buf.len(), task);
        }
        let sent = Pin::new(&mut self.stream).poll_write(task, buf);
        self.after_write(sent, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = bufs.iter().map(|buf| buf.len()).sum();
        if let [buf] = bufs
            && self.replace_hyper_answer(buf)
        {
            return self.send_instead(all, task);
        }
        let sent = match bufs.len() > 1 && all <= TOGETHER {
            true => self.send_together(bufs, task),
            false => Pin::new(&mut self.stream).poll_write_vectored(task, bufs),
        };
        self.after_write(sent, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// A socket has nothing to flush.
    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    /// Sends no more. What the client still sends is read for a while, so that it receives the last response: if unread
    /// bytes were left when the socket is closed, the client's system would discard what it has received so far.
    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(task))?;
        if !self.pulse.has_unread() {
            return Poll::Ready(Ok(()));
        }
        self.pulse.mark_unread();
        self.pulse.on_close();
        let mut room = [0; 4096];
        while !self.ended && self.thrown_away < MOST_UNREAD {
            let mut buf = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut self.stream).poll_read(task, &mut buf))?;
            self.ended = buf.filled().is_empty();
            self.thrown_away += buf.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
