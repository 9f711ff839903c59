//! Keys that end with the client, when its lease or the server's data is lost.

use crate::support::soon;
use cninfra::{
    keyval::{Expiry, Kv},
    testing::Link,
};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use futures_util::future::try_join_all;
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const TTL: Duration = Duration::from_secs(2);

async fn kv(config: EtcdConfig) -> Kv<EtcdStore> {
    with_ttl(TTL, config).await
}

async fn with_ttl(ttl: Duration, config: EtcdConfig) -> Kv<EtcdStore> {
    Kv::new(Arc::new(EtcdStore::connect(EtcdConfig { session_ttl: ttl.into(), ..config }).await.unwrap()))
}

fn keys(etcd: &Etcd) -> Vec<String> {
    etcd.ctl(&["get", "", "--prefix", "--keys-only"]).split_whitespace().map(str::to_string).collect()
}

/// The server's revisions start again: they are lower than the one at which the key was put.
#[tokio::test(flavor = "multi_thread")]
async fn what_it_has_deleted_itself_in_a_server_that_has_lost_its_data_stays_so() {
    require!(Etcd);
    let etcd = Etcd::start();
    // So long that the lease is not checked meanwhile.
    let one = with_ttl(Duration::from_secs(15), EtcdConfig::at([etcd.endpoint()])).await;
    for _ in 0..20 {
        one.put("filler", "").await.unwrap();
    }
    for key in ["here", "deleted", "again"] {
        one.put_with(key, "1", Expiry::WithClient).await.unwrap();
    }
    etcd.wipe();
    one.delete("deleted").await.unwrap();
    one.put("again", "2").await.unwrap();
    one.delete("again").await.unwrap();
    soon("it is there", async || etcd.get("here"), Option::is_some).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(keys(&etcd), ["here"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_lives_while_many_keys_are_written_again() {
    require!(Etcd);
    const MANY: usize = 400;
    let etcd = Etcd::start();
    let link = Link::to(etcd.addr()).unwrap();
    let one = kv(EtcdConfig::at([link.addr().to_string()])).await;
    try_join_all((0..MANY).map(|i| one.put_with(format!("{i}"), "", Expiry::WithClient))).await.unwrap();
    etcd.wipe();
    link.slow(Duration::from_millis(100));
    soon("they are there", async || keys(&etcd).len(), |there| *there == MANY).await;
    sleep(TTL * 2).await;
    assert_eq!(keys(&etcd).len(), MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_be_written_any_more_holds_up_no_other_one() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.enable_auth("root");
    etcd.add_user("bob", "pw", "a/");
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "b/"]);
    let link = Link::to(etcd.addr()).unwrap();
    let mut config = EtcdConfig::at([link.addr().to_string()]);
    (config.username, config.password) = (Some("bob".to_string()), "pw".to_string().into());
    let one = kv(config).await;
    for key in ["a/1", "b/1"] {
        one.put_with(key, "", Expiry::WithClient).await.unwrap();
    }
    link.cut();
    etcd.ctl(&["role", "revoke-permission", "--prefix=true", "bob", "a/"]);
    soon("the lease ends", async || keys(&etcd), Vec::is_empty).await;
    link.restore();
    soon("it is back", async || keys(&etcd), |keys| *keys == ["b/1"]).await;
    one.put_with("b/2", "", Expiry::WithClient).await.unwrap();
    sleep(TTL * 3).await;
    assert_eq!(keys(&etcd), ["b/1", "b/2"], "the new lease lives on");
    // The permission is granted again.
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "a/"]);
    soon("all are", async || keys(&etcd), |keys| keys.len() == 3).await;
}

/// The lease exists, but not what was written with it later.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_have_that_was_put_back_to_an_older_state_is_written_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    let one = kv(EtcdConfig::at([etcd.endpoint()])).await;
    one.put_with("before", "1", Expiry::WithClient).await.unwrap();
    etcd.kill();
    let (data, backup) = (etcd.data(), etcd.data().with_extension("backup"));
    copy(&data, &backup);
    etcd.restart();
    one.put_with("after", "", Expiry::WithClient).await.unwrap();
    one.put_with("before", "2", Expiry::WithClient).await.unwrap();
    etcd.kill();
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&backup, &data).unwrap();
    etcd.restart();
    assert_eq!(keys(&etcd), ["before"]);
    soon("it is there", async || keys(&etcd), |keys| *keys == ["after", "before"]).await;
    // An older value is replaced by the current one.
    soon("it is mended", async || etcd.get("before"), |value| value.as_deref() == Some("2")).await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The client deletes the keys while they are restored.
#[tokio::test(flavor = "multi_thread")]
async fn what_it_deletes_while_it_is_written_again_stays_deleted() {
    require!(Etcd);
    const MANY: usize = 200;
    let etcd = Etcd::start();
    let link = Link::to(etcd.addr()).unwrap();
    let one = kv(EtcdConfig::at([link.addr().to_string()])).await;
    try_join_all((0..MANY).map(|i| one.put_with(format!("{i:03}"), "", Expiry::WithClient))).await.unwrap();
    etcd.wipe();
    link.slow(Duration::from_millis(100));
    soon("the first ones are there", async || keys(&etcd).len(), |there| *there > 0).await;
    try_join_all((0..MANY).map(|i| one.delete(format!("{i:03}")))).await.unwrap();
    // Not even for a moment: a key that was restored after its delete would be seen here before it is taken back.
    let until = Instant::now() + TTL * 2;
    while Instant::now() < until {
        assert_eq!(keys(&etcd), [""; 0]);
        sleep(Duration::from_millis(5)).await;
    }
}
