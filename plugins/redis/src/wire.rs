//! [`Wire`]: one connection. Only this file calls the client library; `failure` interprets its errors.
//!
//! The library neither reconnects nor sends anything twice, so it is known which calls are in flight when a connection
//! is lost, and each of them is told.

use crate::{
    command::{Command, Reply},
    failure::Failure,
    gather::{Begun, Gather, Sending},
};
use bytes::Bytes;
use cninfra::{
    boxed,
    client::{Seated, Seats},
    config::Secret,
};
use fred::{
    clients::Client,
    error::Error,
    interfaces::{ClientLike, EventInterface as _, KeysInterface as _, PubsubInterface as _},
    types::{
        ClusterHash, CustomCommand, KeyspaceEvent, Value,
        config::{Config, ConnectionConfig, PerformanceConfig, Server, ServerConfig, TcpConfig, TlsConfig},
    },
};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, join_all, ready},
};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::{AbortHandle, JoinHandle},
    time::timeout,
};

/// How many hints may wait for the listener, which takes them quickly, and learns if some were lost.
const HINTS: usize = 8 << 10;

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Dial {
    pub(crate) username: Option<String>,
    pub(crate) password: Secret,
    pub(crate) database: u8,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// The limit for the whole connection attempt.
    pub(crate) within: Duration,
    /// Whether one command may have keys of several slots. In a cluster it may not.
    pub(crate) gathers: bool,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Reply::Nil,
            Value::Integer(number) => Reply::Number(number),
            Value::Boolean(is) => Reply::Number(i64::from(is)),
            Value::Double(number) => Reply::Bytes(number.to_string().into()),
            Value::String(text) => Reply::Bytes(text.into_inner()),
            Value::Bytes(bytes) => Reply::Bytes(bytes),
            Value::Queued => Reply::Bytes(Bytes::from_static(b"QUEUED")),
            Value::Array(values) => Reply::List(values.into_iter().map(Reply::from).collect()),
            Value::Map(map) => {
                let pair = |(key, value): (fred::types::Key, Value)| [Reply::Bytes(key.into_bytes()), value.into()];
                Reply::List(map.inner().into_iter().flat_map(pair).collect())
            }
        }
    }
}

/// Converts a command for the library.
fn custom(command: Command<'_>) -> (CustomCommand, Vec<Value>) {
    let (name, args) = command.words();
    (CustomCommand::new_static(name, ClusterHash::Random, false), args.into_iter().map(Value::Bytes).collect())
}

/// A number that is unique among all connections of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number(u64);

impl Number {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Number(NEXT.fetch_add(1, Relaxed))
    }
}

/// A connection. It ends when it is dropped.
pub(crate) struct Wire {
    client: Client,
    /// The library's task: the connection lives as long as this task.
    task: AbortHandle,
    /// Completes when the connection ends. The value says why, if it could not be made.
    end: Shared<BoxFuture<'static, Option<Failure>>>,
    pub(crate) endpoint: Arc<str>,
    pub(crate) number: Number,
    answers: Arc<AtomicU64>,
    /// Calls that are sent together, and the task that sends them.
    gather: Option<(Arc<Gather>, AbortHandle)>,
    /// Reusable memory for the futures of reads and writes, of seven kilobytes each.
    seats: Seats<Plain, Result<Value, Error>>,
}

/// How many seats are kept. Usually one is enough, since concurrent calls are sent together.
const SEATS: usize = 8;

/// A request whose future has a seat.
pub(crate) enum Plain {
    Get(Bytes),
    Set(Bytes, Bytes),
}

/// The future of a call.
///
/// It does not contain the library's futures. They are so large and so deeply nested that the compiler refuses a
/// function with a few of them.
pub(crate) enum Call<'w> {
    /// A read or a write that is sent by itself.
    Seated {
        wire: &'w Wire,
        seated: Seated<'w, Plain, Result<Value, Error>>,
        _begun: Option<Begun<'w>>,
    },
    Boxed(BoxFuture<'w, Result<Reply, Failure>>),
}

impl Future for Call<'_> {
    type Output = Result<Reply, Failure>;

    // It is polled in one place only, twice for each call. Left to itself, the compiler keeps it a separate function.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Call::Seated { wire, seated, .. } => {
                seated.poll_unpin(cx).map(|answer| convert_counted(&wire.answers, answer))
            }
            Call::Boxed(call) => call.poll_unpin(cx),
        }
    }
}

/// Sends the most frequent requests, with the library's own commands.
async fn send_plain(client: Client, plain: Plain) -> Result<Value, Error> {
    match plain {
        Plain::Get(key) => client.get(key).await,
        Plain::Set(key, value) => client.set(key, Value::Bytes(value), None, None, false).await,
    }
}

impl Wire {
    /// Makes a connection for calls.
    ///
    /// # Cancel safety
    /// If it is dropped, nothing is left behind.
    pub(crate) async fn dial(dial: &Dial, endpoint: &Arc<str>) -> Result<Wire, Failure> {
        let client = Client::new(config(dial, endpoint)?, Some(performance(1)), Some(connection(dial)), None);
        Wire::begin(client, dial, endpoint, dial.gathers).await
    }

