//! Tests of the config of a process, as its users see it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Folder, Program};

fn agent() -> Program {
    Program::new(env!("CARGO_BIN_EXE_configs-plugin"))
}

/// The config that the plugin says it has loaded.
fn loaded(program: Program) -> String {
    let mut agent = program.start();
    let line = agent.wait_for("loaded config: ");
    agent.wait_for("started Configs");
    agent.signal("TERM");
    let ended = agent.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    line.split("loaded config: ").nth(1).unwrap().to_string()
}

#[test]
fn the_file_of_the_example_is_right() {
    let dir = env!("CARGO_MANIFEST_DIR");
    let config = loaded(agent().arg("--config-dir").arg(dir));
    assert!(
        config.contains(r#"field1: "external value", sleep: Duration(90s), max_size: ByteSize(1048576)"#),
        "{config}"
    );
    let config = loaded(agent());
    assert!(config.contains(r#"field1: "some default value", sleep: Duration(0ns)"#), "{config}");
}

/// Defaults < file < environment < command line. Within the environment and the command line, a declared name of the
/// key is overridden by the general form.
#[test]
fn one_precedence_for_every_key() {
    let (file, declared, any) =
        (("example.conf", "field1: file"), ("EXAMPLE_FIELD1", "declared"), ("CNINFRA__EXAMPLE__FIELD1", "any"));
    let said = |program: Program| loaded(program).split('"').nth(1).unwrap().to_string();
    let with_file = || agent().file(file.0, file.1);
    assert_eq!(said(agent()), "some default value");
    assert_eq!(said(with_file()), "file");
    assert_eq!(said(with_file().env(declared.0, declared.1)), "declared");
    assert_eq!(said(with_file().env(declared.0, declared.1).env(any.0, any.1)), "any");
    let flagged = || with_file().env(declared.0, declared.1).env(any.0, any.1).arg("--example-field1=flag");
    assert_eq!(said(flagged()), "flag");
    assert_eq!(said(flagged().arg("--set").arg("example.field1=set")), "set");
    assert_eq!(said(flagged().arg("--set=example.field1=set").arg("--set=Example.FIELD1=last")), "last");
    // An empty variable counts as not set.
    assert_eq!(said(with_file().env(declared.0, "").env(any.0, "")), "file");
    // Every key can be set by all of them.
    let config = loaded(
        agent()
            .file("example.conf", "MaxSize: 1")
            .env("CNINFRA__EXAMPLE__MAX_SIZE", "2KiB")
            .arg("--set=example.sleep=5s"),
    );
    assert!(config.contains("sleep: Duration(5s), max_size: ByteSize(2048)"), "{config}");
}

#[test]
fn a_text_that_looks_like_something_else_is_a_text() {
    for text in ["12345", "007", "1e3", "true", "null", "~", "[a", "{", "a: b", " x ", "# no comment", "-", "'"] {
        for program in [
            agent().arg(&format!("--example-field1={text}")),
            agent().env("EXAMPLE_FIELD1", text),
            agent().env("CNINFRA__EXAMPLE__FIELD1", text),
            agent().arg("--set").arg(&format!("example.field1={text}")),
        ] {
            let config = loaded(program);
            assert!(config.contains(&format!("field1: {text:?}")), "{text}: {config}");
        }
    }
}

#[test]
fn the_file_may_be_named() {
    let folder = Folder::new();
    folder.write("other.yaml", "field1: other");
    let path = folder.path().join("other.yaml").display().to_string();
    let dir = folder.path().display().to_string();
    let said = |program: Program| loaded(program).split('"').nth(1).unwrap().to_string();
    assert_eq!(said(agent().arg("--example-config").arg(&path)), "other");
    assert_eq!(said(agent().env("EXAMPLE_CONFIG", &path)), "other");
    // A name is also looked for in the config directory, and the command line overrides the environment.
    assert_eq!(said(agent().arg("--config-dir").arg(&dir).arg("--example-config=other.yaml")), "other");
    assert_eq!(
        said(agent().env("CONFIG_DIR", &dir).env("EXAMPLE_CONFIG", "no").arg("--example-config=other.yaml")),
        "other"
    );
    // An empty name means no file.
    let file = || agent().file("example.conf", "field1: own");
    assert_eq!(said(file()), "own");
    assert_eq!(said(file().arg("--example-config=")), "some default value");
    assert_eq!(said(file().env("EXAMPLE_CONFIG", "")), "some default value");
    // A file that does not exist, or that belongs to another section, is a mistake.
    let other = "another section is read from the file other.conf\n    help: give each its own file";
    for (program, words) in [
        (
            file().arg("--example-config=nosuch.conf"),
            "flag --example-config: there is no file nosuch.conf\n    help: it is neither in the current directory nor in the config directory (",
        ),
        (
            file().env("EXAMPLE_CONFIG", "nosuch.conf"),
            "variable EXAMPLE_CONFIG: there is no file nosuch.conf\n    help: it is neither in the current directory nor in the config directory (",
        ),
        (
            file().file("other.conf", "").arg("--example-config=other.conf").arg("--extra-config=other.conf"),
            &format!("flag --extra-config: {other}"),
        ),
    ] {
        let ended = program.arg("--check-config").run();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn a_misspelled_file_is_noticed() {
    for (name, meant) in [
        ("exmaple.conf", "example.conf"),
        ("Example.yaml", "example.yaml"),
        ("agnet.toml", "agent.toml"),
        ("extra_.conf", "extra.conf"),
    ] {
        let ended = agent().file(name, "no: [matter").arg("--check-config").run();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), "the config is valid, but see the warning: no config file was found\n"),
            "{}",
            ended.stderr
        );
        let words = format!("WARN  agent: ./{name} is not read: did you mean `{meant}`?");
        assert!(ended.stderr.contains(&words), "{words}: {}", ended.stderr);
    }
    // If there are very many, only some are reported.
    let many = (0..50).fold(agent(), |agent, n| agent.file(&format!("exampl{n:02}.conf"), ""));
    let ended = many.arg("--check-config").run();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "the config is valid, but see the 31 warnings: no config file was found\n")
    );
    assert!(ended.stderr.contains("there are more files in . with such names"), "{}", ended.stderr);
    let ended = agent().file("unrelated.conf", "[").file("example.txt", "[").arg("--check-config").run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_config_is_checked_without_a_start() {
    let ended = agent().arg("--check-config").run();
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (Some(0), "the config is valid: no config file was found\n", "")
    );
    let files = agent().file("example.conf", "sleep: 5s").file("agent.yaml", "").arg("--check-config").run();
    assert_eq!((files.code, files.stdout.as_str()), (Some(0), "the config is valid: ./agent.yaml, ./example.conf\n"));
    for flag in ["--check-config", "--print-config"] {
        let ended = agent()
            .file("example.conf", "sleep: 5\nfeild1: x")
            .file("agent.yaml", "extra: {size: 1}")
            .env("CNINFRA__EXMAPLE__SLEEP", "1s")
            .env("CNINFRA__EXAMPLE", "1s")
            .arg("--set=example.max-size=much")
            .arg("--set=nothing")
            .arg(flag)
            .run();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        let expected = [
            "ERROR agent: the config is not valid: nothing was started",
            "  - variable CNINFRA__EXAMPLE: it does not say which key",
            "    help: write `CNINFRA__SECTION__KEY`, such as `CNINFRA__HTTP__PORT`",
            "  - flag --set: it does not say which key",
            "    help: write `--set SECTION.KEY=VALUE`, such as `--set http.port=8080`",
            "  - variable CNINFRA__EXMAPLE__SLEEP: there is no section `exmaple`",
            "    help: did you mean `example`? known sections: agent, logs, example, extra",
            "  - ./example.conf:1:8: key `example.sleep`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds",
            "  - ./example.conf:2:1: key `example.feild1` is unknown",
            "    help: did you mean `field1`? known keys: field1, sleep, max-size, password, stop-after; of any plugin: start-policy, limits",
            "  - flag --set example.max-size: key `example.max-size`: `much` is not a number of bytes: write `4096`, `64KiB` or `10MB`",
            "  - ./agent.yaml:1:9: key `extra.size` is unknown",
            "    help: known keys: only those of any plugin: enabled, start-policy, limits",
        ];
        let (_, found) = ended.stderr.split_once(' ').unwrap();
        let (first, rest) = found.split_once('\n').unwrap();
        // Where the message was logged does not matter.
        let first = first.split(" (").next().unwrap();
        assert_eq!([first].into_iter().chain(rest.trim_end().lines()).collect::<Vec<_>>(), expected);
    }
    let ended = agent().arg("--config-dir=").arg("--check-config").run();
    let words = "flag --config-dir: it is empty, and no directory";
    assert!(ended.code == Some(2) && ended.stderr.contains(words), "{}", ended.stderr);
    let ended = agent().arg("--config-dir=nosuch").run();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("flag --config-dir: there is no directory nosuch\n    help: create it"),
        "{}",
        ended.stderr
    );
    // A directory that cannot be read may well exist.
    let folder = Folder::new();
    folder.write("file", "");
    let ended = agent().arg(&format!("--config-dir={}/file", folder.path().display())).run();
    let words = "/file is not a directory\n    help: name the one that it is in";
    assert!(ended.code == Some(2) && ended.stderr.contains(words), "{}", ended.stderr);
    let path = folder.path().join("loop");
    std::os::unix::fs::symlink("loop", &path).unwrap();
    let ended = agent().arg(&format!("--config-dir={}", path.display())).run();
    let words = "loop: the directory of the config files cannot be read: Too many levels of symbolic links (os error 40)\n    help: look at what";
    assert!(ended.code == Some(2) && ended.stderr.contains(words), "{}", ended.stderr);
}

