//! What a watch reports when the server or the network fails: nothing is lost or reported twice.

use crate::support::{SOON, kv, next, shown, soon, until};
use cninfra::{
    keyval::{Event, Kv, Link as State, Revisions as _, Watch, WatchOptions},
    testing::Link,
};
use cninfra_etcd::EtcdStore;
use cninfra_testbed::{Etcd, require};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

pub fn has(key: impl Into<String>) -> impl Fn(&Event) -> bool {
    let key = key.into();
    move |event| matches!(event, Event::Changes { changes, .. } if changes.iter().any(|change| change.key == key))
}

pub fn is_lost(event: &Event) -> bool {
    *event == Event::Link(State::Lost)
}

pub fn is_end(event: &Event) -> bool {
    matches!(event, Event::SnapshotEnd { .. })
}

/// A server behind a link, a writer that bypasses the link, and a watch through it that has its first snapshot.
pub struct Behind {
    pub link: Link,
    pub direct: Kv<EtcdStore>,
    pub through: Kv<EtcdStore>,
    pub watch: Watch,
}

pub async fn behind(etcd: &Etcd) -> Behind {
    let link = Link::to(etcd.addr()).unwrap();
    let direct = kv(etcd.endpoint()).await.scoped("p/");
    direct.put("first", "0").await.unwrap();
    let through = kv(link.addr().to_string()).await.scoped("p/");
    let mut watch = through.watch([""], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    direct.put("live", "0").await.unwrap();
    until(&mut watch, has("live")).await;
    Behind { link, direct, through, watch }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_while_the_connection_was_lost_is_told_one_by_one() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, direct, mut watch, through: _through } = behind(&etcd).await;
    for round in 0..5 {
        link.cut();
        assert_eq!(shown(&until(&mut watch, is_lost).await), ["Lost"]);
        for i in 0..3 {
            direct.put("k", format!("{round}-{i}")).await.unwrap();
        }
        direct.delete("k").await.unwrap();
        link.restore();
        let healed = Instant::now();
        direct.put("last", format!("{round}")).await.unwrap();
        let told = shown(&until(&mut watch, has("last")).await);
        let new = if round == 0 { " (new)" } else { "" };
        let expected = [
            "Resumed".to_string(),
            format!("put k={round}-0 (new)"),
            format!("put k={round}-1"),
            format!("put k={round}-2"),
            "del k".to_string(),
            format!("put last={round}{new}"),
        ];
        assert_eq!(told, expected);
        assert!(healed.elapsed() < Duration::from_secs(3), "{:?}", healed.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_and_comes_back_goes_on_where_it_was() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { direct, mut watch, link: _link, through: _through } = behind(&etcd).await;
    for round in 0..3 {
        let value = format!("{round}");
        let new = if round == 0 { " (new)" } else { "" };
        etcd.kill();
        assert_eq!(shown(&until(&mut watch, is_lost).await), ["Lost"]);
        etcd.restart();
        direct.put("k", value.clone()).await.unwrap();
        let told = shown(&until(&mut watch, has("k")).await);
        assert_eq!(told, ["Resumed".to_string(), format!("put k={value}{new}")]);
    }
}

/// Three seconds, and some time for a busy machine.
const NOTICED: Duration = Duration::from_millis(3200);

/// The time counts from the last event, wherever that comes between two progress requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_amid_events_is_noticed_in_three_seconds() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { direct, mut watch, link: _link, through: _through } = behind(&etcd).await;
    for late in [150, 450, 750] {
        let until_then = Instant::now() + Duration::from_millis(2000 + late);
        while Instant::now() < until_then {
            direct.put("k", "v").await.unwrap();
            until(&mut watch, has("k")).await;
        }
        etcd.pause();
        let began = Instant::now();
        until(&mut watch, is_lost).await;
        let noticed = began.elapsed();
        etcd.resume();
        direct.put("l", "v").await.unwrap();
        until(&mut watch, has("l")).await;
        assert!(noticed < NOTICED, "{noticed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_noticed_in_three_seconds() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { direct, mut watch, link: _link, through: _through } = behind(&etcd).await;
    etcd.pause();
    let began = Instant::now();
    assert_eq!(shown(&until(&mut watch, is_lost).await), ["Lost"]);
    let noticed = began.elapsed();
    etcd.resume();
    direct.put("k", "1").await.unwrap();
    let back = Instant::now();
    assert_eq!(shown(&until(&mut watch, has("k")).await), ["Resumed", "put k=1 (new)"]);
    println!("noticed after {noticed:.1?}, back after {:.1?}", back.elapsed());
    assert!(noticed < NOTICED, "{noticed:?}");
    assert!(back.elapsed() < Duration::from_secs(3), "{:?}", back.elapsed());
}

/// A connection is not dead while other requests are answered, however late.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_no_dead_connection() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, direct, through, mut watch } = behind(&etcd).await;
    assert_eq!(link.connections(), 2);
    link.slow(Duration::from_millis(400));
    for i in 0..2 {
        let mut another = through.watch([""], WatchOptions::default()).await.unwrap();
        until(&mut another, is_end).await;
        direct.put("k", format!("{i}")).await.unwrap();
        assert_eq!(shown(&until(&mut another, has("k")).await).len(), 1);
        until(&mut watch, has("k")).await;
        assert_eq!(link.connections(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_link_is_noticed_in_three_seconds() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, direct, through, mut watch } = behind(&etcd).await;
    link.pause();
    let began = Instant::now();
    assert_eq!(shown(&until(&mut watch, is_lost).await), ["Lost"]);
    let noticed = began.elapsed();
    for i in 0..3 {
        direct.put("k", format!("{i}")).await.unwrap();
    }
    link.restore();
    let back = Instant::now();
    assert_eq!(
        shown(&until(&mut watch, |event| shown(std::slice::from_ref(event)) == ["put k=2"]).await),
        ["Resumed", "put k=0 (new)", "put k=1", "put k=2"]
    );
    println!("noticed after {noticed:.1?}, back after {:.1?}", back.elapsed());
    assert!(noticed < NOTICED, "{noticed:?}");
    assert!(back.elapsed() < Duration::from_secs(3), "{:?}", back.elapsed());
    through.put("k", "3").await.unwrap();
    until(&mut watch, has("k")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_in_a_quiet_range_is_not_told_of_losses() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { direct, mut watch, link: _link, through: _through } = behind(&etcd).await;
    let quiet = tokio::time::timeout(Duration::from_secs(9), watch.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    direct.put("k", "1").await.unwrap();
    assert_eq!(shown(&[next(&mut watch).await]), ["put k=1 (new)"]);
}

/// A watch on etcd 3.4 that starts at the compaction revision gets neither the deletion that was made there nor an
/// error.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_at_the_compaction_revision_is_not_missed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, direct, mut watch, through: _through } = behind(&etcd).await;
    for round in 0..20 {
        direct.put("k", format!("{round}")).await.unwrap();
        until(&mut watch, has("k")).await;
        link.cut();
        until(&mut watch, is_lost).await;
        // The first change that the watch has not seen.
        direct.delete("k").await.unwrap();
        let newest = direct.store().revision().await.unwrap();
        direct.store().compact(newest).await.unwrap();
        link.restore();
        let told = shown(&until(&mut watch, is_end).await);
        assert_eq!(told, ["Resumed", "begin * Compacted", "item first=0", "item live=0", "end *"], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_compacted_behind_a_watch_that_is_well_changes_nothing() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { direct, mut watch, link: _link, through: _through } = behind(&etcd).await;
    for i in 0..10 {
        direct.put("k", format!("{i}")).await.unwrap();
        let newest = direct.store().revision().await.unwrap();
        direct.store().compact(newest).await.unwrap();
        assert_eq!(shown(&until(&mut watch, has("k")).await).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_when_a_half_open_link_is_whole_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, through, direct: _direct, watch: _watch } = behind(&etcd).await;
    link.pause();
    let error = through.put("k", "1").await.unwrap_err();
    assert!(error.to_string().contains("no answer"), "{error}");
    link.restore();
    let began = Instant::now();
    while through.put("k", "2").await.is_err() {
        assert!(began.elapsed() < SOON);
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// A proxy whose connections can be lost for good: they stay silent, even when new ones work again.
struct Hole {
    addr: SocketAddr,
    swallows: watch::Sender<bool>,
    swallowed: Arc<AtomicUsize>,
}

async fn hole(to: SocketAddr) -> Hole {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (swallows, swallowed) = (watch::Sender::new(false), Arc::<AtomicUsize>::default());
    let (state, count) = (swallows.subscribe(), swallowed.clone());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (mut state, count) = (state.clone(), count.clone());
            tokio::spawn(async move {
                if !*state.borrow() {
                    let mut server = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => return,
                        _ = state.wait_for(|swallows| *swallows) => {}
                    }
                } else {
                    count.fetch_add(1, Relaxed);
                }
                // The connection stays open, but nothing is read from it.
                std::future::pending::<()>().await;
            });
        }
    });
    Hole { addr, swallows, swallowed }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dead_for_good_is_not_waited_for() {
    require!(Etcd);
    let etcd = Etcd::start();
    let hole = hole(etcd.addr()).await;
    let direct = kv(etcd.endpoint()).await;
    let through = kv(hole.addr.to_string()).await;
    let mut watch = through.watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    hole.swallows.send_replace(true);
    until(&mut watch, is_lost).await;
    // An attempt has just begun on a connection that will stay silent forever.
    let before = hole.swallowed.load(Relaxed);
    let _ = soon("an attempt", async || hole.swallowed.load(Relaxed), |count| *count > before + 1).await;
    hole.swallows.send_replace(false);
    let began = Instant::now();
    direct.put("p/k", "1").await.unwrap();
    until(&mut watch, has("p/k")).await;
    let took = began.elapsed();
    println!("back after {took:.1?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    through.put("p/k", "2").await.unwrap();
}
