//! Concurrent calls are sent together, and each gets its own result.

use crate::support::kv;
use cninfra::keyval::{Applied, Kv, Reason};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, require};
use futures_util::future::join_all;
use std::time::Duration;

/// How often the server has executed this command.
fn asked(server: &Redis, command: &str) -> u64 {
    let stats = server.cli(&["INFO", "commandstats"]).unwrap();
    let calls = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}

async fn put_all(kv: &Kv<RedisStore>, keys: &[String]) -> Vec<Result<(), cninfra::keyval::KvError>> {
    join_all(keys.iter().map(async |key| kv.put(key, format!("value of {key}")).await.map(drop))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_at_once_goes_out_together() {
    require!(Redis);
    let server = Redis::start();
    let store = RedisStore::connect(RedisConfig::at(server.addr().to_string())).await.unwrap();
    let kv = kv(&store);
    let keys: Vec<String> = (0..100).map(|number| format!("k/{number}")).collect();
    for round in 0..10 {
        assert!(put_all(&kv, &keys).await.iter().all(Result::is_ok), "in round {round}");
    }
    server.cli(&["HSET", "k/hash", "field", "1"]).unwrap();
    for _ in 0..10 {
        let absent = (0..10).map(|number| format!("none/{number}"));
        let all: Vec<String> = keys.iter().cloned().chain(absent).chain(["k/hash".to_string()]).collect();
        for (key, got) in all.iter().zip(join_all(all.iter().map(|key| kv.get(key))).await) {
            match &**key {
                "k/hash" => assert_eq!(*got.unwrap_err().reason(), Reason::Malformed),
                key if key.starts_with("none/") => assert!(got.unwrap().is_none(), "{key}"),
                key => assert_eq!(got.unwrap().unwrap().value, format!("value of {key}")),
            }
        }
    }
    let (alone, together) = (asked(&server, "set"), asked(&server, "mset"));
    assert!(alone + together < 500 && together > 0, "{alone} alone, {together} together, of 1000 writes");
    let (alone, together) = (asked(&server, "get"), asked(&server, "mget"));
    assert!(alone + together < 500 && together > 0, "{alone} alone, {together} together, of 1110 reads");
    store.close().await.unwrap();
}

/// On one thread all calls of a burst have come before anything is sent.
#[tokio::test]
async fn each_burst_is_one_call_of_the_server() {
    require!(Redis);
    let server = Redis::start();
    let store = RedisStore::connect(RedisConfig::at(server.addr().to_string())).await.unwrap();
    let kv = kv(&store);
    let keys: Vec<String> = (0..64).map(|number| format!("k/{number}")).collect();
    for _ in 0..10 {
        assert!(put_all(&kv, &keys).await.iter().all(Result::is_ok));
    }
    for _ in 0..10 {
        assert!(join_all(keys.iter().map(|key| kv.get(key))).await.iter().all(Result::is_ok));
    }
    let [alone, together] = ["set", "mset"].map(|command| asked(&server, command));
    // The first call of the first burst came alone. The probes of the connection are calls too.
    assert!(alone <= 1 && together == 10, "{alone} alone, {together} together, of ten times 64 writes");
    assert_eq!((asked(&server, "get"), asked(&server, "mget")), (0, 10));
    // Sequential calls are sent alone again, except for the first one.
    for key in &keys {
        kv.put(key, "v").await.unwrap();
    }
    let (alone, together) = (asked(&server, "set") - alone, asked(&server, "mset") - together);
    assert!(alone + together == 64 && together <= 8, "{alone} alone, {together} together, of 64 writes one by one");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_may_not_is_told_to_him_alone() {
    require!(Redis);
    let server = Redis::start();
    server.cli(&["ACL", "SETUSER", "u", "on", ">hunter2", "~ok/*", "&*", "+@all"]).unwrap();
    server.cli(&["ACL", "SETUSER", "v", "on", ">hunter2", "~*", "&*", "+@all", "-mget", "-mset"]).unwrap();
    let of = |user: &str| RedisConfig {
        username: Some(user.into()),
        password: "hunter2".to_string().into(),
        ..RedisConfig::at(server.addr().to_string())
    };
    for user in ["u", "v"] {
        let store = RedisStore::connect(of(user)).await.unwrap();
        let kv = kv(&store);
        let keys: Vec<String> =
            (0..40).map(|number| format!("{}/{number}", if number == 7 { "no" } else { "ok" })).collect();
        for (number, put) in put_all(&kv, &keys).await.into_iter().enumerate() {
            match put {
                Err(error) if user == "u" && number == 7 => {
                    assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::No));
                    assert!(error.to_string().contains("no/7"), "{error}");
                }
                put => put.unwrap(),
            }
        }
        let got = join_all(keys.iter().filter(|key| key.starts_with("ok/")).map(|key| kv.get(key))).await;
        assert!(got.iter().all(|got| got.as_ref().is_ok_and(Option::is_some)), "{got:?}");
        // A key that the user may not read does not prevent calls from being sent together.
        assert_eq!(asked(&server, "mget") > 0, user == "u");
        server.cli(&["CONFIG", "RESETSTAT"]).unwrap();
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_told_what_became_of_it_where_the_server_dies() {
    require!(Redis);
    let server = Redis::start();
    let config =
        RedisConfig { write_timeout: Duration::from_millis(500).into(), ..RedisConfig::at(server.addr().to_string()) };
    let store = RedisStore::connect(config).await.unwrap();
    let kv = kv(&store);
    let keys: Vec<String> = (0..100).map(|number| format!("k/{number}")).collect();
    server.pause();
    let putting = put_all(&kv, &keys);
    let (put, ()) = tokio::join!(putting, async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.kill();
    });
    // Those that were sent may have been applied. Those that were not sent were not applied.
    assert!(put.iter().all(Result::is_err));
    let unknown = put.iter().filter(|put| put.as_ref().is_err_and(|error| error.applied() == Applied::Unknown)).count();
    assert!(unknown > 0, "{put:?}");
    server.restart();
    crate::support::eventually("well", async || kv.put("k", "v").await.is_ok()).await;
    store.close().await.unwrap();
}