#[test]
fn the_config_is_printed_with_its_origins_and_can_be_read_back() {
    let program = || {
        agent()
            .file("example.conf", "# a comment\nField1: 'a # \"b\"'\npassword: hunter2\n")
            .env("EXAMPLE_FIELD1", "")
            .env("CNINFRA__EXAMPLE__SLEEP", "90s")
            .env("MICROSERVICE_LABEL", "0815")
            .arg("--set=extra.enabled=false")
            .arg("--set=extra.start-policy=retry")
            .arg("--set=agent.start-order=one-by-one")
    };
    let ended = program().arg("--print-config").run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let limits = "  # limits: {\"create\":\"15s\",\"init\":\"15s\",\"after-init\":\"15s\",\"drain\":\"2s500ms\",\"close\":\"2s500ms\"}  # default";
    let expected = [
        "agent:",
        "  microservice-label: \"0815\"  # variable MICROSERVICE_LABEL",
        "  start-timeout: 15s  # default",
        "  plugin-start-timeout: 15s  # default",
        "  stop-timeout: 5s  # default",
        "  plugin-stop-timeout: 2s500ms  # default",
        "  limits: {}  # default",
        "  start-order: one-by-one  # flag --set agent.start-order",
        "  drain-delay: 0s  # default",
        "  config-poll-interval: 2s  # default",
        "logs:",
        "  default-level: info  # default",
        "  loggers: []  # default",
        "  levels: null  # default",
        "  format: text  # default",
        "example:",
        "  start-policy: fail  # default",
        limits,
        "  field1: \"a # \\\"b\\\"\"  # ./example.conf:2:1",
        "  sleep: 1m30s  # variable CNINFRA__EXAMPLE__SLEEP",
        "  max-size: 64KiB  # default",
        "  # password: ***  # ./example.conf:3:1, a secret",
        "  stop-after: 0s  # default",
        "extra:",
        "  enabled: false  # flag --set extra.enabled",
        "  start-policy: retry  # flag --set extra.start-policy",
        limits,
    ];
    assert_eq!(ended.stdout.lines().collect::<Vec<_>>(), expected);
    // Read back, it gives the same values, except for the secret, which is not in it.
    let again = agent().file("agent.yaml", &ended.stdout).arg("--print-config").run();
    let values = |text: &str| -> Vec<String> {
        let line = |line: &str| line.split("  # ").next().unwrap().to_string();
        text.lines().filter(|line| !line.contains("password")).map(line).collect()
    };
    assert_eq!((again.code, values(&again.stdout)), (Some(0), values(&ended.stdout)), "{}", again.stderr);
    // The secret is shown nowhere.
    let mut agent = program().start();
    agent.wait_for("started Configs: 1 plugin, 1 switched off, in ");
    agent.signal("TERM");
    let log = agent.wait().stderr;
    assert!(log.contains("password: Some(***)") && !log.contains("hunter2") && log.contains("agent=0815"), "{log}");
}

