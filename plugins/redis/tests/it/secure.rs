//! Passwords, users and TLS.

use crate::support::{kv, sentinels, until};
use cninfra::keyval::{Applied, Event, KeyRange, Reason, Txn, WatchOptions};
use cninfra_redis::{RedisConfig, RedisStore, RedisTls};
use cninfra_testbed::{CLIENT, Certs, Folder, Redis, RedisCluster, RedisOptions, RedisSentinel, require};
use std::sync::Arc;

async fn works(config: RedisConfig) {
    let store = RedisStore::connect(config).await.unwrap();
    let all = kv(&store);
    all.delete("p/k").await.unwrap();
    let mut watch = all.watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, |event| matches!(event, Event::SnapshotEnd { .. })).await;
    all.put("p/k", "v").await.unwrap();
    until(&mut watch, |event| matches!(event, Event::Changes { .. })).await;
    assert_eq!(all.get("p/k").await.unwrap().unwrap().value, "v");
    store.close().await.unwrap();
}

async fn fails(config: RedisConfig, secret: &str) -> cninfra::keyval::KvError {
    let error = RedisStore::connect(config).await.unwrap_err();
    assert!(!format!("{error:?}").contains(secret), "{error:?}");
    assert_eq!(error.applied(), Applied::No);
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_or_a_user_is_asked_for() {
    require!(Redis);
    let redis = RedisOptions::default().password("hunter2").user("agent", "on >hunter3 ~* &* +@all").start();
    let config = |user: Option<&str>, password: &str| RedisConfig {
        username: user.map(ToString::to_string),
        password: password.to_string().into(),
        ..RedisConfig::at(redis.addr().to_string())
    };
    works(config(None, "hunter2")).await;
    works(config(Some("agent"), "hunter3")).await;
    for wrong in [config(None, "hunter9"), config(Some("agent"), "hunter9"), config(Some("nobody"), "hunter9")] {
        let error = fails(wrong, "hunter9").await;
        assert_eq!(*error.reason(), Reason::Denied, "{error:?}");
        assert!(error.help().unwrap().contains("password"), "{error:?}");
    }
    let error = fails(config(None, ""), "hunter2").await;
    assert_eq!(*error.reason(), Reason::Denied, "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_may_not_do_is_told() {
    require!(Redis);
    let redis = RedisOptions::default().user("agent", "on >secret ~mine/* &* +@all").start();
    let mut config = RedisConfig::at(redis.addr().to_string());
    (config.username, config.password) = (Some("agent".to_string()), "secret".to_string().into());
    let store = RedisStore::connect(config).await.unwrap();
    kv(&store).put("mine/k", "v").await.unwrap();
    let error = kv(&store).put("others/k", "v").await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::No), "{error:?}");
    assert!(error.to_string().contains("others/k") && error.help().unwrap().contains("ACL"), "{error:?}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_with_whom_is_trusted() {
    require!(Redis);
    let (certs, others) = (Arc::new(Certs::new()), Certs::new());
    let redis = RedisOptions::default().tls(&certs).start();
    let config = |tls| RedisConfig { tls, ..RedisConfig::at(redis.addr().to_string()) };
    let trusting = |certs: &Certs| RedisTls { enabled: true, ca_file: Some(certs.ca()), ..RedisTls::default() };
    works(config(trusting(&certs))).await;
    for wrong in [trusting(&others), RedisTls { enabled: true, ..RedisTls::default() }, RedisTls::default()] {
        let error = fails(config(wrong.clone()), "no secret").await;
        assert!(error.help().unwrap().contains("`tls`"), "{wrong:?}: {error:?}");
        assert!(error.to_string().contains(&redis.addr().to_string()), "{error:?}");
    }
    let none = RedisTls { enabled: true, ca_file: Some("/no/such/file".into()), ..RedisTls::default() };
    let error = fails(config(none), "no secret").await;
    assert!(error.help().unwrap().contains("`tls.ca-file`"), "{error:?}");
    let folder = Folder::new();
    folder.write("empty.pem", "");
    let empty = RedisTls { enabled: true, ca_file: Some(folder.path().join("empty.pem")), ..RedisTls::default() };
    let error = fails(config(empty), "no secret").await;
    let help = error.help().unwrap();
    assert!(help.contains("`tls.ca-file`") && help.contains("empty.pem"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_shows_its_certificate() {
    require!(Redis);
    let certs = Arc::new(Certs::new());
    let redis = RedisOptions::default().mutual_tls(&certs).start();
    let without = RedisTls { enabled: true, ca_file: Some(certs.ca()), ..RedisTls::default() };
    let tls = RedisTls { cert_file: Some(certs.client()), key_file: Some(certs.client_key()), ..without.clone() };
    works(RedisConfig { tls, ..RedisConfig::at(redis.addr().to_string()) }).await;
    fails(RedisConfig { tls: without, ..RedisConfig::at(redis.addr().to_string()) }, CLIENT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_with_each_node_of_a_cluster() {
    require!(RedisCluster);
    let certs = Certs::new();
    let redis = RedisCluster::with_tls(&certs);
    let tls = RedisTls { enabled: true, ca_file: Some(certs.ca()), ..RedisTls::default() };
    let config = RedisConfig { tls, ..RedisConfig::cluster(redis.tls_endpoints().split(',')) };
    works(config.clone()).await;
    // On all nodes, also after a slot has moved to another one.
    let store = RedisStore::connect(config).await.unwrap();
    let all = kv(&store);
    let slot = redis.slot("q/{h}");
    for to in [1, 2, 0].map(|by| (redis.owner(slot) + by) % 3).into_iter().filter(|to| *to != redis.owner(slot)) {
        let migration = redis.begin_migration(slot, to);
        while migration.move_keys(7) > 0 {}
        migration.finish();
        for number in 0..30 {
            all.put(format!("q/{number}"), "v").await.unwrap();
            all.put(format!("q/{{h}}{number}"), "v").await.unwrap();
        }
        assert_eq!(all.list("q/").all().await.unwrap().len(), 60);
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_with_sentinels_and_with_their_masters() {
    require!(RedisSentinel);
    let certs = Certs::new();
    let redis = RedisSentinel::with_tls(&certs);
    let tls = RedisTls { enabled: true, ca_file: Some(certs.ca()), ..RedisTls::default() };
    let endpoints = redis.tls_addrs().iter().map(ToString::to_string).collect();
    let config = RedisConfig { tls, endpoints, ..sentinels(&redis) };
    works(config.clone()).await;
    let before = redis.master().unwrap();
    redis.servers()[before].kill();
    redis.wait_for_failover(before);
    works(config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_with_sentinels_has_its_own_password() {
    require!(RedisSentinel);
    let redis = RedisSentinel::behind(&RedisOptions::default().password("hunter2"), |addr| addr);
    works(RedisConfig { password: "hunter2".to_string().into(), ..sentinels(&redis) }).await;
    let unknown = RedisConfig { master_name: Some("nobody".to_string()), ..sentinels(&redis) };
    let error = fails(unknown, "hunter2").await;
    assert!(format!("{error:?}").contains("knows no master `nobody`"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_half_done_may_have_been_applied() {
    require!(Redis);
    let redis = RedisOptions::default().user("agent", "on >secret ~*/ours allchannels +@all").start();
    let mut config = RedisConfig::at(redis.addr().to_string());
    (config.username, config.password) = (Some("agent".to_string()), "secret".to_string().into());
    let store = RedisStore::connect(config).await.unwrap();
    let all = kv(&store);
    // It is not known which of the two keys is found first.
    for number in 0..20 {
        let keys = ["ours", "others"].map(|key| format!("{number}/{key}"));
        redis.call(&["MSET", &keys[0], "v", &keys[1], "v"]);
        let error = all.delete_prefix(format!("{number}/")).await.unwrap_err();
        assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::Unknown), "{error:?}");
        assert!(error.help().unwrap().contains("1 key"), "{error:?}");
        assert_eq!(redis.call(&["EXISTS", &keys[0]]).number(), Some(0));
    }
    // What a script has written is not rolled back.
    redis.call(&["SET", "s/others", "v"]);
    let txn = Txn::new().put("t/ours", "v").delete_range(KeyRange::prefix("s/"));
    let error = all.commit(txn).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::Unknown), "{error:?}");
    assert_eq!(redis.call(&["GET", "t/ours"]).text(), Some("v"));
    // A script that has written nothing needs no rollback.
    let txn = Txn::new().delete_range(KeyRange::prefix("s/")).put("t/ours", "v");
    let error = all.commit(txn).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::No), "{error:?}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_answer_holds_up_nothing() {
    let folder = Folder::new();
    let pipe = folder.path().join("ca.pem");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let tls = RedisTls { enabled: true, ca_file: Some(pipe.clone()), ..RedisTls::default() };
    let error = fails(RedisConfig { tls, ..RedisConfig::at("127.0.0.1:1") }, "no secret").await;
    assert!(error.help().unwrap().contains("`tls`"), "{error:?}");
    // This ends the blocked read of the pipe.
    std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
}
