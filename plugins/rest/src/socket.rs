//! [`Socket`]: a client's connection, whose pulse is taken.

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

/// So much of what a client still sends is read and thrown away before its connection is closed.
const MOST_UNREAD: usize = 256 << 10;

/// An answer of so many bytes, head and body, is copied and sent: the system takes one piece in less time than two.
const TOGETHER: usize = 1 << 10;

/// A client's connection, whose pulse is taken.
pub(crate) struct Socket {
    stream: TcpStream,
    peer: SocketAddr,
    pulse: Arc<Pulse>,
    /// The client sends no more.
    ended: bool,
    thrown_away: usize,
    /// In the place of what hyper writes.
    malformed: Option<Malformed>,
    /// What is sent together, kept for the next answer.
    together: Vec<u8>,
    /// Of the head that comes, to tell why hyper does not take it; none when more has come than that.
    seen: Option<Seen>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, peer: SocketAddr, pulse: Arc<Pulse>) -> Self {
        Socket { stream, peer, pulse, ended: false, thrown_away: 0, malformed: None, together: Vec::new(), seen: None }
    }

    /// Of so many bytes.
    fn sent(&self, sent: Poll<io::Result<usize>>, of: usize) -> Poll<io::Result<usize>> {
        self.pulse.sends(sent.is_ready());
        if matches!(sent, Poll::Ready(Ok(sent)) if sent == of) {
            self.pulse.has_written();
        }
        sent
    }

    /// As one piece, of [`TOGETHER`] at most.
    fn send_together(&mut self, bufs: &[IoSlice<'_>], task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.together.clear();
        bufs.iter().for_each(|buf| self.together.extend_from_slice(buf));
        Pin::new(&mut self.stream).poll_write(task, &self.together)
    }

    /// If hyper writes this answer by itself, to what is no request, it is told, and another one goes in its place.
    fn answers_itself(&mut self, bytes: &[u8]) -> bool {
        if self.malformed.is_some() {
            return true;
        }
        if self.pulse.is_answer_due() {
            return false;
        }
        let most = self.pulse.shared.limits.head_bytes;
        self.malformed = Malformed::of(bytes, self.seen, most);
        let Some(Malformed { status, .. }) = self.malformed else { return false };
        // what follows it is not read
        self.pulse.leaves_unread();
        self.pulse.shared.is_malformed(status, self.peer);
        true
    }

    /// Sends that other answer; then hyper has written its own, of so many bytes.
    fn send_instead(&mut self, of: usize, task: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(answer) = &mut self.malformed {
            let sent = Pin::new(&mut self.stream).poll_write(task, answer.left());
            self.pulse.sends(sent.is_ready());
            if answer.has_sent(ready!(sent)?) {
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
            // what a client has sent ahead of it, with the request before, is not counted
            let before = match self.pulse.phase() {
                Phase::Fresh | Phase::Idle | Phase::Flushing => Some(Seen::default()),
                Phase::Head => self.seen,
                Phase::Handling | Phase::Writing | Phase::Closing => None,
            };
            self.seen = before.map(|seen| seen.and(came));
            self.pulse.reads();
        } else if room > 0 {
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.answers_itself(buf) {
            return self.send_instead(buf.len(), task);
        }
        let sent = Pin::new(&mut self.stream).poll_write(task, buf);
        self.sent(sent, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = bufs.iter().map(|buf| buf.len()).sum();
        if let [buf] = bufs
            && self.answers_itself(buf)
        {
            return self.send_instead(all, task);
        }
        let sent = match bufs.len() > 1 && all <= TOGETHER {
            true => self.send_together(bufs, task),
            false => Pin::new(&mut self.stream).poll_write_vectored(task, bufs),
        };
        self.sent(sent, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// A socket has nothing to flush.
    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(task)
    }

    /// Sends no more. What a client still sends is read for a while, so that it gets the answer that was sent before: a system that is told
    /// of bytes that nobody wants throws away what has come so far.
    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(task))?;
        if !self.pulse.has_unread() {
            return Poll::Ready(Ok(()));
        }
        self.pulse.leaves_unread();
        self.pulse.closes();
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