#[test]
fn help_lists_the_flags_of_every_plugin() {
    let help = agent().arg("--help").run();
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for part in [
        "--config-dir <DIR>",
        "[env: CONFIG_DIR]",
        "--set <SECTION.KEY=VALUE>",
        "[env: CNINFRA__SECTION__KEY=VALUE]",
        "--check-config",
        "--print-config",
        "`start-policy` (fail, retry, ignore)",
        "`limits` (create, init, after-init, drain, close)",
        "graph of the plugins as declared",
        "its instance name (http) in config",
        "--microservice-label",
        "[env: MICROSERVICE_LABEL]",
        "\nexample:\n",
        "--example-field1 <VALUE>",
        "[env: EXAMPLE_FIELD1]",
        "--example-config <FILE>",
        "[env: EXAMPLE_CONFIG] [default: example.conf]",
        "\nextra:\n",
        "--extra-config <FILE>",
    ] {
        assert!(help.stdout.contains(part), "`{part}`: {}", help.stdout);
    }
}

#[test]
fn it_follows_its_file() {
    let folder = Folder::new();
    folder.write("example.conf", "field1: one");
    let dir = folder.path().display().to_string();
    let mut agent = agent().arg("--config-dir").arg(&dir).env("CNINFRA__AGENT__CONFIG_POLL_INTERVAL", "100ms").start();
    agent.wait_for("started Configs");
    folder.write("example.conf", "field1: two");
    assert!(agent.wait_for("new config").contains(r#"field1: "two""#));
    folder.write("example.conf", "field1: three\nsleep: x");
    agent.wait_for("the config has changed and is not valid: the previous values stay in force");
    assert!(agent.wait_for("example.conf").contains("2:8: key `example.sleep`: `x` is not a length of time"));
    folder.write("example.conf", "field1: two");
    agent.wait_for("the config is valid again, and as it was");
    // The command line and the environment still override the file. An optional plugin needs a new start.
    folder.write("extra.conf", "enabled: false");
    agent.wait_for("the config of `extra` has changed: a new start of the agent will see it");
    agent.signal("TERM");
    let ended = agent.wait();
    assert!(ended.code == Some(0) && !ended.stderr.contains("still ran"), "{}", ended.stderr);
}

#[test]
fn the_log_follows_its_file() {
    let folder = Folder::new();
    let dir = folder.path().display().to_string();
    let mut agent = agent().arg("--config-dir").arg(&dir).env("CNINFRA__AGENT__CONFIG_POLL_INTERVAL", "100ms").start();
    agent.wait_for("started Configs");
    folder.write("exmaple.conf", "");
    folder.write("logs.conf", "format: json");
    assert!(agent.wait_for("exmaple.conf is not read: did you mean `example.conf`?").starts_with("{\"time\""));
    assert!(agent.wait_for("the config has changed: `logs`").starts_with("{\"time\""));
    folder.write("logs.conf", "default-level: warn\nformat: text");
    folder.write("extra.conf", "enabled: false");
    assert!(!agent.wait_for("the config of `extra` has changed").starts_with('{'));
    agent.signal("TERM");
    let ended = agent.wait();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("stopped in order"), "{}", ended.stderr);
}

#[test]
fn sighup_has_the_files_read_at_once() {
    let folder = Folder::new();
    let dir = folder.path().display().to_string();
    let mut agent = agent()
        .arg("--config-dir")
        .arg(&dir)
        .arg("--set=agent.config-poll-interval=0")
        .arg("--set=example.sleep=7s")
        .start();
    agent.wait_for("started Configs");
    folder.write("example.conf", "field1: two\nsleep: 1s");
    agent.signal("HUP");
    agent.wait_for("SIGHUP: the config is read again");
    let line = agent.wait_for("new config");
    assert!(line.contains(r#"field1: "two", sleep: Duration(7s)"#), "{line}");
    agent.signal("TERM");
    assert_eq!(agent.wait().code, Some(0));
}

#[test]
fn sighup_while_it_starts_is_not_lost() {
    let folder = Folder::new();
    let dir = folder.path().display().to_string();
    let mut agent = agent().arg("--config-dir").arg(&dir).arg("--set=agent.config-poll-interval=0").start();
    // The files have been read, and signals are handled.
    agent.wait_for("no service label is set");
    folder.write("example.conf", "field1: two");
    agent.signal("HUP");
    agent.wait_for(r#"new config: ExampleConfig { field1: "two""#);
    agent.signal("TERM");
    assert_eq!(agent.wait().code, Some(0));
}

#[test]
fn the_level_of_the_log_is_said_by_a_variable() {
    let mut quiet = agent().env("INITIAL_LOGLVL", "warning").start();
    // Signals are handled by then.
    quiet.wait_for("WARN  agent: no service label is set");
    quiet.signal("TERM");
    let ended = quiet.wait();
    assert!(ended.code == Some(0) && !ended.stderr.contains("INFO"), "{}", ended.stderr);
    let ended = agent().env("INITIAL_LOGLVL", "loud").arg("--check-config").run();
    assert_eq!(ended.code, Some(2));
    let part = "variable INITIAL_LOGLVL: key `logs.default-level`";
    assert!(ended.stderr.contains(part) && ended.stderr.contains("`loud` is not a level"), "{}", ended.stderr);
}

#[test]
fn it_stops_by_itself_where_it_is_told_to() {
    for program in [agent().arg("--example-stop-after=100ms"), agent().file("example.conf", "stop-after: 100ms")] {
        let ended = program.run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let mut log = ended.stderr.lines();
        for part in ["started Configs", "`example` has ended: the agent stops", "stopped in order"] {
            assert!(log.any(|line| line.contains(part)), "{part}: {}", ended.stderr);
        }
    }
}
