//! [`EtcdStore`]: etcd as a store.

use crate::{
    Connection, EtcdConfig,
    commit::{PutCall, put_seats},
    convert::{number, revision},
    core::Core,
    failure::Asked,
    monitor,
    session::Session,
    terms::{Lane, Terms},
    tls, watch,
    wire::{Dial, misconfigured},
};
use bytes::Bytes;
use cninfra::client::{Seats, Tasks};
use cninfra::{
    BoxFuture,
    keyval::{
        Applied, At, Capabilities, Coordination, Entry, Expiry, Holder, Holders, KeyRange, KvError, LeaseId, Leases,
        Op, Page, PageRequest, Put, Reason, Result, Revision, Revisions, Store, Txn, TxnOutcome, Watch, WatchOptions,
        Written,
    },
};
use etcd_client::Client;
use futures_util::future::Either;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

/// The time limit for reading the TLS files.
const FILES: Duration = Duration::from_secs(5);

/// etcd as a store, with revisions, leases and watches that recover by themselves. All its tasks end with it: by
/// [`close`](Self::close), or when it is dropped.
///
/// ```no_run
/// use cninfra::keyval::Kv;
/// use cninfra_etcd::{EtcdConfig, EtcdStore};
/// use std::sync::Arc;
///
/// # async fn example() -> cninfra::keyval::Result<()> {
/// let store = Arc::new(EtcdStore::connect(EtcdConfig::at(["127.0.0.1:2379"])).await?);
/// let contacts = Kv::new(store.clone()).scoped("contacts/");
/// contacts.put("alice", "555-0100").await?;
/// store.close().await
/// # }
/// ```
pub struct EtcdStore {
    pub(crate) core: Arc<Core>,
    pub(crate) session: Arc<Session>,
    pub(crate) tasks: Tasks,
    puts: Seats<PutCall, Result<Written>>,
    holders: Holders,
    /// Held by the caller that is closing the store.
    closing: Mutex<()>,
}

impl EtcdStore {
    /// Opens a store, and waits until its server has answered.
    ///
    /// # Errors
    /// The config is not valid; or the server does not answer within
    /// [`operation_timeout`](EtcdConfig::operation_timeout), or does not know the user.
    ///
    /// # Cancel safety
    /// If it is dropped, nothing is left behind.
    pub async fn connect(config: EtcdConfig) -> Result<Self> {
        let store = Self::open(config).await?;
        store.ping().await?;
        Ok(store)
    }

    /// Opens a store whose server need not be there yet.
    ///
    /// # Errors
    /// The config is not valid.
    pub async fn open(config: EtcdConfig) -> Result<Self> {
        config.check().map_err(|invalid| misconfigured("look at etcd.conf".to_string(), format!("{invalid:#}")))?;
        let config_of_dial = config.clone();
        let reading = tokio::task::spawn_blocking(move || Dial::new(&config_of_dial));
        let dial = match timeout(FILES, reading).await {
            Ok(Ok(dial)) => dial?,
            Ok(Err(gone)) => return Err(KvError::new("connect", Reason::Closed).not_applied().because(gone)),
            Err(late) => {
                let files = tls::files(&config);
                let help = format!("etcd.conf names files that cannot be read within {FILES:?}: look at {files}");
                return Err(misconfigured(help, late));
            }
        };
        let core = Arc::new(Core::new(config, dial));
        let store = EtcdStore {
            core: core.clone(),
            session: Arc::default(),
            tasks: Tasks::default(),
            puts: put_seats(),
            holders: Holders::default(),
            closing: Mutex::default(),
        };
        store.tasks.spawn(monitor::run(core.clone()));
        store.tasks.spawn(core.clone().enforce_deadlines());
        if !core.config.auto_compact.is_zero() {
            store.tasks.spawn(compact_often(core));
        }
        Ok(store)
    }

    /// Checks whether the server answers, and has a majority of its cluster.
    ///
    /// # Errors
    /// Why it does not, with the endpoint.
    pub async fn ping(&self) -> Result<()> {
        monitor::check(&self.core, *self.core.config.operation_timeout).await
    }

    /// The state of the connection, and its changes. It is checked once a second, and whenever a call or a watch finds
    /// the connection broken.
    #[must_use]
    pub fn connection(&self) -> tokio::sync::watch::Receiver<Connection> {
        self.core.connection.subscribe()
    }

    /// The underlying client, for what the interface does not offer. Its calls have no limits except those you set. It
    /// is connected to one member, and no other ones can be added.
    ///
    /// # Errors
    /// The user is not known, or the server cannot be reached.
    pub async fn client(&self) -> Result<Client> {
        let asked = || Asked::to_read("connect", None);
        self.core.call(self.core.terms(Lane::Callers), &asked, |wire| async move { Ok(wire.client.clone()) }).await
    }

