//! Tests of what the example prints, as a process.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Folder, Program};

#[test]
fn what_was_said_is_found_again() {
    let folder = Folder::new();
    let path = folder.path().join("greetings.redb").display().to_string();
    let run = || {
        let agent = Program::new(env!("CARGO_BIN_EXE_kv-store")).arg("--embedded-path").arg(&path).start();
        let ended = agent.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    let first = run();
    assert!(first.contains(r#"b"world" is "Hello, world!", said 1 times"#), "{first}");
    let second = run();
    assert!(second.contains("said 1 times") && second.contains("said 2 times"), "{second}");
}

#[test]
fn a_file_that_is_no_store_is_named() {
    let folder = Folder::new();
    let path = folder.path().join("greetings.redb").display().to_string();
    std::fs::write(&path, "no store").unwrap();
    let agent = Program::new(env!("CARGO_BIN_EXE_kv-store")).arg("--embedded-path").arg(&path).start();
    let ended = agent.wait();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("greetings.redb"), "{}", ended.stderr);
}
