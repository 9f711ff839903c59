//! Tests of the agent as a process, as its users run it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Program, request, request_with};
use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
};

fn agent() -> Program {
    Program::new(env!("CARGO_BIN_EXE_simple-agent"))
}

/// Asserts that it answers, whatever sets its endpoint, and that SIGTERM stops it in order.
fn serves(program: Program) -> String {
    let mut agent = program.start();
    let addr = agent.http_addr();
    agent.wait_for("started SimpleAgent");
    for path in ["/liveness", "/readiness"] {
        let answer = request(addr, "GET", path);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{answer:?}");
        assert!(answer.body.contains(r#""state":1"#) && answer.body.contains(r#"{"name":"greeter","state":1}"#));
        let head = request(addr, "HEAD", path);
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    }
    assert_eq!(request(addr, "GET", "/hello").body, "Hello, agent!\n");
    assert_eq!(request(addr, "GET", "/hello/bob").body, "Hello, bob!\n");
    agent.signal("TERM");
    let ended = agent.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stderr
}

#[test]
fn the_port_comes_from_the_environment() {
    serves(agent().env("HTTP_PORT", "0"));
}

#[test]
fn the_port_comes_from_the_command_line() {
    serves(agent().arg("--http-port").arg("0").env("HTTP_PORT", "1"));
}

#[test]
fn the_endpoint_comes_from_a_file() {
    let log = serves(agent().env("MICROSERVICE_LABEL", "me").file("http.conf", "endpoint: 127.0.0.1:0"));
    assert!(log.contains("listens on 127.0.0.1:") && !log.contains("WARN"), "{log}");
}

#[test]
fn the_endpoint_of_a_higher_layer_goes_over_the_port() {
    let set = || agent().arg("--set=http.endpoint=127.0.0.1:0").file("http.conf", "port: 1");
    let log = serves(set());
    assert!(log.contains("listens on 127.0.0.1:"), "{log}");
    let printed = set().arg("--print-config").run().stdout;
    for line in ["endpoint: \"127.0.0.1:0\"  # flag --set http.endpoint", "port: null  # default"] {
        assert!(printed.contains(line), "{printed}");
    }
    let printed = agent().arg("--print-config").run().stdout;
    assert!(printed.contains("  endpoint: \"0.0.0.0:9191\"  # default\n"), "what holds: {printed}");
    // The port of a higher layer overrides that of the endpoint.
    serves(agent().env("HTTP_PORT", "0").file("http.conf", "endpoint: 127.0.0.1:1"));
}

#[test]
fn the_file_may_be_in_another_folder_and_spelled_as_the_predecessor_did() {
    let folder = cninfra_testbed::Folder::new();
    folder.write("http.conf", "Endpoint: \":0\"\n");
    let path = folder.path().to_string_lossy();
    serves(agent().arg("--config-dir").arg(&path));
    serves(agent().env("CONFIG_DIR", &path));
    // The port overrides that of the file, but not its host.
    folder.write("http.conf", "endpoint: 127.0.0.1:1\n");
    let log = serves(agent().arg("--config-dir").arg(&path).arg("--http-port=0"));
    assert!(log.contains("listens on 127.0.0.1:"), "{log}");
}

#[test]
fn sigterm_and_sigint_stop_it_in_order() {
    for signal in ["TERM", "INT"] {
        let mut agent = agent().env("HTTP_PORT", "0").start();
        agent.wait_for("started SimpleAgent");
        agent.signal(signal);
        let ended = agent.wait();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
        let mut log = ended.stderr.lines();
        for part in [&*format!("SIG{signal}: the agent stops"), "takes no more connections", "stopped in order"] {
            assert!(log.any(|line| line.contains(part)), "`{part}` in its place: {}", ended.stderr);
        }
    }
}

#[test]
fn without_any_endpoint_it_warns_that_it_is_open_to_everybody() {
    // Held, by this test or by another program, so that the agent never opens it to everybody.
    let _held = TcpListener::bind("127.0.0.1:9191");
    let ended = agent().run();
    let warning = "WARN  http: nothing says where to listen: 0.0.0.0:9191, open to everybody who reaches this machine";
    for part in [warning, "set `endpoint` in http.conf", "another process listens on 0.0.0.0:9191"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let said = serves(agent().arg("--http-port=0").arg("--set=http.endpoint=127.0.0.1:9191"));
    assert!(!said.contains("nothing says where"), "{said}");
}

#[test]
fn a_port_in_use_is_told_with_the_mend() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = other.local_addr().unwrap().to_string();
    let ended = agent().file("http.conf", &format!("endpoint: {endpoint}")).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for part in
        [&*format!("another process listens on {endpoint}"), "--http-port, HTTP_PORT or `endpoint` in http.conf"]
    {
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("started"), "{}", ended.stderr);
}

#[test]
fn what_is_not_valid_ends_it_before_it_begins() {
    for (program, parts) in [
        (agent().arg("--nosuch"), &["--nosuch"] as &[_]),
        (agent().arg("surplus"), &["argument 1 is not a flag (it is not shown", "flags begin with two dashes"]),
        (agent().arg("--graph").arg("svg"), &["svg", "mermaid"]),
        (
            agent().arg("--http-port").arg("eighty"),
            &["flag --http-port: key `http.port` takes a whole number from 0 to 65535, not the text `eighty`"],
        ),
        (agent().env("HTTP_PORT", "65536"), &["variable HTTP_PORT: key `http.port` takes", "not `65536`"]),
        (
            agent().file("http.conf", "endpoint: localhost"),
            &["./http.conf:1:11: key `http.endpoint`: ", "such as `localhost:9191`"],
        ),
        (agent().file("http.conf", "endpoint: 9191"), &["./http.conf:1:11: key `http.endpoint`", "in quotes"]),
        (
            agent().file("http.conf", "endpont: localhost:0"),
            &["./http.conf:1:1: key `http.endpont` is unknown", "did you mean `endpoint`? known keys: endpoint, port"],
        ),
        (agent().file("http.conf", "endpoint: [::]:0"), &["http.conf:1:"]),
        (agent().file("http.conf", "just text"), &["http.conf"]),
        (agent().arg("--set").arg("logs.loggers=x"), &["takes a list, not a text", "in a shell in quotes: `'[a, b]'`"]),
        (agent().arg("--set").arg("greeter.limits=x"), &["takes a mapping", "in a shell in quotes: `'{a: 1, b: 2}'`"]),
    ] {
        let ended = program.run();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        for part in parts {
            assert!(ended.stderr.contains(part), "`{part}` in: {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("listens") && !ended.stderr.contains("(after"), "{}", ended.stderr);
    }
}

#[test]
fn the_graph_is_printed_without_a_start() {
    for (format, part) in [
        ("dot", "digraph"),
        ("mermaid", "graph"),
        ("json", "\"plugins\""),
        ("text", "SimpleAgent: 5 plugins on 2 levels"),
    ] {
        // An endpoint that cannot be bound, which would be reported.
        let ended = agent().arg("--graph").arg(format).file("http.conf", "endpoint: 192.0.2.1:1").run();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{format}: {}", ended.stdout);
        // Both of its names, as in `--help`.
        let http = if format == "json" { "\"instance\":\"http\"" } else { "Rest (http)" };
        for part in [part, http, "Rest", "Probe", "Greeter"] {
            assert!(ended.stdout.contains(part), "{format}: {}", ended.stdout);
        }
    }
}

#[test]
fn its_pages_are_for_people_and_for_programs() {
    let mut agent = agent().file("http.conf", "endpoint: 127.0.0.1:0\nread-timeout: 20s").start();
    let addr = agent.http_addr();
    agent.wait_for("started SimpleAgent");
    for (path, part) in [
        ("/agent/graph", "\"flavor\": \"SimpleAgent\""),
        ("/agent/timeline", "\"phase\": \"after_init\""),
        ("/agent/status", "\"ready\": true"),
        ("/agent/config", "\"origin\": \"./http.conf:2:1\""),
    ] {
        let json = request(addr, "GET", path);
        assert_eq!((json.status, json.header("content-type")), (200, Some("application/json")), "{json:?}");
        assert!(json.body.contains(part), "{part}: {}", json.body);
        let page = request_with(addr, "GET", path, "Accept: text/html");
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{page:?}");
        assert!(page.body.contains("aria-current=\"page\"") && page.body.contains("greeter"), "{}", page.body);
    }
    agent.signal("TERM");
    assert_eq!(agent.wait().code, Some(0));
    let mut agent = self::agent().env("HTTP_PORT", "0").file("pages.conf", "enabled: false").start();
    let addr = agent.http_addr();
    assert_eq!(request(addr, "GET", "/agent/status").status, 404);
}

#[test]
fn help_and_version() {
    let help = agent().arg("--help").run();
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for part in ["--http-port", "HTTP_PORT", "--config-dir", "--microservice-label", "--graph", "\nhttp (Rest):\n"] {
        assert!(help.stdout.contains(part), "{}", help.stdout);
    }
    let version = agent().arg("--version").run();
    let lines: Vec<_> = version.stdout.lines().collect();
    assert_eq!((version.code, lines[0]), (Some(0), concat!("simple-agent ", env!("CARGO_PKG_VERSION"))));
    assert!(lines[1].starts_with("cninfra ") && lines[1].contains(" build for "), "{}", version.stdout);
}

#[test]
fn the_file_of_the_probes_has_the_predecessors_names_too() {
    let wrong = "port: x";
    for (program, place) in [
        (agent().file("http-probe.conf", wrong), "http-probe.conf:1:7"),
        (agent().file("other.conf", wrong).env("HTTP_PROBE_CONFIG", "other.conf"), "other.conf:1:7"),
        (agent().file("other.conf", wrong).arg("--http-probe-config=other.conf"), "other.conf:1:7"),
        (agent().file("agent.yaml", "http-probe: {port: x}"), "agent.yaml:1:20"),
    ] {
        let ended = program.arg("--check-config").run();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("{place}: key `probe.port` takes a whole number")), "{}", ended.stderr);
    }
    for (program, told) in [
        (agent().env("HTTP_PROBE_CONFIG", "nosuch"), "variable HTTP_PROBE_CONFIG: there is no file nosuch"),
        (
            agent().file("probe.conf", "port: 1").file("http-probe.conf", "port: 2"),
            "http-probe.conf:1:1: key `probe.port` is also set in ./probe.conf:1:1",
        ),
        (
            agent().env("PROBE_CONFIG", "a.conf").env("HTTP_PROBE_CONFIG", "b.conf"),
            "variables PROBE_CONFIG and HTTP_PROBE_CONFIG name two files of the section `probe`",
        ),
    ] {
        let ended = program.arg("--check-config").run();
        assert!(ended.code == Some(2) && ended.stderr.contains(told), "{}", ended.stderr);
    }
}

#[test]
fn the_address_that_kubernetes_gives_a_service_is_no_port() {
    for protocol in ["tcp", "udp", "sctp"] {
        let address = format!("{protocol}://10.0.0.1:80");
        let log = serves(agent().env("HTTP_PORT", &address).file("http.conf", "endpoint: 127.0.0.1:0"));
        assert!(log.contains("WARN") && log.contains("HTTP_PORT is ignored"), "{log}");
    }
}

#[test]
fn a_request_in_flight_does_not_keep_it_from_stopping() {
    let mut agent = agent().env("HTTP_PORT", "0").start();
    let addr = agent.http_addr();
    agent.wait_for("started SimpleAgent");
    let _silent = TcpStream::connect(addr).unwrap();
    let _slow = endless(addr);
    agent.signal("TERM");
    let ended = agent.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("still in flight") && ended.stderr.contains("stopped in order"), "{}", ended.stderr);
}

#[test]
fn a_second_signal_forces_the_end() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut agent = agent().env("HTTP_PORT", "0").start();
        let addr = agent.http_addr();
        agent.wait_for("started SimpleAgent");
        let _slow = endless(addr);
        agent.signal("TERM");
        agent.wait_for("takes no more connections");
        agent.signal(signal);
        let ended = agent.wait();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(!ended.stderr.contains("stopped in order"), "{}", ended.stderr);
    }
}

