//! The conformance kit with a plugin that talks to a server: one that keeps its contract passes, and each violation is
//! found.

mod lines;
mod server;

use cninfra::{
    config::Config,
    prelude::*,
    testing::{Conformance, Link, Outside, Violation},
};
use lines::{Lines, QUEUE, Sin, WITHIN};
use server::{PASSWORD, Server};
use std::time::Duration;

#[derive(Flavor)]
struct App {
    lines: Dep<Lines>,
}

/// The expected violations: their points and texts. An empty text allows a violation that follows from the others.
type Expected = &'static [(u8, &'static str)];

fn violations(sin: Sin) -> Vec<Violation> {
    let server = Server::start();
    let link = Link::to(server.addr).unwrap();
    let endpoint = link.addr();
    let make = move || {
        let config = Config::new().set("lines", "endpoint", endpoint).set("lines", "password", PASSWORD);
        Agent::<App>::builder().config(config.set("lines", "sin", sin))
    };
    let call = |app: &App| {
        let lines = app.lines.clone();
        async move { lines.get("key").await }
    };
    let outside = Outside::behind(link, call)
        .call_within(2 * WITHIN)
        .start_within(4 * WITHIN)
        .lost_within(Duration::from_secs(2))
        .back_within(Duration::from_secs(3))
        .queue(QUEUE);
    Conformance::of("lines", make).outside(outside).violations()
}

/// Checks that exactly these violations are found. All cases run in parallel, since they mostly wait.
fn finds(cases: &[(Sin, Expected)]) {
    std::thread::scope(|scope| {
        for (sin, expected) in cases {
            scope.spawn(|| finds_one(*sin, expected));
        }
    });
}

fn finds_one(sin: Sin, expected: Expected) {
    let violations = violations(sin);
    let told: String = violations.iter().map(|violation| format!("{violation}\n")).collect();
    assert!(!told.contains(PASSWORD), "{sin:?}: {told}");
    for (point, said) in expected.iter().filter(|(_, said)| !said.is_empty()) {
        let is_it = |violation: &Violation| violation.point == *point && violation.what.contains(said);
        assert!(violations.iter().any(is_it), "{sin:?}: no `{point}: {said}` in\n{told}");
    }
    // On a busy machine any call may look slow.
    for violation in violations.iter().filter(|violation| !violation.what.contains("kept its thread for")) {
        let is_one_of = |(point, _): &(u8, &str)| *point == violation.point;
        assert!(expected.iter().any(is_one_of), "{sin:?}: {violation} in\n{told}");
    }
}

#[test]
fn one_that_keeps_its_contract_passes() {
    finds(&[(Sin::None, &[])]);
}

#[test]
fn calls_end_by_themselves_and_name_the_server() {
    finds(&[
        (
            Sin::CallsHaveNoLimit,
            &[
                (
                    3,
                    "while the server does not answer: a call does not end within 800ms: give each call to the outside a time-out",
                ),
                (4, "its state is still `ok`"),
            ],
        ),
        (
            Sin::CallsDoNotNameTheServer,
            &[(7, "while the server does not answer: the error of a call does not name the endpoint, 127.0.0.1:")],
        ),
        (
            Sin::CallsNameTheServerOnly,
            &[(
                7,
                "while the server does not answer: the error of a call says who, and not what went wrong: put the cause",
            )],
        ),
        (
            Sin::CallsNameTheServerWell,
            &[(
                7,
                "while the server does not answer: the error of a call says who, and not what went wrong: put the cause",
            )],
        ),
        (
            Sin::CallsPanic,
            &[
                (7, "while the server does not answer: a call panicked: called `Result::unwrap()` on an `Err` value"),
                (7, "panicked: return an error"),
            ],
        ),
        (Sin::CallsBlock, &[(3, "while the server does not answer: a call kept its thread for"), (6, "")]),
    ]);
}