    /// Makes a connection for hints.
    ///
    /// # Cancel safety
    /// If it is dropped, nothing is left behind.
    pub(crate) async fn dial_for_hints(dial: &Dial, endpoint: &Arc<str>) -> Result<(Wire, Hints), Failure> {
        let client = Client::new(config(dial, endpoint)?, Some(performance(HINTS)), Some(connection(dial)), None);
        let hints = Hints(client.keyspace_event_rx());
        let wire = Wire::begin(client, dial, endpoint, false).await?;
        Ok((wire, hints))
    }

    async fn begin(client: Client, dial: &Dial, endpoint: &Arc<str>, gathers: bool) -> Result<Wire, Failure> {
        let connection = client.connect();
        let task = connection.abort_handle();
        let answers = Arc::<AtomicU64>::default();
        let gathering = gathers.then(|| {
            let (gather, client, answers) = (Arc::<Gather>::default(), client.clone(), answers.clone());
            let sending = Sending(gather.clone());
            let send = move |command| send(client.clone(), answers.clone(), command);
            (gather, tokio::spawn(async move { sending.0.run(send).await }))
        });
        let (gather, gathering) = gathering.unzip();
        let stop = gathering.as_ref().map(JoinHandle::abort_handle);
        let end = async move {
            let ended = connection.await;
            if let Some(gathering) = gathering {
                gathering.abort();
                let _ = gathering.await;
            }
            // If an established connection ends, the calls report why.
            ended.ok()?.err().map(|error| Failure::of_dial(&error))
        };
        let end = end.boxed().shared();
        let seats = Seats::new(SEATS, {
            let client = client.clone();
            move |plain| send_plain(client.clone(), plain)
        });
        let (endpoint, number) = (endpoint.clone(), Number::next());
        let wire = Wire { client, task, end, endpoint, number, answers, gather: gather.zip(stop), seats };
        let connecting = async {
            tokio::select! {
                connected = wire.client.wait_for_connect() => connected.map_err(|error| Failure::of_dial(&error)),
                // The library only tells those that already wait: a refusal that comes earlier is known from the task's
                // end alone.
                why = wire.end.clone() => {
                    Err(why.unwrap_or_else(|| Failure::no_connection("the server has ended the connection")))
                }
            }
        };
        match timeout(dial.within, connecting).await {
            Ok(connected) => connected.map(|()| wire),
            Err(_) => Err(Failure::no_connection(format!("no connection within {:?}", dial.within))),
        }
    }

