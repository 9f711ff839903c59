//! Tests of the programs as processes, with real Redis servers.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Ended, Folder, Program, Redis, RedisCluster, RedisOptions, RedisSentinel, require};
use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
};

const SIMPLE: &str = env!("CARGO_BIN_EXE_simple");
const AIRPORT: &str = env!("CARGO_BIN_EXE_airport");

/// A sample file of the example, with its addresses replaced by those of real servers.
fn sample(text: &str, own: &[&str], real: &[SocketAddr]) -> String {
    assert_eq!(own.len(), real.len());
    own.iter().zip(real).fold(text.to_string(), |text, (own, real)| {
        assert!(text.contains(own), "{own} is not in {text}");
        text.replace(own, &real.to_string())
    })
}

fn node(redis: &Redis) -> String {
    sample(include_str!("../node-client.yaml"), &["localhost:6379"], &[redis.addr()])
}

fn program(path: &str, flag: &str, config: &str, arguments: &[&str]) -> Program {
    let program = Program::new(path).file("client.yaml", config).arg(flag).arg("client.yaml");
    arguments.iter().fold(program, |program, argument| program.arg(argument))
}

fn run(path: &str, flag: &str, config: &str, arguments: &[&str]) -> Ended {
    program(path, flag, config, arguments).run()
}

const SHOWN: &str = "\
Watching  {simple}/key
Putting  key1=val 1
Watch:  put key1=val 1
Putting  key2=val 2
Watch:  put key2=val 2
Putting  key3=val 3, for 1s
Watch:  put key3=val 3
Waiting for the end of  key3
Watch:  deleted key3
Got  key1=val 1
Got  key2=val 2
There is no  key3
There is no  key
Keys with  key: key1, key2
Values with  key: key1=val 1, key2=val 2
Putting  iterator-1 to iterator-100
Iterated over 100 keys with  iterator-
Iterated over 100 values with  iterator-
Deleted 2 keys with  key
Watch:  deleted key1
Watch:  deleted key2
Deleted 100 keys with  iterator-
Keys with  key: \n\
Values with  key: \n\
Putting  key100=val 100
Watch:  put key100=val 100
Putting  key101 to key104, and deleting  key100, in one transaction
Watch:  deleted key100
Watch:  put key101=val 101
Watch:  put key102=val 102
Watch:  put key103=val 103
Watch:  put key104=val 104
Keys with  key: key101, key102, key103, key104
Values with  key: key101=val 101, key102=val 102, key103=val 103, key104=val 104
Deleted 4 keys with  key
Watch:  deleted key101
Watch:  deleted key102
Watch:  deleted key103
Watch:  deleted key104
Closing the connection
The watch has ended
A call fails:  ";

/// Asserts the whole output, up to the text of the last error.
fn shows_all(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let (shown, error) = ended.stdout.split_once("A call fails:  ").unwrap_or_else(|| panic!("{}", ended.stdout));
    assert_eq!(format!("{shown}A call fails:  "), SHOWN);
    assert!(error.contains("{simple}/key1") && error.contains("closed"), "{error}");
}

#[test]
fn all_calls_are_shown_on_a_single_redis() {
    require!(Redis);
    // By default, Redis does not publish changes.
    let redis = RedisOptions::default().notify("").start();
    redis.call(&["SET", "key1", "of somebody else"]);
    // Left over from an interrupted run.
    redis.call(&["SET", "{simple}/key1", "val 1"]);
    shows_all(&run(SIMPLE, "--redis-config", &node(&redis), &[]));
    assert_eq!(redis.call(&["KEYS", "*"]).list().len(), 1);
    // With a single dash, too, like the predecessor's flags.
    let flags: [&[&str]; 2] = [
        &["--cfg", "--debug", "--debug-iterator", "--prefix", "other/"],
        &["-redis-config", "-debug", "-debug-iterator", "-prefix=other/"],
    ];
    for flags in flags {
        let ended = run(SIMPLE, flags[0], &node(&redis), &flags[1..]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.starts_with("Watching  other/key\n"), "{}", ended.stdout);
        assert!(ended.stdout.contains("\titerator-100\n") && ended.stdout.contains("\titerator-100=val 100\n"));
        assert!(ended.stderr.contains(&format!("is connected to {}", redis.addr())), "{}", ended.stderr);
    }
}

#[test]
fn all_calls_are_shown_on_one_with_sentinels() {
    require!(RedisSentinel);
    let redis = RedisSentinel::start();
    let own = ["localhost:26379", "localhost:26380", "localhost:26381"];
    let config = sample(include_str!("../sentinel-client.yaml"), &own, &redis.sentinel_addrs());
    shows_all(&run(SIMPLE, "--redis-config", &config, &[]));
}

