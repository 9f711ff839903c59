//! [`Limits`]: what a server allows its clients and handlers.

use std::time::Duration;

/// The limits that a server sets for its clients and handlers. `None` means no limit.
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
    /// The time for a request's head, from its first byte, or, on a new connection, from the beginning of the
    /// connection. Then the connection is closed. Default: 10 s.
    pub head: Option<Duration>,
    /// The time for a whole request with its body, from its first byte. Then it is answered with 408. Default: 30 s.
    pub read: Option<Duration>,
    /// The time from the end of a request's head to the end of its response. Then the connection is closed. Default:
    /// none, since a response may be a stream.
    pub write: Option<Duration>,
    /// How long a client may take nothing of its response. Then the connection is closed. Default: 30 s.
    pub stall: Option<Duration>,
    /// How long a connection is kept without a request. Then it is closed. Default: 75 s.
    pub idle: Option<Duration>,
    /// The time for a handler, until its response begins. Then the answer is 503, and there is an
    /// [`Incident`](crate::Incident). Default: 60 s.
    pub handler: Option<Duration>,
    /// The largest size of a request's head, in bytes. Larger ones are answered with 431. Default: 64 KiB. In addition,
    /// a request may have at most 100 headers.
    pub head_bytes: usize,
    /// The largest size of a request's body, in bytes. Larger ones are answered with 413. Default: 2 MiB.
    pub body: Option<u64>,
    /// The largest size of the bodies of all requests together, in bytes, as far as handlers hold them. Above it the
    /// answer is 503 with `Retry-After`. Default: 256 MiB.
    pub bodies: Option<u64>,
    /// The largest number of connections at a time, at least 1. Further ones wait in the system's queue, which is
    /// bounded, too. Default: 4096. On Linux it is never more than three quarters of the files that the process may
    /// open (but at least 64): see [`Incident::FewFiles`](crate::Incident::FewFiles).
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
    /// Only the limits on bytes and connections, without any time limits, for a server whose clients are all known.
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
