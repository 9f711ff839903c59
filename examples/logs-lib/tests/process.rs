//! Tests of the examples as processes, as their users run them.

use cninfra_testbed::{Program, request};
use std::io::{Read as _, Write as _};

#[test]
fn basic_logs_what_its_levels_let_through() {
    let ended = Program::new(env!("CARGO_BIN_EXE_basic")).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = [
        "DEBUG observer: the observer has come to the beach (logs-lib/src/bin/basic.rs:",
        "INFO  observer: a group comes out of the water animal=walrus count=12 (",
        "WARN  observer: the group has grown omen=true (",
        "ERROR observer: the ice does not hold temperature=-4 (",
        "INFO  observer: the watch has changed shift=night (",
        "ERROR observer.radio: calls for help shift=night (",
        "INFO  observer: logger observer level=debug (",
        "INFO  observer: logger observer.radio level=debug (",
    ];
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{}", ended.stderr);
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part) && line.ends_with("agent=beach"), "`{part}`: {line}");
    }
}

#[test]
fn custom_has_the_form_of_the_predecessors_example() {
    let ended = Program::new(env!("CARGO_BIN_EXE_custom")).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<_> = ended.stderr.lines().collect();
    let [debug, warn, error] = lines[..] else { panic!("{}", ended.stderr) };
    assert!(
        debug.starts_with("DEBUG componentXY ") && debug.ends_with(" answer=42, message=\"looks around\""),
        "{debug}"
    );
    assert!(warn.starts_with("WARN componentXY ") && warn.contains(" what=\"a shadow\", "), "{warn}");
    assert!(error.starts_with("ERROR componentXY ") && error.contains(" code=1, fatal=true, "), "{error}");
}

#[test]
fn http_lists_and_sets_levels() {
    let mut program = Program::new(env!("CARGO_BIN_EXE_http")).arg("127.0.0.1:0").start();
    let line = program.wait_for("server: listens");
    let addr: std::net::SocketAddr = line.split("addr=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let list = request(addr, "GET", "/list");
    assert_eq!(list.status, 200);
    assert!(list.body.contains(r#"{"name":"worker","level":"info","source":"default"}"#), "{}", list.body);
    let set = request(addr, "PUT", "/set/worker/DEBUG");
    let expected = r#"{"name":"worker","level":"debug","source":"runtime","rule":"worker"}"#;
    assert_eq!((set.status, set.body.as_str()), (200, expected));
    program.wait_for("DEBUG worker: looks for work");
    let wrong = request(addr, "PUT", "/set/worker/loud");
    assert_eq!(
        (wrong.status, wrong.body.as_str()),
        (400, r#"{"error":"`loud` is not a level: write trace, debug, info, warn or error"}"#)
    );
    // A port in use is reported in plain words.
    let second = Program::new(env!("CARGO_BIN_EXE_http")).arg(&addr.to_string()).run();
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("error: another process listens on {addr}")), "{}", second.stderr);
    // A request that has begun is answered.
    let mut half = std::net::TcpStream::connect(addr).unwrap();
    half.write_all(b"GET /list HTTP/1.1\r\nHost: x\r\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    program.signal("INT");
    program.wait_for("server: drains");
    half.write_all(b"\r\n").unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let ended = program.wait();
    assert!(ended.code == Some(0) && ended.stderr.contains("server: is done"), "{}", ended.stderr);
}
