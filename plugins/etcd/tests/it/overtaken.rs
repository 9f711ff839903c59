//! A key that ends with the client is restored over one connection and deleted over another one; or it is checked when
//! its lease is gone.

use crate::support::{SOON, shown, soon, until};
use cninfra::keyval::{Expiry, Kv, WatchOptions};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use futures_util::FutureExt as _;
use std::{net::SocketAddr, pin::pin, slice, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// The key, which occurs in nothing else.
const KEY: &str = "overtaken";
/// The value, which does not occur in reads.
const VALUE: &str = "written-again";
/// The lease stays alive while a connection hangs.
const TTL: Duration = Duration::from_secs(12);

/// A proxy to the server on which some connections can hang while others do not.
struct Way {
    addr: SocketAddr,
    order: watch::Sender<Order>,
}

#[derive(Clone, Default)]
struct Order {
    /// All current connections hang as soon as this is sent to the server.
    until_asked: Option<Vec<u8>>,
    /// Connections from this number on do not hang.
    hang: u64,
    /// Connections below this number have hung once.
    hung: u64,
    /// The number of connections so far.
    count: u64,
    /// What was sent on a hanging connection after the awaited request is lost.
    lost: bool,
    /// The connection that carries the awaited request.
    carries: u64,
    /// The client has closed that connection, so it has given up what hangs there.
    is_given_up: bool,
    /// How often the key was requested since then on connections that do not hang.
    passed: usize,
}

fn has(piece: &[u8], part: &[u8]) -> bool {
    piece.windows(part.len()).any(|piece| piece == part)
}

impl Way {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let way = Way { addr: listener.local_addr().unwrap(), order: watch::Sender::default() };
        let order = way.order.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(server).await.unwrap();
                let mut number = 0;
                order.send_modify(|order| {
                    number = order.count;
                    order.count += 1;
                });
                let ((from, to), (back, answers)) = (client.into_split(), server.into_split());
                for (mut from, mut to, is_asked) in [(from, answers, true), (back, to, false)] {
                    let (order, mut orders) = (order.clone(), order.subscribe());
                    let (pieces, mut under_way) = mpsc::unbounded_channel();
                    tokio::spawn(async move {
                        let mut piece = vec![0; 1 << 16];
                        while let Ok(len @ 1..) = from.read(&mut piece).await {
                            let piece = &piece[..len];
                            let is_late = order.borrow().hang > number;
                            order.send_if_modified(|order| is_asked && order.is_asked(number, piece));
                            let _ = pieces.send((is_late, piece.to_vec()));
                        }
                        let gives_up = |order: &Order| is_asked && number < order.hung && number == order.carries;
                        order.send_if_modified(|order| {
                            order.is_given_up |= gives_up(order);
                            order.is_given_up
                        });
                    });
                    tokio::spawn(async move {
                        while let Some((is_late, piece)) = under_way.recv().await {
                            let is_lost = orders.wait_for(|order| number >= order.hang).await.map(|order| order.lost);
                            if !(is_late && is_lost.unwrap_or(false)) {
                                to.write_all(&piece).await?;
                            }
                        }
                        // The server does not learn that the client has closed a connection that hung.
                        let has_hung = number < orders.borrow().hung;
                        if has_hung {
                            std::future::pending::<()>().await;
                        }
                        to.shutdown().await
                    });
                }
            }
        });
        way
    }

    /// All current connections hang as soon as this is sent to the server.
    fn hang_when(&self, asked: impl Into<Vec<u8>>) {
        self.order.send_modify(|order| order.until_asked = Some(asked.into()));
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Order) -> bool) {
        let mut order = self.order.subscribe();
        let _order = timeout(SOON, order.wait_for(|order| is_so(order))).await.expect(what);
    }

    /// Waits until the request is sent, so that all current connections hang.
    async fn hangs(&self) {
        self.until("it is asked", |order| order.until_asked.is_none()).await;
    }

    /// Delivers what was held back; with `lost`, only up to the awaited request.
    fn restore(&self, lost: bool) {
        self.order.send_modify(|order| (order.hang, order.lost) = (0, lost));
    }
}

impl Order {
    /// Handles a piece of a request. Returns whether it is the awaited one.
    fn is_asked(&mut self, number: u64, piece: &[u8]) -> bool {
        let hangs = self.until_asked.take_if(|part| has(piece, part)).is_some();
        if hangs {
            (self.hang, self.hung, self.carries, self.passed) = (self.count, self.count, number, 0);
        } else if number >= self.hang && has(piece, KEY.as_bytes()) {
            self.passed += 1;
        }
        hangs
    }
}

