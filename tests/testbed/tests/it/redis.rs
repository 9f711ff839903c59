//! Tests of Redis: alone, with sentinels, as a cluster.

use crate::{SHORT, is_there};
use cninfra::testing::Link;
use cninfra_testbed::{Certs, Redis, RedisCluster, RedisOptions, RedisSentinel, Reply, require};
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

fn value(text: &str) -> Reply {
    Reply::Value(Some(text.to_string()))
}

#[test]
fn what_is_written_survives_a_kill() {
    require!(Redis);
    let redis = Redis::start();
    let pid = redis.pid().unwrap();
    redis.call(&["SET", "name", "value"]);
    redis.kill();
    assert!(!is_there(pid) && !redis.is_running());
    assert!(redis.try_call(&["PING"], SHORT).is_err());
    redis.restart();
    assert_eq!(redis.call(&["GET", "name"]), value("value"));
    redis.pause();
    assert!(redis.terminate().is_some_and(|status| status.success()));
    redis.restart();
    let pid = redis.pid().unwrap();
    drop(redis);
    assert!(!is_there(pid));
}

#[test]
fn while_it_is_paused_a_call_waits() {
    require!(Redis);
    let redis = Redis::start();
    redis.pause();
    assert_eq!(redis.try_call(&["PING"], SHORT).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    thread::scope(|scope| {
        let call = scope.spawn(|| redis.try_call(&["SET", "name", "value"], Duration::from_secs(20)));
        thread::sleep(SHORT);
        assert!(!call.is_finished());
        redis.resume();
        assert_eq!(call.join().unwrap().unwrap(), Reply::Status("OK".to_string()));
    });
}

#[test]
fn answers_are_read_as_they_are() {
    require!(Redis);
    let redis = RedisOptions::default().notify("").start();
    assert_eq!(redis.call(&["GET", "name"]), Reply::Value(None));
    assert_eq!(redis.call(&["INCR", "number"]).number(), Some(1));
    assert_eq!(redis.call(&["RPUSH", "list", "a\r\nb", ""]).number(), Some(2));
    assert_eq!(redis.call(&["LRANGE", "list", "0", "-1"]).list(), [value("a\r\nb"), value("")]);
    assert!(redis.call(&["NONSENSE"]).is_error());
    assert_eq!(redis.call(&["CONFIG", "GET", "notify-keyspace-events"]).list()[1], value(""));
    let told = Redis::start().call(&["CONFIG", "GET", "notify-keyspace-events"]).list()[1].clone();
    assert!(told.text().is_some_and(|events| events.contains('K') && events.contains('A')), "{told:?}");
}

#[test]
fn users_may_do_what_they_are_allowed_to() {
    require!(Redis);
    let redis = RedisOptions::default().password("secret").user("reader", "on >pass ~mine:* &* +@read").start();
    assert_eq!(redis.call(&["SET", "mine:name", "value"]), Reply::Status("OK".to_string()), "with the password");
    let wrong = redis.cli(&["--user", "reader", "--pass", "wrong", "GET", "mine:name"]);
    assert!(wrong.unwrap_err().contains("WRONGPASS"));
    let read = |key| redis.cli(&["--user", "reader", "--pass", "pass", "GET", key]);
    assert_eq!(read("mine:name"), Ok("value".to_string()));
    assert!(read("others").unwrap_err().contains("NOPERM"));
}

#[test]
fn it_refuses_writes_when_its_memory_is_full() {
    require!(Redis);
    let redis = RedisOptions::default().max_memory(1).start();
    assert!(redis.call(&["SET", "name", "value"]).text().is_some_and(|text| text.starts_with("OOM")));
}

#[test]
fn it_talks_tls() {
    require!(Redis);
    let certs = Arc::new(Certs::new());
    let redis = RedisOptions::default().tls(&certs).start();
    assert!(redis.endpoint().starts_with("rediss://"));
    assert_eq!(redis.cli(&["SET", "name", "value"]), Ok("OK".to_string()));
    assert!(redis.try_call(&["PING"], SHORT).is_err(), "not without TLS");
    redis.restart();
    assert_eq!(redis.cli(&["GET", "name"]), Ok("value".to_string()));

    let mutual = RedisOptions::default().mutual_tls(&certs).start();
    assert_eq!(mutual.cli(&["PING"]), Ok("PONG".to_string()));
    let strangers = Certs::new();
    let [cert, key] = [strangers.client(), strangers.client_key()].map(|path| path.display().to_string());
    assert!(mutual.cli(&["--cert", &cert, "--key", &key, "PING"]).is_err());
}

#[test]
fn sentinels_make_a_master_of_the_replica() {
    require!(RedisSentinel);
    let all = RedisSentinel::start();
    assert_eq!(all.master(), Ok(0));
    let [first, second] = all.servers();
    first.call(&["SET", "name", "value"]);
    first.call(&["WAIT", "1", "5000"]);
    first.kill();
    assert_eq!(all.wait_for_failover(0), 1);
    assert_eq!(second.call(&["GET", "name"]), value("value"));
    assert_eq!(second.call(&["SET", "name", "other"]), Reply::Status("OK".to_string()));
    assert_eq!((all.sentinels().len(), all.sentinel_addrs().len()), (3, 3));
}

#[test]
fn sentinels_go_through_links() {
    require!(RedisSentinel);
    let links = Mutex::new(Vec::new());
    let all = RedisSentinel::behind(&RedisOptions::default(), |addr| {
        let link = Link::to(addr).unwrap();
        let addr = link.addr();
        links.lock().unwrap().push(link);
        addr
    });
    let links = links.into_inner().unwrap();
    links[links.len() - 2].cut();
    assert_eq!(all.wait_for_failover(0), 1);
    assert!(all.servers()[0].is_running(), "only the way to it was cut");
}

#[test]
fn a_slot_moves_from_node_to_node() {
    require!(RedisCluster);
    let cluster = RedisCluster::start();
    let keys: Vec<String> = (0..3).map(|i| format!("{{moved}}:{i}")).collect();
    let slot = cluster.slot("{moved}");
    let from = cluster.owner(slot);
    let to = (from + 1) % 3;
    for key in &keys {
        assert_eq!(cluster.call(key, &["SET", key, key]), Reply::Status("OK".to_string()));
    }
    let elsewhere = cluster.nodes()[to].call(&["GET", &keys[0]]);
    assert!(elsewhere.text().is_some_and(|text| text.starts_with("MOVED")), "{elsewhere:?}");

    let migration = cluster.begin_migration(slot, to);
    assert_eq!((migration.from(), migration.move_keys(1)), (from, 1));
    let answers: Vec<Reply> = keys.iter().map(|key| cluster.nodes()[from].call(&["GET", key])).collect();
    let asked = |reply: &&Reply| reply.text().is_some_and(|text| text.starts_with("ASK"));
    assert_eq!(answers.iter().filter(asked).count(), 1, "{answers:?}");
    migration.finish();

    assert_eq!(cluster.owner(slot), to);
    for key in &keys {
        assert_eq!(cluster.nodes()[to].call(&["GET", key]), value(key));
        for other in (0..3).filter(|node| *node != to) {
            let moved = cluster.nodes()[other].call(&["GET", key]);
            let there = cluster.nodes()[to].addr().to_string();
            assert!(moved.text().is_some_and(|text| text.starts_with("MOVED") && text.ends_with(&there)), "{moved:?}");
        }
    }
    cluster.migrate_slot(slot, from);
    assert_eq!(cluster.owner(slot), from);
}

#[test]
fn a_replica_takes_over_in_a_cluster() {
    require!(RedisCluster);
    let cluster = RedisCluster::with_replicas();
    let slot = cluster.slot("name");
    let primary = cluster.owner(slot);
    cluster.call("name", &["SET", "name", "value"]);
    cluster.nodes()[primary].call(&["WAIT", "1", "5000"]);
    cluster.nodes()[primary].kill();
    assert_eq!(cluster.owner(slot), primary + 3);
    assert_eq!(cluster.call("name", &["GET", "name"]), value("value"));
    cluster.nodes()[primary].restart();
    cluster.wait();
}

#[test]
fn nodes_of_a_cluster_are_announced_with_their_links() {
    require!(RedisCluster);
    let links = Mutex::new(Vec::new());
    let cluster = RedisCluster::behind(&RedisOptions::default(), false, |addr| {
        let link = Link::to(addr).unwrap();
        let addr = link.addr();
        links.lock().unwrap().push(link);
        addr
    });
    let links = links.into_inner().unwrap();
    let links = &links[links.len() - 3..];
    let slot = cluster.slot("name");
    let owner = cluster.owner(slot);
    let moved = cluster.nodes()[(owner + 1) % 3].call(&["GET", "name"]);
    assert_eq!(moved.text(), Some(format!("MOVED {slot} {}", links[owner].addr()).as_str()));
    links[owner].cut();
    // The nodes do not use the links among themselves.
    cluster.wait();
    cluster.migrate_slot(slot, (owner + 1) % 3);
}