    /// Ends its watches and its tasks, deletes what was written [with the client](cninfra::keyval::Expiry::WithClient),
    /// and gives up leaderships and locks held through it, so that the next candidates get them at once. Later calls
    /// fail.
    ///
    /// # Errors
    /// What was written with the client could not be deleted. It expires after
    /// [`session_ttl`](EtcdConfig::session_ttl). Of several callers of `close`, only one gets the error.
    ///
    /// # Cancel safety
    /// If it is dropped, the store still exists, but leaders and owners of locks have been told to give them up, and
    /// nothing can be written with the client any more. It may be called again.
    pub async fn close(&self) -> Result<()> {
        // Concurrent calls of `close` run one after the other, so that none cuts off what another is still revoking.
        let _closing = self.closing.lock().await;
        let ended = match self.core.is_closed() {
            true => Ok(()),
            false => tokio::join!(self.session.end(&self.core), self.holders.end()).0,
        };
        self.core.close();
        self.tasks.join().await;
        self.core.drop_connections();
        ended
    }
}

/// A `Watch` or its handle may outlive the store, but keeps no connection open.
impl Drop for EtcdStore {
    fn drop(&mut self) {
        self.core.close();
        self.core.drop_connections();
    }
}

impl Store for EtcdStore {
    fn capabilities(&self) -> Capabilities {
        self.core.config.capabilities()
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        self.core.config.capabilities().refuse_get(&key, at)?;
        self.core.get(self.core.terms(Lane::Callers), &key, at).await
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        self.core.config.capabilities().refuse_page(&request)?;
        self.core.page(self.core.terms(Lane::Callers), &request).await
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        self.run(txn).await
    }

    fn put(&self, put: Put) -> impl Future<Output = Result<Written>> + Send {
        match put.expiry {
            Expiry::Never => Either::Left(self.puts.ask((self.core.clone(), self.session.clone(), put))),
            // A put that expires needs a lease, which may have to be granted and revoked.
            _ => Either::Right(Box::pin(async move { Written::of(&self.run(Txn::one(Op::Put(put))).await?) })),
        }
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        self.core.config.capabilities().refuse_watch(&ranges, &options)?;
        let asked = Asked::to_read("watch", ranges.first().cloned());
        let begun = watch::begin(self.core.clone(), &self.tasks, ranges, options);
        let (watch, mut refused) = begun.ok_or_else(|| self.core.closed_error(&asked, Applied::No))?;
        let mut connection = self.connection();
        tokio::select! {
            biased;
            // The watch waits for the server's first answer, which may be a refusal.
            refused = &mut refused => return refused.map_or(Ok(watch), Err),
            // It does not wait for a server that is down: the watch begins once the server answers.
            _ = connection.wait_for(|now| matches!(now, Connection::Down(_))) => {}
            () = sleep(*self.core.config.operation_timeout) => {}
        }
        // A refusal that comes later does not end the watch, which the caller then has.
        refused.close();
        refused.try_recv().map_or(Ok(watch), Err)
    }
}

impl Revisions for EtcdStore {
    fn revision(&self) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async {
            let newest = self.core.newest_of_all(self.core.terms(Lane::Callers)).await?;
            let missing =
                || Asked::to_read("revision", None).error(Reason::Other, Applied::No).because("it was not said");
            revision(newest).ok_or_else(missing)
        })
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { compact(&self.core, self.core.terms(Lane::Callers), upto).await })
    }
}

async fn compact(core: &Core, terms: Terms, upto: Revision) -> Result<()> {
    // Compacting twice has the same effect as compacting once, so the call may be repeated.
    let asked = || Asked::to_repeat("compact", None);
    let compacted = core.call(terms, &asked, |wire| async move { wire.kv.clone().compact(number(upto), None).await });
    match compacted.await {
        Ok(_) => Ok(()),
        // Somebody else has compacted, or an earlier attempt of this call whose answer was lost.
        Err(error) if matches!(error.reason(), Reason::Compacted(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compacts the history at the configured interval.
async fn compact_often(core: Arc<Core>) {
    let compacting = async {
        let mut has_failed = false;
        loop {
            tokio::time::sleep(*core.config.auto_compact).await;
            let done = match core.newest_of_all(core.terms(Lane::Own)).await.map(revision) {
                Ok(Some(newest)) => compact(&core, core.terms(Lane::Own), newest).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            // One warning is enough while the server is down.
            match (std::mem::replace(&mut has_failed, done.is_err()), done) {
                (_, Ok(())) => {}
                (false, Err(error)) => tracing::warn!(%error, "the history was not compacted, and is tried again"),
                (true, Err(error)) => tracing::debug!(%error, "the history was not compacted, again"),
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = compacting => {}
    }
}

impl Leases for EtcdStore {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        Box::pin(self.core.grant(self.core.terms(Lane::Callers), ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(self.core.keep_alive(lease))
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.core.revoke(self.core.terms(Lane::Callers), lease))
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(self.core.time_left(self.core.terms(Lane::Callers), lease))
    }
}

impl Coordination for EtcdStore {
    fn holder(&self) -> Holder {
        self.holders.holder()
    }
}

impl fmt::Debug for EtcdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.core.connection.borrow().clone();
        let mut debug = f.debug_struct("EtcdStore");
        debug.field("endpoints", self.core.endpoints()).field("connection", &connection).finish_non_exhaustive()
    }
}
