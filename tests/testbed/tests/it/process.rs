//! Tests of what happens to servers if the tests end in an unusual way, and of tests whose servers are not installed.

use crate::is_there;
use cninfra_testbed::{Process, Program, Redis, RedisOptions, require};
use std::{
    panic,
    process::Command,
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_server_ends_with_a_test_that_panics() {
    require!(Redis);
    let pid = panic::catch_unwind(|| {
        let redis = Redis::start();
        panic::panic_any(redis.pid().unwrap());
    });
    assert!(!is_there(*pid.unwrap_err().downcast::<u32>().unwrap()));
}

#[test]
fn a_server_ends_with_the_process_of_its_tests() {
    require!(Redis);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut holder: Process = Program::new(env!("CARGO_BIN_EXE_testbed-holder")).env("PATH", &path).start();
    let line = holder.wait_for("holds ");
    let pid: u32 = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(is_there(pid));
    // SIGKILL: none of its code runs any more.
    drop(holder);
    let until = Instant::now() + Duration::from_secs(10);
    while is_there(pid) && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    let left = is_there(pid);
    if left {
        // Nothing else would end it.
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    }
    assert!(!left);
}

#[test]
fn a_server_outlives_the_thread_that_has_started_it() {
    require!(Redis);
    let redis = thread::spawn(Redis::start).join().unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(redis.call(&["PING"]).text(), Some("PONG"));
}

#[test]
fn a_server_that_does_not_come_up_is_told_with_its_log() {
    require!(Redis);
    let failed = panic::catch_unwind(|| RedisOptions::default().line("nonsense yes").start()).unwrap_err();
    let text = failed.downcast::<String>().unwrap();
    assert!(text.contains("has ended") && text.contains("Bad directive"), "{text}");
}

#[test]
fn on_a_bare_machine_a_test_is_skipped_or_a_failure() {
    // Runs one of these tests without any installed server.
    let alone = |strict: &str| {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "process::a_server_outlives_the_thread_that_has_started_it"]);
        test.env_remove("CI").env("CNINFRA_STRICT", strict).env("PATH", "/nowhere");
        let output = test.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (passed, told, _) = alone("0");
    let line = "SKIPPED: redis: process::a_server_outlives_the_thread_that_has_started_it: redis-server and redis-cli are \
                not installed: run tests/run, or install Debian's redis-server and redis-tools\n";
    assert_eq!((passed, told.as_str()), (true, line));
    let (passed, _, told) = alone("1");
    assert!(!passed && told.contains("redis is needed here: redis-server and redis-cli are not installed"), "{told}");
}
