//! Tests of the example as a process, as its users run it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Ended, Program};
use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_logs-plugin");

fn program() -> Program {
    Program::new(PROGRAM).env("MICROSERVICE_LABEL", "me")
}

fn run(program: Program) -> Ended {
    let ended = program.run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    ended
}

/// The lines of the example that are in the log.
fn lines(program: Program) -> Vec<&'static str> {
    let log = run(program).stderr;
    let all = [
        "DEBUG logs-example: Debug log example",
        "INFO  logs-example: Info log example",
        "WARN  logs-example: Warn log example",
        "ERROR logs-example: Error log example",
        "WARN  logs-example: Warn log example with fields peer=10.0.0.1:2379 attempt=3 (logs-plugin/src/main.rs:",
        "INFO  logs-example.child: Child info log example session=7 (logs-plugin/src/main.rs:",
        "DEBUG logs-example.child: Child debug log example",
        "TRACE logs-example: Trace log example, for a while",
        "TRACE logs-example: never seen",
        "INFO  logs-example: Stopping agent...",
        "INFO  agent: stopped in order",
    ];
    assert!(!log.contains('\x1b'), "no colour off a terminal: {log}");
    all.into_iter().filter(|part| log.lines().any(|line| line.contains(part))).collect()
}

const FROM_INFO: [&str; 8] = [
    "INFO  logs-example: Info log example",
    "WARN  logs-example: Warn log example",
    "ERROR logs-example: Error log example",
    "WARN  logs-example: Warn log example with fields peer=10.0.0.1:2379 attempt=3 (logs-plugin/src/main.rs:",
    "INFO  logs-example.child: Child info log example session=7 (logs-plugin/src/main.rs:",
    "TRACE logs-example: Trace log example, for a while",
    "INFO  logs-example: Stopping agent...",
    "INFO  agent: stopped in order",
];

#[test]
fn the_lines_of_the_predecessor_are_there() {
    // As in the predecessor's file: a logger by its name.
    let file = "loggers:\n  - name: logs-example\n    level: debug\n  - name: defaultLogger\n    level: WARNING\n";
    let lines = lines(program().file("logs.conf", file));
    for part in ["Debug log example", "Info log example", "Warn log example", "Error log example", "Stopping agent..."]
    {
        assert!(lines.iter().any(|line| line.ends_with(part)), "{part}: {lines:?}");
    }
    assert!(!lines.contains(&"INFO  agent: stopped in order"), "its own logger was the default one");
}

#[test]
fn levels_come_from_files_variables_and_flags() {
    assert_eq!(lines(program()), FROM_INFO);
    let conf = include_str!("../logs.conf");
    let of_file = lines(program().file("logs.conf", conf));
    assert!(of_file.contains(&"DEBUG logs-example: Debug log example"), "{of_file:?}");
    assert!(!of_file.iter().any(|line| line.contains("Child")), "{of_file:?}");
    // It applies to all loggers that have no rule of their own.
    let quiet = lines(program().env("INITIAL_LOGLVL", "fatal"));
    assert_eq!(quiet, ["ERROR logs-example: Error log example", "TRACE logs-example: Trace log example, for a while"]);
    let said = lines(program().env("INITIAL_LOGLVL", "error").file("logs.conf", conf));
    assert!(said.contains(&"DEBUG logs-example: Debug log example"), "{said:?}");
    // The variable with names overrides the file, and the flag overrides the variable.
    let named = lines(program().file("logs.conf", conf).env("CNINFRA_LOG", "logs-example*=error"));
    assert!(!named.contains(&"WARN  logs-example: Warn log example"), "{named:?}");
    let flag = program().env("CNINFRA_LOG", "logs-example*=error").arg("--log-levels").arg("*=debug");
    assert!(lines(flag).contains(&"DEBUG logs-example.child: Child debug log example"));
    // A file with another name.
    let other = program().file("mine.yaml", "default-level: debug").arg("--logs-config=mine.yaml");
    assert!(lines(other).contains(&"DEBUG logs-example: Debug log example"));
}

#[test]
fn json_has_an_object_on_each_line() {
    for program in [
        program().env("CNINFRA_LOG_FORMAT", "json"),
        program().arg("--log-format=json"),
        program().file("logs.conf", "format: json"),
    ] {
        let log = run(program).stderr;
        let start = r#"{"time":"20"#;
        assert!(log.lines().all(|line| line.starts_with(start) && line.ends_with('}')), "{log}");
        let fields = log.lines().find(|line| line.contains("with fields")).unwrap();
        let end = r#""agent":"me","peer":"10.0.0.1:2379","attempt":3}"#;
        let middle = r#""level":"warn","logger":"logs-example","msg":"Warn log example with fields","loc":"logs-plugin/src/main.rs:"#;
        assert!(fields.contains(middle) && fields.ends_with(end), "{fields}");
    }
}

#[test]
fn what_is_no_level_ends_it_before_it_begins() {
    for (program, parts) in [
        (program().env("INITIAL_LOGLVL", "loud"), ["variable INITIAL_LOGLVL", "`loud` is not a level"]),
        (program().arg("--log-levels=a b=info"), ["flag --log-levels", "`a b` is not a name or pattern"]),
        (program().file("logs.conf", "loggers:\n - name: a\n   level: off"), ["logs.conf:3:", "not a level"]),
        (
            program().file("logs.conf", "loggers:\n - {name: '', level: info}"),
            ["logs.conf:2:", "not a name or pattern"],
        ),
        (program().file("logs.conf", "hooks: {syslog: {}}"), ["logs.conf:1:1", "`logs.hooks`"]),
        (program().file("logs.conf", "format: xml"), ["logs.conf:1:", "json"]),
        (program().file("logs.conf", "start-policy: retry"), ["logs.conf:1:1", "`logs.start-policy` is unknown"]),
    ] {
        let ended = program.run();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        for part in parts {
            assert!(ended.stderr.contains(part), "`{part}`: {}", ended.stderr);
        }
    }
}

#[test]
fn a_reader_that_has_gone_away_does_not_stop_it() {
    let folder = cninfra_testbed::Folder::new();
    let mut child =
        Command::new(PROGRAM).env_clear().current_dir(folder.path()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("agent"), "{first}");
    // It goes on writing, although nobody reads.
    let until = Instant::now() + Duration::from_secs(20);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(Instant::now() < until, "it does not end"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(status.code(), Some(0), "in order, not by SIGPIPE");
}
