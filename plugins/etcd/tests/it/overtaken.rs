//! What ends with the client is written again over one connection, and deleted over another one.

use crate::support::{SOON, shown, soon, until};
use cninfra::keyval::{Expiry, Kv, WatchOptions};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::{
    net::SocketAddr,
    slice,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

/// What is put, and no part of anything else.
const KEY: &str = "overtaken";
/// The lease is kept while a connection hangs.
const TTL: Duration = Duration::from_secs(12);

/// A way to the server on which some connections may hang, and others do not.
struct Way {
    addr: SocketAddr,
    order: watch::Sender<Order>,
}

#[derive(Clone, Copy, Default)]
struct Order {
    /// All that there are hang as soon as the key is on its way to the server,
    armed: bool,
    /// and from this number on they do not.
    hang: u64,
    /// So many have hung once.
    hung: u64,
    /// How many there were.
    count: u64,
    /// What hangs and came after the key is lost.
    lost: bool,
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
                            let has_key = is_asked && piece.windows(KEY.len()).any(|part| part == KEY.as_bytes());
                            let is_late = order.borrow().hang > number;
                            order.send_if_modified(|order| {
                                let hangs = order.armed && has_key;
                                if hangs {
                                    *order = Order { armed: false, hang: order.count, hung: order.count, ..*order };
                                }
                                hangs
                            });
                            let _ = pieces.send((is_late, piece.to_vec()));
                        }
                    });
                    tokio::spawn(async move {
                        while let Some((is_late, piece)) = under_way.recv().await {
                            let order = orders.wait_for(|order| number >= order.hang).await.map(|order| *order);
                            if !(is_late && order.is_ok_and(|order| order.lost)) {
                                to.write_all(&piece).await?;
                            }
                        }
                        // who does not wait any more does not say so
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

    /// Waits until the key is on its way, and all that there are hang.
    async fn hangs(&self) {
        let mut order = self.order.subscribe();
        let _ = timeout(SOON, order.wait_for(|order| !order.armed)).await.expect("it is written again");
    }

    /// What has waited comes; or of that only what came before the key, and the key.
    fn restore(&self, lost: bool) {
        self.order.send_modify(|order| *order = Order { hang: 0, lost, ..*order });
    }
}

fn keys(etcd: &Etcd) -> Vec<String> {
    etcd.ctl(&["get", "", "--prefix", "--keys-only"]).split_whitespace().map(str::to_string).collect()
}

/// A store that writes the key again over a connection that hangs, and has another one for what is asked now; and when that was written.
async fn writing_over_one_that_hangs(etcd: &Etcd, limit: Duration) -> (Kv<EtcdStore>, Way, Instant) {
    let way = Way::to(etcd.addr()).await;
    let config = EtcdConfig { session_ttl: TTL.into(), ..EtcdConfig::at([way.addr.to_string()]) };
    let one =
        Kv::new(Arc::new(EtcdStore::connect(EtcdConfig { operation_timeout: limit.into(), ..config }).await.unwrap()));
    // by which it is known that a connection hangs
    let mut watch = one.watch(["w/"], WatchOptions::default()).await.unwrap();
    tokio::spawn(async move { while watch.next().await.is_some() {} });
    one.put_with(KEY, "1", Expiry::WithClient).await.unwrap();
    let leases = etcd.ctl(&["lease", "list"]);
    let lease = leases.lines().nth(1).unwrap();
    way.order.send_modify(|order| order.armed = true);
    etcd.ctl(&["lease", "revoke", lease]);
    way.hangs().await;
    let (written, second) = (Instant::now(), Duration::from_secs(1));
    soon("there is another connection", async || timeout(second, one.get(KEY)).await.is_ok(), |is_so| *is_so).await;
    assert_eq!(keys(etcd), [""; 0]);
    (one, way, written)
}

/// What has hung may be given up by then, and comes when the key is deleted, or not at all: be it as it may, the key is not there in the end. That a delete waits for what is not given up is
/// seen where it is sure: `keyval::Deletes`.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_while_it_is_written_over_another_connection_stays_so() {
    require!(Etcd);
    for _ in 0..4 {
        let etcd = Etcd::start();
        let (one, way, _) = writing_over_one_that_hangs(&etcd, Duration::from_secs(20)).await;
        let deleting = tokio::spawn(async move { one.delete(KEY).await.map(|was_there| (was_there, one)) });
        sleep(Duration::from_millis(500)).await;
        way.restore(false);
        let (was_there, _one) = deleting.await.unwrap().unwrap();
        sleep(Duration::from_secs(2)).await;
        assert_eq!(keys(&etcd), [""; 0]);
        // it was there again, and then deleted
        if was_there {
            return;
        }
    }
}

/// Nobody knows whether it is written: its time is over when it is.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_again_after_its_delete_is_taken_back() {
    require!(Etcd);
    let limit = Duration::from_secs(8);
    for _ in 0..4 {
        let etcd = Etcd::start();
        let (one, way, written) = writing_over_one_that_hangs(&etcd, limit).await;
        one.delete(KEY).await.unwrap();
        sleep(limit.saturating_sub(written.elapsed()) + Duration::from_secs(1)).await;
        let mut watch = one.watch([KEY], WatchOptions::default()).await.unwrap();
        way.restore(true);
        let put = format!("put {KEY}=1 (new)");
        let is_put = until(&mut watch, |event| shown(slice::from_ref(event)) == [put.clone()]);
        if timeout(SOON / 4, is_put).await.is_err() {
            continue;
        }
        until(&mut watch, |event| shown(slice::from_ref(event)) == [format!("del {KEY}")]).await;
        sleep(Duration::from_secs(2)).await;
        assert_eq!(keys(&etcd), [""; 0]);
        return;
    }
    panic!("it never came");
}
