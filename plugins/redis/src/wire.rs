//! [`Wire`]: one connection. No other file knows the client library.
//!
//! The library is used for a connection alone: it neither connects again nor sends anything twice, so that what is on its way is known, and who is told of its loss.

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

/// So many hints wait for who takes them: he is quick, and told when some were lost.
const HINTS: usize = 8 << 10;

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Dial {
    pub(crate) username: Option<String>,
    pub(crate) password: Secret,
    pub(crate) database: u8,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    /// For all that it takes.
    pub(crate) within: Duration,
    /// May a command be of any keys? Those of a cluster are of one slot.
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

/// A command as the library takes it.
fn custom(command: Command<'_>) -> (CustomCommand, Vec<Value>) {
    let (name, args) = command.words();
    (CustomCommand::new_static(name, ClusterHash::Random, false), args.into_iter().map(Value::Bytes).collect())
}

/// Which connection it is, of all there ever were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number(u64);

impl Number {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Number(NEXT.fetch_add(1, Relaxed))
    }
}

/// A connection. Dropped, it is ended.
pub(crate) struct Wire {
    client: Client,
    /// The library's, which is the connection's life.
    task: AbortHandle,
    /// Its end, for whoever waits for it, and why it could not be made.
    end: Shared<BoxFuture<'static, Option<Failure>>>,
    pub(crate) endpoint: Arc<str>,
    pub(crate) number: Number,
    answers: Arc<AtomicU64>,
    /// Calls that go out together, and the task that sends them.
    gather: Option<(Arc<Gather>, AbortHandle)>,
    /// For the futures of reads and writes, which have seven kilobytes.
    seats: Seats<Plain, Result<Value, Error>>,
}

/// So many seats are kept. Mostly one is enough, since calls that come while others are on their way go together.
const SEATS: usize = 8;

/// What is asked in a seat.
pub(crate) enum Plain {
    Get(Bytes),
    Set(Bytes, Bytes),
}

/// What comes of a call.
///
/// The library's futures are not in it, since they are so large and so deeply nested that whoever has a few of them in one function is refused by the compiler.
pub(crate) enum Call<'w> {
    /// A read or a write that goes alone.
    Seated {
        wire: &'w Wire,
        seated: Seated<'w, Plain, Result<Value, Error>>,
        _begun: Option<Begun<'w>>,
    },
    Boxed(BoxFuture<'w, Result<Reply, Failure>>),
}

impl Future for Call<'_> {
    type Output = Result<Reply, Failure>;

    // it is asked in one place, twice for each call, and left to itself the compiler makes two functions of it
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Call::Seated { wire, seated, .. } => seated.poll_unpin(cx).map(|answer| seen(&wire.answers, answer)),
            Call::Boxed(call) => call.poll_unpin(cx),
        }
    }
}

/// Asks for what is asked most, by the library's own commands.
async fn ask(client: Client, plain: Plain) -> Result<Value, Error> {
    match plain {
        Plain::Get(key) => client.get(key).await,
        Plain::Set(key, value) => client.set(key, Value::Bytes(value), None, None, false).await,
    }
}

impl Wire {
    /// Makes a connection for calls.
    ///
    /// # Cancel safety
    /// Dropped, it has left nothing.
    pub(crate) async fn dial(dial: &Dial, endpoint: &Arc<str>) -> Result<Wire, Failure> {
        let client = Client::new(config(dial, endpoint)?, Some(performance(1)), Some(connection(dial)), None);
        Wire::begin(client, dial, endpoint, dial.gathers).await
    }