#[test]
fn all_calls_are_shown_on_a_cluster() {
    require!(RedisCluster);
    let redis = RedisCluster::start();
    let nodes: Vec<_> = redis.nodes().iter().map(|node| node.addr()).collect();
    let own = ["localhost:7000", "localhost:7001", "localhost:7002"];
    let config = sample(include_str!("../cluster-client.yaml"), &own, &nodes);
    shows_all(&run(SIMPLE, "--redis-config", &config, &[]));
}

/// The number after this text.
fn number(text: &str, before: &str) -> u64 {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no `{before}` in {text}"));
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// The number of keys that match this pattern, in Redis itself.
fn keys(redis: &Redis, pattern: &str) -> usize {
    redis.call(&["KEYS", pattern]).list().len()
}

#[test]
fn planes_arrive_stay_depart_and_are_counted_over_an_outage() {
    require!(Redis);
    let redis = RedisOptions::default().notify("").start();
    redis.call(&["SET", "other", "v"]);
    redis.call(&["SET", "{airport}/hangar/XX1", "of a run that was broken off"]);
    let mut airport = program(AIRPORT, "--redis-config", &node(&redis), &[]).start();
    airport.wait_for_output("hangar 1");
    assert!(keys(&redis, "{airport}/hangar/*") > 0 && keys(&redis, "{airport}/stay/*") > 0);
    assert_eq!(keys(&redis, "*/hangar/XX1"), 0);
    airport.wait_for_output("departed 1");
    // Planes whose time in the hangar ends meanwhile depart as well.
    redis.kill();
    std::thread::sleep(std::time::Duration::from_secs(3));
    redis.restart();
    airport.wait_for_output("departed 5");
    airport.signal("INT");
    let ended = airport.wait();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let (_, end) = ended.stdout.split_once("Stop requested ...\n").unwrap();
    let [arrived, landed, departed, removed] =
        ["arrived ", "landed ", "departed ", "Removed "].map(|what| number(end, what));
    assert_eq!(arrived, departed + removed, "{}\n{}", ended.stdout, ended.stderr);
    assert!(arrived >= landed && landed >= departed && departed >= 5, "{end}");
    let parts: u64 = ["arrival ", "runway ", "hangar ", "departure "].map(|part| number(end, part)).iter().sum();
    assert_eq!(parts, removed, "{end}");
    // Nothing is left, and nothing else was changed.
    let left = redis.call(&["KEYS", "*"]);
    assert_eq!(left.list().iter().filter_map(|key| key.text()).collect::<Vec<_>>(), ["other"]);
}

#[test]
fn on_a_terminal_the_status_is_one_line() {
    require!(Redis);
    let redis = Redis::start();
    let airport = format!("timeout --preserve-status -s INT 3 {AIRPORT} --cfg client.yaml --debug");
    // In a terminal.
    let program = Program::new("/usr/bin/script").env("PATH", "/usr/bin:/bin").file("client.yaml", &node(&redis));
    let ended = program.arg("-qec").arg(&airport).arg("/dev/null").run();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("\r\x1b[Karrival "), "{}", ended.stdout);
    assert!(ended.stdout.contains("Removed "), "{}", ended.stdout);
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = run(SIMPLE, "--redis-config", "endpoit: 127.0.0.1:1\n", &[]);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("client.yaml:1") && wrong.stderr.contains("endpoint"), "{}", wrong.stderr);
    for path in [SIMPLE, AIRPORT] {
        let dead = run(path, "--redis-config", "endpoint: 127.0.0.1:1\ndial-timeout: 500ms\n", &[]);
        assert_eq!(dead.code, Some(1), "{}", dead.stderr);
        assert!(dead.stderr.contains("127.0.0.1:1"), "{}", dead.stderr);
        // All keys below the prefix are deleted in the end, so it must not be empty.
        let all = run(path, "--redis-config", "endpoint: 127.0.0.1:1\n", &["--prefix", ""]);
        assert_eq!(all.code, Some(2), "{}", all.stderr);
    }
}

#[test]
fn a_redis_that_tells_nobody_of_changes_is_refused_with_the_mend() {
    require!(Redis);
    let redis = RedisOptions::default().notify("").start();
    for path in [SIMPLE, AIRPORT] {
        let ended = run(path, "--redis-config", &format!("endpoint: {}\n", redis.addr()), &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stderr.contains("enable-notifications"), "{}", ended.stderr);
    }
}

#[test]
fn who_is_read_by_nobody_ends_in_order() {
    require!(Redis);
    let (redis, folder) = (Redis::start(), Folder::new());
    let config = folder.path().join("client.yaml");
    fs::write(&config, node(&redis)).unwrap();
    // The airport would run until Ctrl-C.
    for path in [SIMPLE, AIRPORT] {
        let mut program = Command::new(path);
        program.arg("--redis-config").arg(&config).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        drop(program.stdout.take());
        let ended = program.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*said), (Some(0), ""), "{path}");
        assert_eq!(redis.call(&["KEYS", "*"]).list().len(), 0, "{path}");
    }
}
