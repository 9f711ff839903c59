//! [`Limits`]: what a server bears of its clients and handlers.

use std::time::Duration;

/// What a server bears of its clients and handlers. `None` is no limit.
///
/// ```
/// use cninfra_rest::Limits;
/// use std::time::Duration;
///
/// let limits = Limits::default().body(64_u64 << 20).read(Duration::from_secs(300)).idle(None);
/// assert_eq!((limits.body, limits.head), (Some(64 << 20), Some(Duration::from_secs(10))));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// For a request's head, from its first byte on; on a new connection from the connection on. Default: 10 s. Then the connection is closed.
    pub head: Option<Duration>,
    /// For a whole request with its body, from its first byte on. Default: 30 s. Then it is answered with 408.
    pub read: Option<Duration>,
    /// From the end of a request's head to the end of its answer. Default: none, since an answer may be a stream. Then the connection is closed.
    pub write: Option<Duration>,
    /// For a client that takes nothing of its answer. Default: 30 s. Then the connection is closed.
    pub stall: Option<Duration>,
    /// For a connection without a request. Default: 75 s. Then it is closed.
    pub idle: Option<Duration>,
    /// For a handler, until its answer begins. Default: 60 s. Then the answer is 503, and an [`Incident`](crate::Incident).
    pub handler: Option<Duration>,
    /// For the bytes of a request's head. Default: 64 KiB. Above it the answer is 431. Besides, a request may have no more than 100 headers.
    pub head_bytes: usize,
    /// For the bytes of a request's body. Default: 2 MiB. Above it the answer is 413.
    pub body: Option<u64>,
    /// For the bodies of all requests together, as far as handlers hold them. Default: 256 MiB. Above it the answer is 503 with `Retry-After`.
    pub bodies: Option<u64>,
    /// For connections at once: the next ones wait in the system's queue, which is bounded, too. At least 1. Default: 4096. On Linux it is never more than three
    /// quarters of the files that the process may open (64 at least): see [`Incident::FewFiles`](crate::Incident::FewFiles).
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const SECOND: Duration = Duration::from_secs(1);
        Limits {
            head: Some(10 * SECOND),
            read: Some(30 * SECOND),
            write: None,
            stall: Some(30 * SECOND),
            idle: Some(75 * SECOND),
            handler: Some(60 * SECOND),
            head_bytes: 64 << 10,
            body: Some(2 << 20),
            bodies: Some(256 << 20),
            connections: 4096,
        }
    }
}

macro_rules! setters {
    ($($name:ident: $ty:ty),*) => {
        $(
            #[doc = concat!("Sets [`", stringify!($name), "`](field@Self::", stringify!($name), ").")]
            #[must_use]
            pub fn $name(mut self, limit: impl Into<$ty>) -> Self {
                self.$name = limit.into();
                self
            }
        )*
    };
}

impl Limits {
    /// No limits but those on bytes and connections: for a server whose clients are all known.
    #[must_use]
    pub fn without_times() -> Self {
        Limits { head: None, read: None, write: None, stall: None, idle: None, handler: None, ..Limits::default() }
    }

    setters!(
        head: Option<Duration>,
        read: Option<Duration>,
        write: Option<Duration>,
        stall: Option<Duration>,
        idle: Option<Duration>,
        handler: Option<Duration>,
        body: Option<u64>,
        bodies: Option<u64>
    );

    /// Sets [`head_bytes`](field@Self::head_bytes).
    #[must_use]
    pub fn head_bytes(mut self, bytes: usize) -> Self {
        self.head_bytes = bytes;
        self
    }

    /// Sets [`connections`](field@Self::connections).
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most;
        self
    }
}
