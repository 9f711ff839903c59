//! [`Socket`]: a client's connection, whose pulse is taken.

use crate::pulse::Pulse;
use std::{
    io::{self, IoSlice},
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

/// A client's connection, whose pulse is taken.
pub(crate) struct Socket {
    stream: TcpStream,
    pulse: Arc<Pulse>,
    /// The client sends no more.
    ended: bool,
    thrown_away: usize,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, pulse: Arc<Pulse>) -> Self {
        Socket { stream, pulse, ended: false, thrown_away: 0 }
    }

    fn sent<T>(&self, sent: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.pulse.sends(sent.is_ready());
        sent
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining());
        ready!(Pin::new(&mut self.stream).poll_read(task, buf))?;
        if buf.filled().len() > before {
            self.pulse.reads();
        } else if room > 0 {
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(task, buf);
        self.sent(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(task, bufs);
        self.sent(sent)
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
