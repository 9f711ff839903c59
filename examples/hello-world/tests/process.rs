//! Tests of the agent as a process, as its users run it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::Program;
use std::process::Command;

#[test]
fn it_says_hello_and_goodbye() {
    for signal in ["TERM", "INT"] {
        let mut agent = Program::new(env!("CARGO_BIN_EXE_hello-world")).start();
        agent.wait_for("Hello World!");
        agent.wait_for("started HelloAgent");
        agent.signal(signal);
        agent.wait_for("Goodbye World!");
        agent.wait_for("stopped in order");
        assert_eq!(agent.wait().code, Some(0));
    }
}

#[test]
fn it_takes_no_port() {
    let ended = Program::new(env!("CARGO_BIN_EXE_hello-world")).arg("--http-port").arg("0").run();
    assert!(ended.code == Some(2) && ended.stderr.contains("--http-port"), "{}", ended.stderr);
}

#[test]
fn what_can_not_be_printed_is_told_by_the_agents_logger() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let ended = Command::new(env!("CARGO_BIN_EXE_hello-world")).arg("--graph=json").stdout(full).output().unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(
        ended.status.code() == Some(1) && log.contains("ERROR agent: standard output cannot be written to: "),
        "{log}"
    );
}