    /// Sends a request. It waits as long as the connection lives: the caller has to set a limit.
    ///
    /// # Cancel safety
    /// If it is dropped, the request may be executed nevertheless.
    pub(crate) fn call<'w>(&'w self, command: &'w Command<'_>) -> Call<'w> {
        if self.is_gone() {
            return Call::Boxed(Box::pin(ready(Err(not_sent()))));
        }
        let Some((gather, _)) = &self.gather else { return self.call_alone(command, None) };
        let begun = gather.begin();
        match begun.join(command) {
            None => self.call_alone(command, Some(begun)),
            Some(shared_answer) => Call::Boxed(Box::pin(async move {
                let _begun = begun;
                match shared_answer.await {
                    Ok(Some(answer)) => answer,
                    Ok(None) if self.is_gone() => Err(not_sent()),
                    Ok(None) => self.call_alone(command, None).await,
                    // The connection has ended, and with it the task that sends.
                    Err(_) => Err(Failure::lost("the connection was lost")),
                }
            })),
        }
    }

    /// Sends a request by itself. The caller has checked that the connection is alive.
    fn call_alone<'w>(&'w self, command: &'w Command<'_>, begun: Option<Begun<'w>>) -> Call<'w> {
        // The library batches its own commands with waiting ones, but sends a custom command at once, in a packet of
        // its own: with many concurrent calls that takes twice the time.
        let plain = match command {
            Command::Get(key) => Plain::Get((*key).clone()),
            Command::Set(key, value) => Plain::Set((*key).clone(), (*value).clone()),
            Command::Other(..) => {
                return Call::Boxed(boxed(move || async move {
                    let _begun = begun;
                    let (command, args) = custom(command.clone());
                    convert_counted(&self.answers, self.client.custom(command, args).await)
                }));
            }
        };
        Call::Seated { wire: self, seated: self.seats.ask(plain), _begun: begun }
    }

    /// Sends some requests at once. They go out together, while the library would send a pipeline piece by piece.
    pub(crate) async fn calls(&self, commands: &[Command<'_>]) -> Vec<Result<Reply, Failure>> {
        if self.is_gone() {
            return commands.iter().map(|_| Err(not_sent())).collect();
        }
        join_all(commands.iter().map(|command| self.call_alone(command, None))).await
    }

    /// Sends a request for a slot that is being moved to this server, which has to be told so right before it
    /// (`ASKING`).
    pub(crate) fn call_asking<'w>(&'w self, command: &'w Command<'_>) -> BoxFuture<'w, Result<Reply, Failure>> {
        boxed(move || async move {
            if self.is_gone() {
                return Err(not_sent());
            }
            let pipeline = self.client.pipeline();
            for command in [Command::bare("ASKING"), command.clone()] {
                let (command, args) = custom(command);
                // This only adds the command to the pipeline.
                let _: Result<Value, _> = pipeline.custom(command, args).await;
            }
            convert_counted(&self.answers, pipeline.last().await)
        })
    }

    /// Subscribes to channels with these patterns, or unsubscribes. The library takes a refusal of the server for the
    /// answer to the last request, and drops it if there is none: so a `PING` is sent with it, with nothing in between.
    pub(crate) async fn subscribe(&self, patterns: Vec<String>, wanted: bool) -> Result<(), Failure> {
        let pipeline = self.client.pipeline();
        let asked = if wanted { pipeline.psubscribe(patterns).await } else { pipeline.punsubscribe(patterns).await };
        asked.map_err(|error| Failure::of_call(&error))?;
        let (ping, args) = custom(Command::bare("PING"));
        // This only adds the command to the pipeline.
        let _: Result<Value, _> = pipeline.custom(ping, args).await;
        convert_counted(&self.answers, pipeline.last().await).map(drop)
    }

    /// How many answers have arrived.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Relaxed)
    }

    /// Whether the connection has ended.
    pub(crate) fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the end of the connection.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub(crate) async fn ended(&self) {
        let _why = self.end.clone().await;
    }

    /// Ends the connection at once: calls in flight fail.
    pub(crate) fn end(&self) {
        self.task.abort();
        if let Some((_, gathering)) = &self.gather {
            gathering.abort();
        }
    }

    /// Ends the connection, and waits for its end.
    pub(crate) async fn close(&self) {
        self.end();
        self.ended().await;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sends a command on behalf of several calls.
async fn send(client: Client, answers: Arc<AtomicU64>, command: Command<'static>) -> Result<Reply, Failure> {
    let (command, args) = custom(command);
    convert_counted(&answers, client.custom(command, args).await)
}

#[inline(always)]
fn convert_counted(answers: &AtomicU64, answer: Result<Value, Error>) -> Result<Reply, Failure> {
    // Most answers are plain values. They need not go through the full conversion.
    let bytes = match answer {
        Ok(Value::Bytes(bytes)) => bytes,
        Ok(Value::String(text)) => text.into_inner(),
        answer => return convert_counted_slowly(answers, answer),
    };
    answers.fetch_add(1, Relaxed);
    Ok(Reply::Bytes(bytes))
}

fn convert_counted_slowly(answers: &AtomicU64, answer: Result<Value, Error>) -> Result<Reply, Failure> {
    let answer = answer.map(Reply::from).map_err(|error| Failure::of_call(&error));
    if !matches!(&answer, Err(failure) if failure.is_connection_lost()) {
        answers.fetch_add(1, Relaxed);
    }
    answer
}

/// The failure of a call that was not sent.
fn not_sent() -> Failure {
    Failure::no_connection("the connection was lost")
}

/// The server's notifications of keys that may have changed.
pub(crate) struct Hints(broadcast::Receiver<KeyspaceEvent>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Hint {
    /// This key may have changed; and whether it has expired.
    Dirty(Bytes, bool),
    /// Some hints were lost.
    Lost,
}

impl Hints {
    /// The next hint; `None` if no more can come. The end of the connection is not noticed here.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub(crate) async fn next(&mut self) -> Option<Hint> {
        match self.0.recv().await {
            Ok(event) => Some(Hint::Dirty(event.key.into_bytes(), event.operation == "expired")),
            Err(RecvError::Lagged(_)) => Some(Hint::Lost),
            Err(RecvError::Closed) => None,
        }
    }
}

fn config(dial: &Dial, endpoint: &str) -> Result<Config, Failure> {
    let (host, port) = endpoint
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host.trim_matches(['[', ']']), port.parse().ok()?)))
        .ok_or_else(|| Failure::no_connection("an endpoint is `host:port`"))?;
    let server = ServerConfig::Centralized { server: Server::new(host.to_string(), port) };
    let password = Some(dial.password.reveal()).filter(|password| !password.is_empty()).map(ToString::to_string);
    Ok(Config {
        fail_fast: true,
        username: dial.username.clone(),
        password,
        server,
        database: Some(dial.database).filter(|database| *database != 0),
        tls: dial.tls.clone().map(|tls| TlsConfig::from(fred::types::config::TlsConnector::Rustls(tls.into()))),
        ..Config::default()
    })
}

fn connection(dial: &Dial) -> ConnectionConfig {
    ConnectionConfig {
        connection_timeout: dial.within,
        internal_command_timeout: dial.within,
        max_command_attempts: 1,
        disable_cluster_health_check: true,
        tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
        ..ConnectionConfig::default()
    }
}

fn performance(broadcasts: usize) -> PerformanceConfig {
    PerformanceConfig { broadcast_channel_capacity: broadcasts.max(4), ..PerformanceConfig::default() }
}
