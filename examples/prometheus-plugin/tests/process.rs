//! Tests of the agent as a process, as its users run it.

use cninfra_testbed::{Program, request};

#[test]
fn the_countdown_is_there_until_it_is_over() {
    let mut agent = Program::new(env!("CARGO_BIN_EXE_prometheus-plugin")).env("HTTP_PORT", "0").start();
    let addr = agent.http_addr();
    agent.wait_for("exporter: the countdown is over");
    let answer = request(addr, "GET", "/custom");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let mut lines: Vec<_> = answer.body.lines().collect();
    lines.sort_unstable();
    let expected = [
        "# HELP room_temperature_celsius How warm it is.",
        "# TYPE room_temperature_celsius gauge",
        "room_temperature_celsius{room=\"cellar\"} 12.0",
        "room_temperature_celsius{room=\"kitchen\"} 21.5",
    ];
    assert_eq!(lines, expected);
    agent.signal("TERM");
    assert_eq!(agent.wait().code, Some(0));
}
