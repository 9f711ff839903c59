//! Tests of what the example prints, as a process with a real Redis.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Ended, Program, Redis, require};

/// The config file of the example.
const SAMPLE: &str = include_str!("../redis.conf");

fn run(config: Option<String>, arguments: &[&str]) -> Ended {
    let mut program = Program::new(env!("CARGO_BIN_EXE_redis-plugin"));
    if let Some(text) = config {
        program = program.file("redis.conf", &text);
    }
    arguments.iter().fold(program, |program, argument| program.arg(argument)).run()
}

fn at(redis: &Redis) -> Option<String> {
    let config = SAMPLE.replace("localhost:6379", &redis.addr().to_string());
    assert_ne!(config, SAMPLE);
    Some(config)
}

/// The keys that it lists, sorted.
fn listed(ended: &Ended) -> Vec<&str> {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let keys = ended.stderr.lines().filter(|line| line.contains("found a key"));
    let mut keys: Vec<_> =
        keys.map(|line| line.split("key=").nth(1).and_then(|key| key.split_once(" (")).unwrap().0).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn keys_are_listed_by_their_prefix() {
    require!(Redis);
    let redis = Redis::start();
    for key in ["/vnf-agent/a/1", "/vnf-agent/b/2", "other"] {
        redis.call(&["SET", key, "v"]);
    }
    let all = run(at(&redis), &[]);
    assert_eq!(listed(&all), ["/vnf-agent/a/1", "/vnf-agent/b/2", "other"], "{}", all.stderr);
    assert!(!all.stderr.contains("there are more") && !all.stderr.contains("interrupted"), "{}", all.stderr);
    let some = run(at(&redis), &["--list-prefix", "/vnf-agent/"]);
    assert_eq!(listed(&some), ["/vnf-agent/a/1", "/vnf-agent/b/2"], "{}", some.stderr);
    let few = run(at(&redis), &["--set", "lister.most=2"]);
    assert_eq!(listed(&few).len(), 2, "{}", few.stderr);
    assert!(few.stderr.contains("there are more"), "{}", few.stderr);
}

#[test]
fn without_a_config_it_says_what_is_missing() {
    let ended = run(None, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("`endpoint`") && ended.stderr.contains("redis.conf"), "{}", ended.stderr);
}