    /// Makes a connection for hints.
    ///
    /// # Cancel safety
    /// Dropped, it has left nothing.
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
            // why one that was there has ended is told by the calls
            ended.ok()?.err().map(|error| Failure::of_dial(&error))
        };
        let end = end.boxed().shared();
        let seats = Seats::new(SEATS, {
            let client = client.clone();
            move |plain| ask(client.clone(), plain)
        });
        let (endpoint, number) = (endpoint.clone(), Number::next());
        let wire = Wire { client, task, end, endpoint, number, answers, gather: gather.zip(stop), seats };
        let connecting = async {
            tokio::select! {
                connected = wire.client.wait_for_connect() => connected.map_err(|error| Failure::of_dial(&error)),
                // the library tells who waits by then: a refusal that comes before is known of the end alone
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

    /// Asks something. It waits for as long as the connection lives: who asks has a limit.
    ///
    /// # Cancel safety
    /// Dropped, what was asked may be done nevertheless.
    pub(crate) fn call<'w>(&'w self, command: &'w Command<'_>) -> Call<'w> {
        if self.is_gone() {
            return Call::Boxed(Box::pin(ready(Err(gone()))));
        }
        let Some((gather, _)) = &self.gather else { return self.call_alone(command, None) };
        let begun = gather.begin();
        match begun.joins(command) {
            None => self.call_alone(command, Some(begun)),
            Some(told) => Call::Boxed(Box::pin(async move {
                let _begun = begun;
                match told.await {
                    Ok(Some(answer)) => answer,
                    Ok(None) if self.is_gone() => Err(gone()),
                    Ok(None) => self.call_alone(command, None).await,
                    // the connection ends, and who sends with it
                    Err(_) => Err(Failure::lost("the connection was lost")),
                }
            })),
        }
    }

    /// The connection was there a moment ago.
    fn call_alone<'w>(&'w self, command: &'w Command<'_>, begun: Option<Begun<'w>>) -> Call<'w> {
        // the library sends what it knows together with what waits, and all else at once, each in a packet of its own: with many calls at once that takes twice the time
        let plain = match command {
            Command::Get(key) => Plain::Get((*key).clone()),
            Command::Set(key, value) => Plain::Set((*key).clone(), (*value).clone()),
            Command::Other(..) => {
                return Call::Boxed(boxed(move || async move {
                    let _begun = begun;
                    let (command, args) = custom(command.clone());
                    seen(&self.answers, self.client.custom(command, args).await)
                }));
            }
        };
        Call::Seated { wire: self, seated: self.seats.ask(plain), _begun: begun }
    }

    /// Asks some things at once. They go out together; the library's pipelines are sent piece by piece.
    pub(crate) async fn calls(&self, commands: &[Command<'_>]) -> Vec<Result<Reply, Failure>> {
        if self.is_gone() {
            return commands.iter().map(|_| Err(gone())).collect();
        }
        join_all(commands.iter().map(|command| self.call_alone(command, None))).await
    }

    /// Asks for something whose slot is on its way here: the server is told so right before it.
    pub(crate) fn ask<'w>(&'w self, command: &'w Command<'_>) -> BoxFuture<'w, Result<Reply, Failure>> {
        boxed(move || async move {
            if self.is_gone() {
                return Err(gone());
            }
            let pipeline = self.client.pipeline();
            for command in [Command::bare("ASKING"), command.clone()] {
                let (command, args) = custom(command);
                // it is put in the pipeline, and answered later
                let _: Result<Value, _> = pipeline.custom(command, args).await;
            }
            seen(&self.answers, pipeline.last().await)
        })
    }

    /// Has the changes of channels with these patterns told, or no more. The library takes what the server refuses for the answer of what was asked last, and drops it where nothing was: so something
    /// is asked with it, with nothing between them.
    pub(crate) async fn subscribe(&self, patterns: Vec<String>, wanted: bool) -> Result<(), Failure> {
        let pipeline = self.client.pipeline();
        let asked = if wanted { pipeline.psubscribe(patterns).await } else { pipeline.punsubscribe(patterns).await };
        asked.map_err(|error| Failure::of_call(&error))?;
        let (ping, args) = custom(Command::bare("PING"));
        // it is put in the pipeline, and answered later
        let _: Result<Value, _> = pipeline.custom(ping, args).await;
        seen(&self.answers, pipeline.last().await).map(drop)
    }

    /// How many answers have come.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Relaxed)
    }

    /// Has it come to its end?
    pub(crate) fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for its end.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub(crate) async fn gone(&self) {
        let _why = self.end.clone().await;
    }

    /// Ends it at once: what is on its way fails.
    pub(crate) fn end(&self) {
        self.task.abort();
        if let Some((_, gathering)) = &self.gather {
            gathering.abort();
        }
    }

    /// Ends it, and waits until nothing is left of it.
    pub(crate) async fn close(&self) {
        self.end();
        self.gone().await;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks something for several calls.
async fn send(client: Client, answers: Arc<AtomicU64>, command: Command<'static>) -> Result<Reply, Failure> {
    let (command, args) = custom(command);
    seen(&answers, client.custom(command, args).await)
}

#[inline(always)]
fn seen(answers: &AtomicU64, answer: Result<Value, Error>) -> Result<Reply, Failure> {
    // most are such: they need not go through all that an answer may be
    let bytes = match answer {
        Ok(Value::Bytes(bytes)) => bytes,
        Ok(Value::String(text)) => text.into_inner(),
        answer => return seen_at_length(answers, answer),
    };
    answers.fetch_add(1, Relaxed);
    Ok(Reply::Bytes(bytes))
}

fn seen_at_length(answers: &AtomicU64, answer: Result<Value, Error>) -> Result<Reply, Failure> {
    let answer = answer.map(Reply::from).map_err(|error| Failure::of_call(&error));
    if !matches!(&answer, Err(failure) if failure.breaks()) {
        answers.fetch_add(1, Relaxed);
    }
    answer
}

/// Nothing was sent.
fn gone() -> Failure {
    Failure::no_connection("the connection was lost")
}

/// What the server tells of keys that may have changed.
pub(crate) struct Hints(broadcast::Receiver<KeyspaceEvent>);

/// What comes as a hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Hint {
    /// This key may have changed; it may have ended by itself.
    Dirty(Bytes, bool),
    /// Some were lost.
    Lost,
}

impl Hints {
    /// The next one; `None` where nobody can tell any more. The end of the connection is not told here.
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