/// A request whose head is never completed.
fn endless(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n").unwrap();
    // One more request, so that the server has accepted the first connection.
    assert_eq!(request(addr, "GET", "/hello").status, 200);
    stream
}

#[test]
fn a_plugin_that_probes_are_to_pass_over_has_to_be_there() {
    for (program, place) in [
        (agent().file("probe.conf", "non-fatal: [http, greetr]"), "probe.conf:1:19"),
        (agent().arg("--set=probe.non-fatal=[http, greetr]"), "flag --set probe.non-fatal"),
    ] {
        let ended = program.arg("--check-config").run();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        let what = format!("{place}: key `probe.non-fatal[1]` names `greetr`, but this agent has no such plugin");
        assert!(ended.stderr.contains(&what) && ended.stderr.contains("did you mean `greeter`?"), "{}", ended.stderr);
    }
    let fine = agent().file("probe.conf", "non-fatal: [greeter]").arg("--check-config").run();
    assert_eq!((fine.code, fine.stderr.as_str()), (Some(0), ""), "{}", fine.stdout);
}

#[test]
fn each_flag_and_variable_of_the_predecessor_sets_what_it_did() {
    let printed = |program: Program| {
        let program = program.file("h.yaml", "read-timeout: 7s").file("p.yaml", "port: 7777");
        let ended = program.file("l.yaml", "default-level: debug").arg("--print-config").run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    };
    for (flag, value, line) in [
        ("http-port", "7771", "http:\n  port: 7771  # {}\n"),
        ("http-probe-port", "7772", "probe:\n  port: 7772  # {}\n"),
        ("microservice-label", "me", "agent:\n  microservice-label: me  # {}\n"),
        ("http-config", "h.yaml", "  read-timeout: 7s  # h.yaml:1:1\n"),
        ("http-probe-config", "p.yaml", "probe:\n  port: 7777  # p.yaml:1:1\n"),
        ("logs-config", "l.yaml", "logs:\n  default-level: debug  # l.yaml:1:1\n"),
    ] {
        let variable = flag.replace('-', "_").to_uppercase();
        for (said, program) in [
            (format!("flag --{flag}"), agent().arg(&format!("--{flag}={value}"))),
            (format!("flag --{flag}"), agent().arg(&format!("--{flag}")).arg(value)),
            (format!("variable {variable}"), agent().env(&variable, value)),
        ] {
            // The order of the keys in a section does not matter.
            let (section, key) = line.split_once("\n  ").unwrap_or(("", line.trim_start()));
            let (printed, key) = (printed(program), format!("  {}", key.replace("{}", &said)));
            let (_, of_section) = printed.split_once(section).unwrap_or_default();
            assert!(of_section.contains(&key), "{said}: {key}: {printed}");
        }
    }
    // The key of the log level has another name, and the folder is where all files are.
    assert!(
        printed(agent().env("INITIAL_LOGLVL", "warn")).contains("default-level: warn  # variable INITIAL_LOGLVL\n")
    );
    let folder = cninfra_testbed::Folder::new();
    folder.write("http.conf", "read-timeout: 8s");
    let dir = folder.path().display().to_string();
    for program in [agent().arg(&format!("--config-dir={dir}")), agent().env("CONFIG_DIR", &dir)] {
        let printed = printed(program);
        assert!(printed.contains(&format!("  read-timeout: 8s  # {dir}/http.conf:1:1\n")), "{printed}");
    }
}