fn keys(etcd: &Etcd) -> Vec<String> {
    etcd.ctl(&["get", "", "--prefix", "--keys-only"]).split_whitespace().map(str::to_string).collect()
}

fn lease(etcd: &Etcd) -> String {
    etcd.ctl(&["lease", "list"]).lines().nth(1).unwrap().to_string()
}

/// A store that has written the key, so that it ends with the client.
async fn that_has_written(way: &Way, config: EtcdConfig) -> Kv<EtcdStore> {
    let config = EtcdConfig { endpoints: EtcdConfig::at([way.addr.to_string()]).endpoints, ..config };
    let one = Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()));
    one.put_with(KEY, VALUE, Expiry::WithClient).await.unwrap();
    one
}

/// A store that restores the key over a connection that hangs, and has a new connection for later requests.
async fn writing_over_one_that_hangs(etcd: &Etcd, limit: Duration) -> (Kv<EtcdStore>, Way) {
    let way = Way::to(etcd.addr()).await;
    let config = EtcdConfig { session_ttl: TTL.into(), operation_timeout: limit.into(), ..EtcdConfig::default() };
    let one = that_has_written(&way, config).await;
    let lease = lease(etcd);
    way.hang_when(VALUE);
    etcd.ctl(&["lease", "revoke", &lease]);
    way.hangs().await;
    let at_once = Duration::from_millis(200);
    soon("there is another connection", async || timeout(at_once, one.get("else")).await.is_ok(), |is_so| *is_so).await;
    assert_eq!(keys(etcd), [""; 0]);
    (one, way)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_while_it_is_written_over_another_connection_stays_so() {
    require!(Etcd);
    let etcd = Etcd::start();
    let (one, way) = writing_over_one_that_hangs(&etcd, Duration::from_secs(20)).await;
    let mut deleting = pin!(one.delete(KEY));
    // A delete that did not wait would be answered at once.
    for _ in 0..20 {
        let is_waiting = deleting.as_mut().now_or_never().is_none();
        let Order { is_given_up, passed, .. } = *way.order.borrow();
        assert!(!is_given_up, "this machine is too slow: what hangs is given up already");
        assert_eq!((is_waiting, passed), (true, 0), "it waits for what is written");
        one.get("else").await.unwrap();
    }
    way.restore(false);
    assert!(deleting.await.unwrap(), "it is written, and then deleted");
    assert_eq!(keys(&etcd), [""; 0]);
    // The next check does not restore it either.
    sleep(TTL / 3).await;
    assert_eq!(keys(&etcd), [""; 0]);
}

/// It is not known whether the key is restored: by then the limit of that call is over.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_again_after_its_delete_is_taken_back() {
    require!(Etcd);
    let etcd = Etcd::start();
    let (one, way) = writing_over_one_that_hangs(&etcd, Duration::from_secs(8)).await;
    one.delete(KEY).await.unwrap();
    let mut watch = one.watch([KEY], WatchOptions::default()).await.unwrap();
    way.until("it is given up", |order| order.is_given_up).await;
    way.restore(true);
    for what in [format!("put {KEY}={VALUE} (new)"), format!("del {KEY}")] {
        until(&mut watch, |event| shown(slice::from_ref(event)) == [what.clone()]).await;
    }
    sleep(TTL / 3).await;
    assert_eq!(keys(&etcd), [""; 0]);
}

/// The check runs between two keep-alives of a client that slept: that the lease does not have the key does not mean
/// that somebody has deleted it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_looked_for_when_its_lease_is_gone_is_written_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    let way = Way::to(etcd.addr()).await;
    let _one = that_has_written(&way, EtcdConfig { session_ttl: (TTL / 4).into(), ..EtcdConfig::default() }).await;
    let lease = lease(&etcd);
    way.hang_when(keys_of(&lease));
    way.hangs().await;
    etcd.ctl(&["lease", "revoke", &lease]);
    way.restore(false);
    soon("it is there again", async || keys(&etcd), |keys| *keys == [KEY]).await;
}

/// The client's request for the keys of a lease: the lease id, and the flag that requests the keys.
fn keys_of(lease: &str) -> Vec<u8> {
    let mut left = u64::from_str_radix(lease, 16).unwrap();
    let mut asked = vec![8];
    while left > 127 {
        asked.push((left & 127) as u8 | 128);
        left >>= 7;
    }
    asked.extend([left as u8, 16, 1]);
    asked
}