#[test]
fn a_lost_connection_is_reported_and_so_is_its_return() {
    finds(&[
        (
            Sin::StateFlaps,
            &[
                (4, "while the connection is lost: its state goes back to `ok`, within 3s: report"),
                (4, "while the server does not answer: its state goes back to `ok`, within 3s: report"),
            ],
        ),
        // Too short and too rare for polling to notice it.
        (
            Sin::StateFlapsEachSecond,
            &[
                (4, "while the connection is lost: its state goes back to `ok`, within 3s: report"),
                (4, "while the server does not answer: its state goes back to `ok`, within 3s: report"),
            ],
        ),
        (Sin::LossIsNotReported, &[(4, "while the connection is lost: its state is still `ok` after 2s: report")]),
        (
            Sin::LossIsReportedWithoutTheServer,
            &[(4, "while the connection is lost: the reason of its state does not name the endpoint, 127.0.0.1:")],
        ),
        (Sin::StaysLost, &[(6, "a call still fails 3s after the server is back: 127.0.0.1:")]),
        (
            Sin::StaysDegraded,
            &[(
                4,
                "after the connection was lost: its state is still `degraded` 3s after the server is back: report `Ok`",
            )],
        ),
    ]);
}

#[test]
fn an_init_ends_by_itself_under_each_policy_and_comes_up_when_the_server_does() {
    finds(&[
        (
            Sin::InitHasNoLimit,
            &[
                (
                    3,
                    "while the server does not answer: plugin `Lines` was not done with init within 1.6s: give what it waits for",
                ),
                (7, "the reason of its state does not name the endpoint"),
            ],
        ),
        (
            Sin::InitDoesNotNameTheServer,
            &[(
                7,
                "after a start with policy `fail` while the server refuses connections: its error does not name the endpoint",
            )],
        ),
        (
            Sin::StartsWithoutTheServer,
            &[
                (
                    5,
                    "after a start with policy `fail` while the server does not answer: the agent has started: let `init` fail",
                ),
                (7, "a start with policy `ignore` while the server refuses connections: the reason of its state"),
            ],
        ),
        (
            Sin::StartsOnce,
            &[
                (
                    5,
                    "after a start with policy `retry` while the server refuses connections: it does not come up within 3s",
                ),
                (2, "called again"),
            ],
        ),
    ]);
}

#[test]
fn a_close_ends_without_the_server_and_leaves_nothing() {
    finds(&[
        (
            Sin::CloseWaitsForTheServer,
            &[(2, "after a close while the server did not answer: plugin `Lines` was not done with close within 2.5s")],
        ),
        (
            Sin::CloseLeavesATask,
            &[(
                1,
                "after a close while the server did not answer: 1 task still runs that the agent does not know: spawn",
            )],
        ),
    ]);
}

#[test]
fn a_flood_is_bounded_and_loses_nothing() {
    finds(&[
        (
            Sin::QueueHasNoBound,
            &[
                (
                    3,
                    "256 were sent, and 16 may be queued: give the queue a bound, and refuse what is beyond it, or let it wait",
                ),
                (4, "its state is still `ok`"),
            ],
        ),
        (
            Sin::CallsAreTasks,
            &[
                (
                    3,
                    "in a flood of 256 calls that get no answer, there are 256 more tasks, and 16 are allowed: let one task serve",
                ),
                (1, "a task of it still ran when it had closed: `call`"),
            ],
        ),
        (
            Sin::CallsAreLost,
            &[(
                6,
                "in a flood of 256 calls that get no answer, 256 say that all is well, and may be lost: say so when",
            )],
        ),
    ]);
}

#[test]
fn no_secret_of_the_config_is_told() {
    const TOLD: &str = "a secret is told: keep it in a `Secret`, and out of errors, logs and reasons";
    finds(&[(Sin::CallsTellThePassword, &[(7, TOLD)]), (Sin::StateTellsThePassword, &[(7, TOLD)])]);
}
