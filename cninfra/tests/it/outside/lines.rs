//! A plugin that talks to a server and keeps its contract, and variants of it that violate the contract.

use cninfra::{prelude::*, status::State};
use serde::{Deserialize, Serialize};
use std::{
    future::pending,
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

/// The limit of a call, and of connecting.
pub const WITHIN: Duration = Duration::from_millis(400);
/// How many calls may wait for the connection.
pub const QUEUE: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sin {
    #[default]
    None,
    CallsHaveNoLimit,
    CallsDoNotNameTheServer,
    CallsNameTheServerOnly,
    CallsNameTheServerWell,
    CallsPanic,
    CallsBlock,
    StateFlaps,
    StateFlapsEachSecond,
    LossIsNotReported,
    LossIsReportedWithoutTheServer,
    StaysLost,
    StaysDegraded,
    InitHasNoLimit,
    InitDoesNotNameTheServer,
    StartsWithoutTheServer,
    StartsOnce,
    CloseWaitsForTheServer,
    CloseLeavesATask,
    QueueHasNoBound,
    CallsAreTasks,
    CallsAreLost,
    CallsTellThePassword,
    StateTellsThePassword,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinesConfig {
    endpoint: SocketAddr,
    password: cninfra::config::Secret,
    sin: Sin,
}

impl Default for LinesConfig {
    fn default() -> Self {
        LinesConfig { endpoint: ([127, 0, 0, 1], 7).into(), password: Default::default(), sin: Sin::None }
    }
}

type Asked = (String, oneshot::Sender<Result<String>>);

enum Asks {
    Bounded(mpsc::Sender<Asked>),
    Unbounded(mpsc::UnboundedSender<Asked>),
}

/// A client of a server that answers lines.
#[plugin]
pub struct Lines {
    #[config]
    config: LinesConfig,
    #[context]
    cx: Context,
    asks: Mutex<Option<Asks>>,
    begun: AtomicBool,
}

impl Lifecycle for Lines {
    async fn init(&self, cx: &Context) -> Result<()> {
        let sin = self.config.sin;
        if self.begun.swap(true, SeqCst) && sin == Sin::StartsOnce {
            return Err(self.named(Error::msg("it was started before")));
        }
        let first = match self.connect().await {
            Ok(connection) => Some(connection),
            Err(_) if sin == Sin::StartsWithoutTheServer => None,
            Err(error) => return Err(error),
        };
        let client = Client { config: self.config.clone(), cx: cx.clone() };
        if sin == Sin::QueueHasNoBound {
            let (asks, asked) = mpsc::unbounded_channel();
            *self.asks.lock().unwrap() = Some(Asks::Unbounded(asks));
            cx.spawn_until_close("connection", client.pipeline(asked));
        } else {
            let (asks, asked) = mpsc::channel(QUEUE);
            *self.asks.lock().unwrap() = Some(Asks::Bounded(asks));
            cx.spawn_until_close("connection", client.serve(first, asked));
        }
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        match self.config.sin {
            Sin::CloseWaitsForTheServer if self.asks.lock().unwrap().is_some() => {
                let (reads, writes) = TcpStream::connect(self.config.endpoint).await?.into_split();
                let mut server = Connection { reads: BufReader::new(reads).lines(), writes };
                server.ask("bye").await.map(drop)
            }
            Sin::CloseLeavesATask => {
                tokio::spawn(pending::<()>());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Lines {
    /// Requests the value of a key.
    pub async fn get(&self, key: &str) -> Result<String> {
        match self.config.sin {
            Sin::CallsHaveNoLimit => self.ask(key).await,
            Sin::CallsAreTasks => {
                // The task outlives its caller.
                let asks = sleep(WITHIN);
                drop(self.cx.spawn("call", asks));
                self.ask_within(key).await
            }
            Sin::CallsAreLost => self.ask_within(key).await.or(Ok(String::new())),
            Sin::CallsBlock => {
                let answer = self.ask_within(key).await;
                if answer.is_err() {
                    std::thread::sleep(2 * WITHIN);
                }
                answer
            }
            Sin::CallsTellThePassword => {
                let password = self.config.password.reveal();
                self.ask_within(key).await.map_err(|error| error.context(format_args!("as {password}")))
            }
            Sin::CallsDoNotNameTheServer => self.ask_within(key).await.map_err(|_| Error::msg("no answer")),
            Sin::CallsNameTheServerOnly => {
                self.ask_within(key).await.map_err(|_| Error::msg(format!("error: {}", self.config.endpoint)))
            }
            Sin::CallsNameTheServerWell => self.ask_within(key).await.map_err(|_| {
                let store = format!("store at {} failed", self.config.endpoint);
                Error::msg(store).with_help("look whether the server runs, and at `lines.endpoint`")
            }),
            Sin::CallsPanic => Ok(self.ask_within(key).await.unwrap()),
            _ => self.ask_within(key).await,
        }
    }

    async fn ask_within(&self, key: &str) -> Result<String> {
        // Waiting for room in the queue is part of the call.
        timeout(WITHIN, self.ask(key)).await.map_err(|_| self.named(Error::msg("no answer in time")))?
    }

    async fn ask(&self, key: &str) -> Result<String> {
        let (tell, told) = oneshot::channel();
        let asked = (format!("get {key}"), tell);
        let gone = || self.named(Error::msg("not connected"));
        let bounded = match &*self.asks.lock().unwrap() {
            None => return Err(gone()),
            Some(Asks::Unbounded(asks)) => {
                asks.send(asked).map_err(|_| gone())?;
                None
            }
            Some(Asks::Bounded(asks)) => Some((asks.clone(), asked)),
        };
        if let Some((asks, asked)) = bounded {
            asks.send(asked).await.map_err(|_| gone())?;
        }
        told.await.map_err(|_| gone())?
    }

    async fn connect(&self) -> Result<Connection> {
        connect(&self.config).await
    }

    fn named(&self, error: Error) -> Error {
        error.context(self.config.endpoint)
    }
}

struct Connection {
    reads: tokio::io::Lines<BufReader<tokio::net::tcp::OwnedReadHalf>>,
    writes: tokio::net::tcp::OwnedWriteHalf,
}

impl Connection {
    async fn ask(&mut self, line: &str) -> Result<String> {
        self.writes.write_all(format!("{line}\n").as_bytes()).await?;
        self.reads.next_line().await?.context("the server has closed the connection")
    }
}

async fn connect(config: &LinesConfig) -> Result<Connection> {
    let connecting = async {
        let (reads, writes) = TcpStream::connect(config.endpoint).await?.into_split();
        let mut connection = Connection { reads: BufReader::new(reads).lines(), writes };
        connection.ask(&format!("password {}", config.password.reveal())).await?;
        Ok(connection)
    };
    let connected = match config.sin {
        Sin::InitHasNoLimit => connecting.await,
        _ => timeout(WITHIN, connecting).await.unwrap_or_else(|_| Err(Error::msg("it does not answer in time"))),
    };
    let mend = "look whether the server runs, and at `lines.endpoint`";
    match config.sin {
        Sin::InitDoesNotNameTheServer => connected.help(mend),
        _ => connected.context(config.endpoint).help(mend),
    }
}

/// The task that owns the connection.
struct Client {
    config: LinesConfig,
    cx: Context,
}

impl Client {
    /// Serves one call after the other. Without a connection each fails at once.
    async fn serve(self, mut connection: Option<Connection>, mut asked: mpsc::Receiver<Asked>) {
        let Client { config, cx } = &self;
        loop {
            match connection.take() {
                Some(live) => {
                    let why = self.talk(live, &mut asked).await;
                    self.lost(&why);
                    if config.sin == Sin::StaysLost {
                        asked.close();
                        return pending().await;
                    }
                }
                None => {
                    let connecting = connect(config);
                    tokio::pin!(connecting);
                    let connected = loop {
                        tokio::select! {
                            connected = &mut connecting => break connected,
                            Some((_, tell)) = asked.recv() => {
                                let _ = tell.send(Err(Error::msg("not connected").context(config.endpoint)));
                            }
                        }
                    };
                    match connected {
                        Ok(live) => {
                            connection = Some(live);
                            if config.sin != Sin::StaysDegraded {
                                cx.status().report(State::Ok);
                            }
                        }
                        Err(_) => {
                            let pause = match config.sin {
                                Sin::StateFlapsEachSecond => Duration::from_secs(1),
                                _ => Duration::from_millis(20),
                            };
                            sleep(pause).await;
                            if matches!(config.sin, Sin::StateFlaps | Sin::StateFlapsEachSecond) {
                                cx.status().report(State::Ok);
                                sleep(Duration::from_millis(1)).await;
                                self.lost("tried again");
                            }
                        }
                    }
                }
            }
        }
    }

    /// Serves calls until the connection is lost. Returns the reason.
    async fn talk(&self, mut live: Connection, asked: &mut mpsc::Receiver<Asked>) -> String {
        loop {
            tokio::select! {
                Some((line, tell)) = asked.recv() => {
                    if tell.is_closed() {
                        // The caller has given up.
                        continue;
                    }
                    let limit = if self.config.sin == Sin::CallsHaveNoLimit { 100 * WITHIN } else { WITHIN };
                    match timeout(limit, live.ask(&line)).await {
                        Ok(Ok(answer)) => drop(tell.send(Ok(answer))),
                        failed => {
                            let why = failed.map_or("no answer in time".into(), |failed| failed.unwrap_err().to_string());
                            let _ = tell.send(Err(Error::msg(&why).context(self.config.endpoint)));
                            return why;
                        }
                    }
                }
                // The server sends only answers, so this is the end of the connection.
                read = live.reads.next_line() => return format!("the connection is lost: {read:?}"),
            }
        }
    }

    fn lost(&self, why: &str) {
        let LinesConfig { endpoint, password, sin } = &self.config;
        let status = self.cx.status();
        match sin {
            Sin::LossIsNotReported => {}
            Sin::LossIsReportedWithoutTheServer => status.report_because(State::Degraded, why),
            Sin::StateTellsThePassword => {
                status.report_because(State::Degraded, format!("{endpoint} as {}: {why}", password.reveal()));
            }
            _ => status.report_because(State::Degraded, format!("{endpoint}: {why}")),
        }
    }

    /// Sends all requests at once, and reads the answers in parallel.
    async fn pipeline(self, mut asked: mpsc::UnboundedReceiver<Asked>) {
        loop {
            let Ok(mut live) = connect(&self.config).await else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            self.cx.status().report(State::Ok);
            let mut waiting = std::collections::VecDeque::new();
            let why = loop {
                tokio::select! {
                    Some((line, tell)) = asked.recv() => {
                        waiting.push_back(tell);
                        if let Err(error) = live.writes.write_all(format!("{line}\n").as_bytes()).await {
                            break error.to_string();
                        }
                    }
                    read = live.reads.next_line() => match (read, waiting.pop_front()) {
                        (Ok(Some(answer)), Some(tell)) => drop(tell.send(Ok(answer))),
                        (read, _) => break format!("{read:?}"),
                    },
                }
            };
            self.lost(&why);
        }
    }
}
