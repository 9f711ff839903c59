//! [`Outside`]: describes the server that a plugin talks to, for the conformance kit.

use crate::{Error, testing::Link};
use futures_util::future::LocalBoxFuture;
use std::{fmt, future::Future, time::Duration};

/// A server that a plugin talks to, behind a [`Link`] that the kit breaks; how to call it through the plugin; and what
/// the plugin promises. See [`Conformance::outside`](super::Conformance::outside).
///
/// The server is a real one, or one that the test provides. The kit starts agents one after the other, and breaks the
/// link in another way in each: the server does not answer; the connection is reset and no new one is accepted; four
/// times as many calls come as the queue may hold, and none is answered; the agent closes during calls that get no
/// answer; the agent starts without the server, under each start policy.
///
/// ```
/// use cninfra::{
///     config::{Config, Secret},
///     prelude::*,
///     status::Probing,
///     testing::{Conformance, Link, Outside},
/// };
/// use serde::{Deserialize, Serialize};
/// use std::{net::SocketAddr, time::Duration};
/// use tokio::{
///     io::{AsyncReadExt as _, AsyncWriteExt as _},
///     net::TcpStream,
///     sync::Semaphore,
///     time::timeout,
/// };
///
/// #[derive(Clone, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct EchoConfig {
///     endpoint: SocketAddr,
///     password: Secret,
/// }
///
/// impl Default for EchoConfig {
///     fn default() -> Self {
///         EchoConfig { endpoint: ([127, 0, 0, 1], 7).into(), password: Secret::default() }
///     }
/// }
///
/// /// Asks a server, by a connection for each call.
/// #[plugin]
/// struct Echo {
///     #[config]
///     config: EchoConfig,
///     /// So many connections at once: who comes beyond that waits, within the limit of the call.
///     #[default(Semaphore::new(16))]
///     room: Semaphore,
/// }
///
/// impl Echo {
///     async fn ask(&self) -> Result<u8> {
///         let asked = timeout(WITHIN, async {
///             let _room = self.room.acquire().await?;
///             ask(&self.config).await
///         });
///         asked.await.unwrap_or_else(|_| Err(Error::msg("no room in time").context(self.config.endpoint)))
///     }
/// }
///
/// const WITHIN: Duration = Duration::from_millis(500);
///
/// async fn ask(config: &EchoConfig) -> Result<u8> {
///     let asked = async {
///         let mut server = TcpStream::connect(config.endpoint).await?;
///         server.write_all(config.password.reveal().as_bytes()).await?;
///         Result::Ok(server.read_u8().await?)
///     };
///     let answered = timeout(WITHIN, asked).await.unwrap_or_else(|_| Err(Error::msg("it does not answer")));
///     answered.context(config.endpoint).help("look whether the server runs, and at `echo.endpoint`")
/// }
///
/// impl Lifecycle for Echo {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let config = self.config.clone();
///         // it says that it is in error when the server is gone, and that it is well when it is back
///         cx.probe(Probing::new().every(Duration::from_millis(100)).within(2 * WITHIN), move || {
///             let config = config.clone();
///             async move { ask(&config).await.map(drop) }
///         });
///         self.ask().await.map(drop)
///     }
/// }
///
/// #[derive(Flavor)]
/// struct Lone {
///     echo: Dep<Echo>,
/// }
///
/// # fn main() -> std::io::Result<()> {
/// let server = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let link = Link::to(server.local_addr()?)?;
/// # std::thread::spawn(move || {
/// #     use std::io::{Read as _, Write as _};
/// #     for client in server.incoming() {
/// #         let Ok(mut client) = client else { continue };
/// #         let mut byte = [0];
/// #         let _ = client.read_exact(&mut byte).and_then(|()| client.write_all(&byte));
/// #     }
/// # });
/// let endpoint = link.addr();
/// let agent = move || {
///     let config = Config::new().set("echo", "endpoint", endpoint).set("echo", "password", "hunter2");
///     Agent::<Lone>::builder().config(config)
/// };
/// let call = |flavor: &Lone| {
///     let echo = flavor.echo.clone();
///     async move { echo.ask().await }
/// };
/// let outside = Outside::behind(link, call).call_within(2 * WITHIN).start_within(4 * WITHIN);
/// Conformance::of("echo", agent).outside(outside).check();
/// # Ok(())
/// # }
/// ```
#[must_use = "it is given to `Conformance::outside`"]
pub struct Outside<F> {
    pub(super) link: Link,
    pub(super) call: Call<F>,
    pub(super) call_within: Duration,
    pub(super) start_within: Duration,
    pub(super) lost_within: Duration,
    pub(super) back_within: Duration,
    pub(super) queue: usize,
    pub(super) tasks: usize,
}

type Call<F> = Box<dyn Fn(&F) -> LocalBoxFuture<'static, Result<(), Error>>>;

impl<F> Outside<F> {
    /// A server behind this link. `call` sends a request to it through the running flavor, and ends when it has the
    /// answer: a call that only puts something into a queue is not suitable.
    pub fn behind<T, E, C>(link: Link, call: impl Fn(&F) -> C + 'static) -> Self
    where
        C: Future<Output = Result<T, E>> + 'static,
        E: Into<Error>,
    {
        let call = move |flavor: &F| -> LocalBoxFuture<'static, Result<(), Error>> {
            let call = call(flavor);
            Box::pin(async move { call.await.map(drop).map_err(Into::into) })
        };
        Outside {
            link,
            call: Box::new(call),
            call_within: Duration::from_secs(5),
            start_within: Duration::from_secs(5),
            lost_within: Duration::from_secs(5),
            back_within: Duration::from_secs(10),
            queue: 128,
            tasks: 16,
        }
    }

    /// Sets the time within which a call ends by itself, whatever the server does. Default: 5 s.
    pub fn call_within(mut self, limit: Duration) -> Self {
        self.call_within = limit;
        self
    }

    /// Sets the time within which an `init` ends by itself, whatever the server does. Default: 5 s.
    pub fn start_within(mut self, limit: Duration) -> Self {
        self.start_within = limit;
        self
    }

    /// Sets the time within which a lost connection is reported. Default: 5 s.
    pub fn lost_within(mut self, limit: Duration) -> Self {
        self.lost_within = limit;
        self
    }

    /// Sets the time within which the plugin reports that it is ok after the server is back. For as long, but at most 3
    /// s, the kit checks that a reported loss stays reported. Default: 10 s.
    pub fn back_within(mut self, limit: Duration) -> Self {
        self.back_within = limit;
        self
    }

    /// Sets how many calls may be on their way to the server, or wait for it, after their callers have given up.
    /// Default: 128. A flood is four times as many, and at least 256.
    pub fn queue(mut self, calls: usize) -> Self {
        self.queue = calls;
        self
    }

    /// Sets how many tasks may be spawned, by anyone, however many calls there are. Default: 16.
    pub fn tasks(mut self, tasks: usize) -> Self {
        self.tasks = tasks;
        self
    }
}

impl<F> fmt::Debug for Outside<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("link", &self.link).finish_non_exhaustive()
    }
}
