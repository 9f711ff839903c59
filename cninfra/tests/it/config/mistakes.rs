//! Wrong files, and the exact messages.

use super::{wrong, wrong_over};
use cninfra::{config::Config, prelude::*};
use serde::{Deserialize, Deserializer, Serialize};

const KEYS: &str = "known keys: name, nick, port, ratio, weight, verbose, read-timeout, max-body, mode, tls, tags, peers, labels, password, span; of any plugin: start-policy, limits";
const YAML: &str = "what is YAML is in a file whose name ends with `.yaml`";
const SECTIONS: &str = "known sections: agent, logs, server, plain, extra";

/// Each case has one mistake.
#[tokio::test]
async fn every_kind_of_mistake_has_its_words() {
    let mut others = Vec::new();
    for (name, text, words) in [
        // Keys.
        ("server.conf", "prot: 1", format!("server.conf:1:1: key `server.prot` is unknown | did you mean `port`? {KEYS}")),
        ("server.conf", "\n\n  # here\nReadTimeuot: 5s", format!("server.conf:4:1: key `server.ReadTimeuot` is unknown | did you mean `read-timeout`? {KEYS}")),
        ("server.conf", "host: x", format!("server.conf:1:1: key `server.host` is unknown | {KEYS}")),
        ("server.conf", "1: x", format!("server.conf:1:1: key `server.1` is unknown | {KEYS}")),
        ("server.conf", "tls:\n  cert_fil: x", "server.conf:2:3: key `server.tls.cert_fil` is unknown | did you mean `cert-file`? known keys: cert-file, min-version".into()),
        ("server.conf", "peers:\n- host: a\n- host: b\n  prt: 3", "server.conf:4:3: key `server.peers[1].prt` is unknown | did you mean `port`? known keys: host, port".into()),
        ("server.conf", "port: 1\nPort: 2", "server.conf:2:1: key `server.Port` is there twice, also as `port`".into()),
        ("server.conf", "ratio: 1\nweight: 2", "server.conf:2:1: key `server.weight` is there twice: `ratio` is another name of it".into()),
        ("server.conf", "cipher: x", "server.conf:1:1: key `server.cipher` is a key of cn-infra that is not supported yet | remove it only if the agent can do without what it sets: nothing takes its place yet".into()),
        ("server.conf", "Ciphers: [x]", "server.conf:1:1: key `server.Ciphers` is a key of cn-infra that is not supported yet | remove it only if the agent can do without what it sets: nothing takes its place yet".into()),
        ("server.conf", "name-file: x", "server.conf:1:1: key `server.name-file` is unknown | only a secret has a second key that names a file: `password-file` beside `password`".into()),
        ("server.conf", "enabled: true", "server.conf:1:1: key `server.enabled`: the plugin is not an optional one of its flavor | in the flavor, an optional plugin is a field `Option<Dep<..>>`; this key can only be taken out (`--graph text` shows who needs the plugin)".into()),
        ("extra.conf", "size: 1\nenabled: no", "extra.conf:2:10: key `extra.enabled` takes `true` or `false`, not the text `no`".into()),
        ("extra.conf", "Enabled: 1", "extra.conf:1:10: key `extra.enabled` takes `true` or `false`, not `1`".into()),
        ("plain.conf", "start-policy: retry\nSTART_POLICY: fail", "plain.conf:2:1: key `plain.START_POLICY` is there twice, also as `start-policy`".into()),
        ("extra.conf", "ENABLED: true\nEnabled: true", "extra.conf:2:1: key `extra.Enabled` is there twice, also as `ENABLED`".into()),
        ("plain.conf", "start-policy: sometimes", "plain.conf:1:15: key `plain.start-policy` takes `fail`, `retry` or `ignore`, not `sometimes`".into()),
        ("server.conf", "StartPolicy: 5", "server.conf:1:14: key `server.start-policy` takes a name, not `5`".into()),
        ("agent.yaml", "agent: {start-policy: retry}", "agent.yaml:1:9: key `agent.start-policy` is unknown | it is a key of a plugin's section".into()),
        ("agent.yaml", "agent: {start-order: backwards}", "agent.yaml:1:22: key `agent.start-order` takes `concurrent` or `one-by-one`, not `backwards`".into()),
        ("agent.yaml", "agent: {drain-delay: 5}", "agent.yaml:1:22: key `agent.drain-delay`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds".into()),
        ("plain.conf", "size: 1", "plain.conf:1:1: key `plain.size` is unknown | known keys: only those of any plugin: start-policy, limits".into()),
        ("server.conf", "start_polcy: retry", format!("server.conf:1:1: key `server.start_polcy` is unknown | did you mean `start-policy`? {KEYS}")),
        ("extra.conf", "enabeld: false", "extra.conf:1:1: key `extra.enabeld` is unknown | did you mean `enabled`? known keys: size; of any plugin: enabled, start-policy, limits".into()),
        ("server.conf", "limits: {init: 5}", "server.conf:1:16: key `server.limits.init`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds".into()),
        ("server.conf", "Limits:\n  AfterInt: 5s", "server.conf:2:3: key `server.limits.AfterInt` is unknown | did you mean `after-init`? known keys: create, init, after-init, drain, close".into()),
        ("plain.conf", "limits: 5s", "plain.conf:1:9: key `plain.limits` takes a mapping of keys to values, not a text".into()),
        ("agent.yaml", "agent: {limits: {run: 5s}}", "agent.yaml:1:18: key `agent.limits.run` is unknown | known keys: create, init, after-init, drain, close".into()),
        ("agent.yaml", "logs: {limits: {init: 5s}}", "agent.yaml:1:8: key `logs.limits` is unknown | it is a key of a plugin's section".into()),
        // Types.
        ("server.conf", "port: 65536", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not `65536`".into()),
        ("server.conf", "port: -1", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not `-1`".into()),
        ("server.conf", "port: 1.5", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not `1.5`".into()),
        ("server.conf", "port: 1e3 # x", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not `1e3`".into()),
        ("server.conf", "tls: {MinVersion: 5.0}", "server.conf:1:19: key `server.tls.min-version` takes a whole number from 0 to 255, not `5.0`".into()),
        ("server.toml", "port = 1_0.50", "server.toml:1:8: key `server.port` takes a whole number from 0 to 65535, not `1_0.50`".into()),
        ("server.conf", "name: 1.10", "server.conf:1:7: key `server.name` takes a text, not `1.10` | put a text that looks like something else in quotes".into()),
        ("server.conf", "port: '80'", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not the text `80`".into()),
        ("server.conf", "port:", "server.conf:1:6: key `server.port` takes a whole number from 0 to 65535, but has no value".into()),
        ("server.conf", "port: [80]", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not a list".into()),
        ("server.conf", "port: {a: b}", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not a mapping".into()),
        ("server.conf", "ratio: much", "server.conf:1:8: key `server.ratio` takes a number, not the text `much`".into()),
        ("server.conf", "verbose: yes", "server.conf:1:10: key `server.verbose` takes `true` or `false`, not the text `yes`".into()),
        ("server.conf", "name: 7", "server.conf:1:7: key `server.name` takes a text, not `7` | put a text that looks like something else in quotes".into()),
        ("server.conf", "name: true", "server.conf:1:7: key `server.name` takes a text, not `true` | put a text that looks like something else in quotes".into()),
        ("server.conf", "tags: a", "server.conf:1:7: key `server.tags` takes a list, not a text | a list stands in brackets: `[\"a\", \"b\"]`".into()),
        ("server.conf", "tags: [a, 5]", "server.conf:1:11: key `server.tags[1]` takes a text, not `5` | put a text that looks like something else in quotes".into()),
        ("server.conf", "password-file: [x]", "server.conf:1:16: key `server.password-file` takes the path of a file, not a list | name one, or remove the key".into()),
        ("server.conf", "password-file: ''", "server.conf:1:16: key `server.password-file` takes the path of a file, not an empty text | name one, or remove the key".into()),
        ("server.conf", "PasswordFile: 5", "server.conf:1:15: key `server.PasswordFile` takes the path of a file, not a number | name one, or remove the key".into()),
        ("server.conf", "mode: {weights: [1], fixed: {peer: x}}", "server.conf:1:22: key `server.mode` takes one of `plain`, `round-robin`, `fixed` or `weights`: `fixed` stands beside `weights` of server.conf:1:8 | take one of them out".into()),
        ("server.conf", "span: [1, 2, 3, 4]", "server.conf:1:14: key `server.span` takes 2 values, not 4 | take out what is too much, from here on".into()),
        ("server.conf", "span: [1]", "server.conf:1:7: key `server.span` takes 2 values, not 1".into()),
        ("server.conf", "span: [1, y]", "server.conf:1:11: key `server.span[1]` takes a whole number from 0 to 255, not the text `y`".into()),
        ("agent.yaml", "agent: {microservice-label: 5}", "agent.yaml:1:29: key `agent.microservice-label` takes a service label, not `5` | put a text that looks like something else in quotes".into()),
        ("server.conf", "tls: off", "server.conf:1:6: key `server.tls` takes a mapping of keys to values, not a text".into()),
        ("server.conf", "tls: [off]", "server.conf:1:6: key `server.tls` takes a mapping of keys to values, not a list".into()),
        ("server.conf", "tls:\n  MinVersion: 256", "server.conf:2:15: key `server.tls.min-version` takes a whole number from 0 to 255, not `256`".into()),
        ("server.conf", "labels: {a: 1, b: 300}", "server.conf:1:19: key `server.labels.b` takes a whole number from 0 to 255, not `300`".into()),
        ("server.conf", "peers: [{host: a}, {port: 1}]", "server.conf:1:20: key `server.peers[1]`: the key `host` is missing | set it: the type of `peers[1]` has no default for it alone".into()),
        ("server.conf", "mode: fast", "server.conf:1:7: key `server.mode` takes `plain`, `round-robin`, `fixed` or `weights`, not `fast`".into()),
        ("server.conf", "mode: {fixed: {per: x}}", "server.conf:1:16: key `server.mode.fixed.per` is unknown | did you mean `peer`? known keys: peer".into()),
        ("server.conf", "peers: [{}]", "server.conf:1:9: key `server.peers[0]`: the key `host` is missing | set it: the type of `peers[0]` has no default for it alone".into()),
        ("server.conf", "\u{feff}name: x\n tls: [", "server.conf:2:5: it is not valid YAML: mapping values are not allowed in this context | correct the indentation: a key with a value on its line has no keys below it".into()),
        ("server.conf", "\u{feff}name: x\nport: y", "server.conf:2:7: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("server.conf", "mode: fixed", "server.conf:1:7: key `server.mode`: what belongs to this name is missing".into()),
        ("server.conf", "mode: {plain: x}", "server.conf:1:7: key `server.mode`: nothing belongs to this name: write it alone".into()),
        ("server.conf", "mode: 5", "server.conf:1:7: key `server.mode` takes a name, not `5`".into()),
        ("server.conf", "just text", "server.conf:1:1: section `server` takes a mapping of keys to values, not a text | write `key: value`, one to a line".into()),
        ("server.conf", "- a", "server.conf:1:1: section `server` takes a mapping of keys to values, not a list | write `key: value`, one to a line".into()),
        // Values.
        ("server.conf", "read-timeout: 5", "server.conf:1:15: key `server.read-timeout`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds".into()),
        ("server.conf", "read-timeout: 999999", "server.conf:1:15: key `server.read-timeout`: `999999` has no unit: write `999999s` for seconds, `999999ms` for milliseconds".into()),
        ("server.conf", "read-timeout: soon", "server.conf:1:15: key `server.read-timeout`: `soon` is not a length of time: write `5s`, `1m30s` or `100ms`".into()),
        ("server.conf", "read-timeout: -5", "server.conf:1:15: key `server.read-timeout` takes a length of time such as `5s`, `1m30s` or `100ms`, not `-5`".into()),
        ("server.conf", "max-body: 1XB", "server.conf:1:11: key `server.max-body`: `1XB` is not a number of bytes: write `4096`, `64KiB` or `10MB`".into()),
        ("server.conf", "password: [hunter2]", "server.conf:1:11: key `server.password`: its value does not fit (it is not shown, since it is a secret)".into()),
        ("server.conf", "password: 12345", "server.conf:1:11: key `server.password`: its value is a number where a text is wanted: put it in quotes (it is not shown, since it is a secret)".into()),
        ("server.conf", "password-file: nosuch", "server.conf:1:16: key `server.password-file`: the file nosuch cannot be read: No such file or directory (os error 2) | create it, or remove the key".into()),
        // Whole files.
        ("server.conf", "port: 1\n  name: x", "server.conf:2:7: it is not valid YAML: mapping values are not allowed in this context | correct the indentation: a key with a value on its line has no keys below it".into()),
        ("server.conf", "a: [", "server.conf:2:1: it is not valid YAML: did not find expected node content".into()),
        ("server.conf", "name: x\ntls:\n  min-version: 1\n  min-version: 2", "server.conf:4:3: it is not valid YAML: the key `min-version` is there twice | keep one of them".into()),
        ("server.conf", "server:\n  port: 1", "server.conf:1:1: key `server.server` is unknown | this already is the section `server`: remove this key, and move what is below it one level up".into()),
        ("server.conf", "name: [::]:9191", "server.conf:1:8: it is not valid YAML: did not find expected node content | put a text that begins with a character that YAML reserves in quotes: \"[::]:9191\"".into()),
        ("server.conf", "tls:\n\tcert-file: x", "server.conf:2:1: it is not valid YAML: found character that cannot start any token | YAML is indented by spaces, not by tabs".into()),
        ("server.conf", "name: a: b", "server.conf:1:8: it is not valid YAML: mapping values are not allowed in this context | put a text that contains `: ` in quotes".into()),
        ("server.toml", "port = 1\nname = hunter2", "server.toml:2:8: it is not valid TOML: string values must be quoted, expected literal string".into()),
        ("server.toml", "port = 1\n[tls]\ncert = 'x'", "server.toml:3:1: key `server.tls.cert` is unknown | known keys: cert-file, min-version".into()),
        ("server.toml", "name = 'x'\nport = 'y'", "server.toml:2:8: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("server.toml", "name = 2020-01-01\nport = 'y'", "server.toml:2:8: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("server.json", "{\n \"port\": \"y\"}", "server.json:2:10: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("server.yaml", "port: y", "server.yaml:1:7: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("serverv3.conf", "port: y", "serverv3.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("server.conf", "port: 1\n---\nport: 2", "server.conf:2:1: it is not valid YAML: something follows its end | keep one document, without `---` or `...` behind it".into()),
        ("server.json", "{\"port\": [}", format!("server.json:1:11: it is not valid JSON: expected value | {YAML}")),
        ("server.json", "{\n// a port\n\"port\": 1}", format!("server.json:2:1: it is not valid JSON: key must be a string | {YAML}")),
        ("server.json", "{\"name\": \"é\", # é\n\"port\": 1}", format!("server.json:1:15: it is not valid JSON: key must be a string | {YAML}")),
        ("server.json", "{port: 1}", format!("server.json:1:2: it is not valid JSON: key must be a string | {YAML}")),
        ("server.json", "port: 1", format!("server.json:1:1: it is not valid JSON: expected value | {YAML}")),
        ("server.json", "{\"port\": 1,}", format!("server.json:1:12: it is not valid JSON: key must be a string | {YAML}")),
        ("server.json", "{\"name\": x: y}", format!("server.json:1:10: it is not valid JSON: expected value | {YAML}")),
        ("server.json", "{\"name\": \"x\", \"name\": \"y\"}", "server.json:1:15: it is not valid JSON: the key `name` is there twice | keep one of them".into()),
        ("server.json", "{\"tls\": {}, \"<<\": {\"port\": 1}}", format!("server.json:1:13: key `server.<<` is unknown | {KEYS}")),
        ("server.json", "{\"name\": \"a\u{7f}\u{80}\", \"port\": 5, \n\"prt\": 1}", format!("server.json:2:1: key `server.prt` is unknown | did you mean `port`? {KEYS}")),
        ("agent.yaml", "start-timeout: 5s", "agent.yaml:1:1: there is no section `start-timeout` | it is a key of `agent`: write it below the name of the section, as in `agent: {start-timeout: ..}`".into()),
        ("agent.yaml", "start-policy: retry", format!("agent.yaml:1:1: there is no section `start-policy` | {SECTIONS}")),
        ("server.conf", "port: 18446744073709551616", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not `18446744073709551616`".into()),
        ("server.toml", "port = -99_999_999_999_999_999_999", "server.toml:1:8: key `server.port` takes a whole number from 0 to 65535, not `-99_999_999_999_999_999_999`".into()),
        ("server.json", "{\"port\": 99999999999999999999}", "server.json:1:10: key `server.port` takes a whole number from 0 to 65535, not `99999999999999999999`".into()),
        ("server.conf", "name: 99999999999999999999", "server.conf:1:7: key `server.name` takes a text, not `99999999999999999999` | put a text that looks like something else in quotes".into()),
        ("server.conf", "99999999999999999999: 1", format!("server.conf:1:1: key `server.1e20` is unknown | {KEYS}")),
        ("server.conf", "tls: 99999999999999999999", "server.conf:1:6: key `server.tls` takes a mapping of keys to values, not a number".into()),
        ("server.toml", "port = 9999999999999999999999999999999999999999", "server.toml:1:8: key `server.port` takes a whole number from 0 to 65535, not `1e40`".into()),
        // YAML tags and other special syntax.
        ("server.conf", "port: !five 5", "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not a mapping | what begins with `!` is a tag of YAML: remove it, or put all of it in quotes where it is a text".into()),
        ("server.conf", "name: x\ntls:\n  cert_file: !a b", "server.conf:3:14: key `server.tls.cert-file` takes a text, not a mapping | what begins with `!` is a tag of YAML: remove it, or put all of it in quotes where it is a text".into()),
        ("server.conf", "mode: !fixed {per: x}", "server.conf:1:15: key `server.mode.fixed.per` is unknown | did you mean `peer`? known keys: peer".into()),
        ("server.conf", "mode: !nosuch x", "server.conf:1:7: key `server.mode` takes `plain`, `round-robin`, `fixed` or `weights`, not `nosuch`".into()),
        ("server.conf", "port: 1\nname: \"a\u{1}b\"", "server.conf:2:9: it is not valid YAML: the control character '\\u{1}' stands in it | remove it; a text in double quotes has such characters as `\\x1b`".into()),
        ("server.conf", "a: &a [*a]", "server.conf:1:4: it is not valid YAML: recursion limit exceeded".into()),
        ("server.conf", "~: 1", format!("server.conf:1:1: key `server.null` is unknown | {KEYS}")),
        ("server.conf", "? [a]\n: 1", format!("server.conf:1:3: key `server.[..]` is unknown | {KEYS}")),
        // A value is shown on one line, whatever it contains.
        ("server.conf", "read-timeout: \"a\\nERROR \\e[31m\"", "server.conf:1:15: key `server.read-timeout`: `a\\nERROR \\u{1b}[31m` is not a length of time: write `5s`, `1m30s` or `100ms`".into()),
        // One file for all sections.
        ("agent.yaml", "servr: {}", format!("agent.yaml:1:1: there is no section `servr` | did you mean `server`? {SECTIONS}")),
        ("agent.yaml", "port: 1", "agent.yaml:1:1: there is no section `port` | it is a key of `server`: write it below the name of the section, as in `server: {port: ..}`".into()),
        ("agent.yaml", "- server", format!("agent.yaml:1:1: the file takes a mapping of sections, a section for each plugin | {SECTIONS}")),
        ("agent.yaml", "server:\n  port: y", "agent.yaml:2:9: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("agent.toml", "[Server]\nport = 'y'", "agent.toml:2:8: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("agent.yaml", "server: {}\nserver_v3: {port: y}", "agent.yaml:2:19: key `server.port` takes a whole number from 0 to 65535, not the text `y`".into()),
        ("agent.yaml", "server: 5", "agent.yaml:1:9: section `server` takes a mapping of keys to values, not a number | write `key: value`, one to a line".into()),
        ("agent.yaml", "agent:\n  stop-timeout: 5", "agent.yaml:2:17: key `agent.stop-timeout`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds".into()),
        ("agent.yaml", "agent: {label: x}", "agent.yaml:1:9: key `agent.label` is unknown | known keys: microservice-label, start-timeout, plugin-start-timeout, stop-timeout, plugin-stop-timeout, limits, start-order, drain-delay, config-poll-interval".into()),
    ] {
        let found = wrong(&[(name, text)]).await;
        if found != [words.as_str()] {
            others.push(format!("{name}: {text:?}\n  says {found:#?}\n  not  {words:?}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Excessive input is refused quickly, and with a short message.
#[tokio::test]
async fn far_too_much_is_told_in_few_words() {
    let deep = |name: &str| format!("{}{}", "[".repeat(100_000), name);
    let words = "it is not valid YAML: more brackets are open at once than config has";
    for text in [deep("x"), format!("tags: {}", deep("x"))] {
        let began = std::time::Instant::now();
        assert_eq!(wrong(&[("server.conf", &text)]).await, [format!("server.conf: {words}")]);
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
    let flag = Config::new().set("server", "tags", deep("x"));
    assert_eq!(
        wrong_over(&[], flag).await,
        [
            "set by the program: key `server.tags` takes a list, not a text | a list stands in brackets: `[\"a\", \"b\"]`"
        ]
    );
    // 64 parts are merely an unknown key.
    for (parts, words) in [(64, "is unknown"), (65, "has 65 parts")] {
        let found = wrong_over(&[], Config::new().set("server", &vec!["a"; parts].join("."), 1)).await;
        assert!(found[0].contains(words), "{parts}: {found:?}");
    }
    let key = vec!["a"; 20_000].join(".");
    let found = wrong_over(&[], Config::new().set("server", &key, 1)).await;
    assert!(found[0].ends_with("has 20000 parts, more than any | remove it") && found[0].len() < 700, "{found:?}");
    let found = wrong(&[("server.conf", &format!("read-timeout: {}s", "9".repeat(100_000)))]).await;
    let (start, end) = (
        "server.conf:1:15: key `server.read-timeout`: `999",
        "is not a length of time: write `5s`, `1m30s` or `100ms`",
    );
    assert!(found[0].starts_with(start) && found[0].ends_with(end) && found[0].len() < 700, "{found:?}");
    // The number of mistakes per section is limited, and lower for a large file.
    let many = |count: usize| (0..count).fold(String::new(), |all, n| format!("{all}unknown-{n:05}: 1\n"));
    let labels = (0..40).fold("labels:\n".to_string(), |all, n| format!("{all}  l{n:02}: x\n"));
    for (text, told, of) in [
        (many(30), 30, None),
        (many(31), 31, Some("server.conf:31:1: there are more mistakes in section `server`")),
        (labels, 31, Some("server.conf:32:8: there are more mistakes in section `server`")),
        (many(20_000), 7, Some("server.conf:7:1: there are more mistakes in section `server`")),
    ] {
        let found = wrong(&[("server.conf", &text)]).await;
        assert_eq!(found.len(), told, "{found:#?}");
        let last = found.last().unwrap();
        assert!(of.is_none_or(|of| last.starts_with(of)), "{last}");
    }
    // Mistakes in the keys of any plugin are reported nevertheless.
    let found = wrong(&[("server.conf", &format!("{}start-policy: sometimes\n", many(31)))]).await;
    assert!(found.len() == 32 && found[30].contains("key `server.start-policy` takes"), "{found:#?}");
    assert!(found[31].contains("there are more mistakes in section"), "{found:#?}");
    let found = wrong(&[("agent.yaml", &many(31))]).await;
    assert!(
        found.len() == 31 && found[30].starts_with("agent.yaml:1:1: there are more mistakes in the file"),
        "{found:#?}"
    );
}

#[tokio::test]
async fn all_mistakes_of_all_files_are_told_in_one_run() {
    let server = "port: x\nprot: 5\nread-timeout: 3\ntls:\n  min_version: y\n  cert: z\npeers:\n- port: w\n- host: 1\n";
    let files = [("server.conf", server), ("extra.conf", "size: 200\nenabled: maybe"), ("agent.yaml", "nosuch: {}")];
    let found = wrong(&files).await;
    let places: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    let expected = [
        "agent.yaml:1:1",
        "server.conf:1:7",
        "server.conf:2:1",
        "server.conf:3:15",
        "server.conf:5:16",
        "server.conf:6:3",
        "server.conf:8:3",
        "server.conf:8:9",
        "server.conf:9:9",
        "extra.conf:1:7",
        "extra.conf:2:10",
    ];
    assert_eq!(places, expected, "{found:#?}");
}

#[tokio::test]
async fn the_same_key_in_two_files_is_a_mistake() {
    let files = [
        ("agent.yaml", "server:\n  port: 1\n  TLS: {min-version: 3}"),
        ("server.conf", "Port: 2\ntls: {MinVersion: 3}"),
    ];
    let expected = [
        "server.conf:1:1: key `server.port` is also set in agent.yaml:2:3 | keep one of them",
        "server.conf:2:7: key `server.tls.min-version` is also set in agent.yaml:3:9 | keep one of them",
    ];
    assert_eq!(wrong(&files).await, expected);
    let files = [("server.conf", "port: 1"), ("serverv3.conf", "port: 2"), ("server.toml", "name = 'x'")];
    assert_eq!(
        wrong(&files).await,
        ["serverv3.conf:1:1: key `server.port` is also set in server.conf:1:1 | keep one of them"]
    );
}

#[tokio::test]
async fn what_a_higher_layer_overrides_wrongly_is_told_with_what_is_under_it() {
    let program = Config::new().set("server", "port", "x").set("nosuch", "a", 1).set("server", "tls.min-version", 1000);
    let expected = [
        &format!("set by the program: there is no section `nosuch` | {SECTIONS}"),
        "set by the program: key `server.tls.min-version` takes a whole number from 0 to 255, not `1000`",
        "server.conf:1:7: key `server.port` takes a whole number from 0 to 65535, not the text `y`",
        "set by the program: key `server.port` takes a whole number from 0 to 65535, not the text `x`",
    ];
    let mut found = wrong_over(&[("server.conf", "port: y")], program).await;
    found[1..].sort();
    let mut expected = expected.map(str::to_string);
    expected[1..].sort();
    assert_eq!(found, expected);
}

/// A type whose own code panics on some values.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Careless {
    #[serde(deserialize_with = "even")]
    even: u8,
    name: String,
}

fn even<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = u8::deserialize(deserializer)?;
    assert!(number.is_multiple_of(2), "{number} is odd");
    Ok(number)
}

#[plugin]
struct Odd {
    #[config]
    config: Careless,
}

#[derive(Flavor)]
struct Lone {
    odd: Dep<Odd>,
}

#[tokio::test]
async fn a_type_that_panics_where_it_is_read_is_a_mistake_at_its_key() {
    let config = Config::new().set("odd", "even", 3).set("odd", "nmae", "x");
    let error = Agent::<Lone>::builder().config(config).start().await.unwrap_err();
    let text = error.to_string();
    let told = ["key `odd.even`: reading it panicked: 3 is odd", "key `odd.nmae` is unknown"];
    assert!(error.exit_code() == 2 && told.iter().all(|told| text.contains(told)), "{text}");
}

#[tokio::test]
async fn a_key_that_is_there_twice_in_yaml_hides_nothing() {
    let file = "port: x\ntls:\n  min-version: 1\n  min-version: y\nfoo: 1\nname: a\n? name\n: b\nmode: !weights [1]\nlabels: {a: 1.5}";
    let wrong = wrong(&[("server.conf", file), ("extra.conf", "size: z")]).await;
    let of = |told: &str| wrong.iter().filter(|line| line.starts_with(told)).count();
    let told = [
        "server.conf:4:3: it is not valid YAML: the key `min-version` is there twice | keep one of them",
        "server.conf:7:3: it is not valid YAML: the key `name` is there twice | keep one of them",
        "server.conf:1:7: key `server.port` takes",
        "server.conf:5:1: key `server.foo` is unknown",
        "server.conf:10:13: key `server.labels.a` takes",
        "extra.conf:1:7: key `extra.size` takes",
    ];
    assert_eq!((wrong.len(), told.map(of)), (6, [1; 6]), "{wrong:?}");
    // This also holds for keys that are not text, and beside numbers of more than 64 bits.
    let file = "~: 1\nnull: 2\nport: 99999999999999999999\n1.50: a\n1.5: b\n";
    let found = super::wrong(&[("server.conf", file)]).await;
    let twice = |at: &str, key: &str| {
        found.contains(&format!(
            "server.conf:{at}: it is not valid YAML: the key `{key}` is there twice | keep one of them"
        ))
    };
    assert!(twice("2:1", "null") && twice("5:1", "1.5") && found.len() == 5, "{found:?}");
}

#[tokio::test]
async fn what_is_no_json_and_numbers_without_end_hide_nothing() {
    let found = wrong(&[("server.json", "{\"port\": \"x\",\n# no JSON\n\"foo\": 1}")]).await;
    let told = [
        "server.json:1:10: key `server.port` takes",
        "server.json:3:1: key `server.foo` is unknown",
        "server.json:2:1: it is not valid JSON",
    ];
    assert!(found.len() == 3 && told.iter().all(|told| found.iter().any(|found| found.starts_with(told))), "{found:?}");
    let digits = "9".repeat(48);
    let toml = format!(
        "tags = [\"a\", {digits}]\nport = -{digits}\nratio = {digits}\nfoo = 1\n[labels]\na = 1.5\nb = {digits}"
    );
    let found = wrong(&[("server.toml", &toml)]).await;
    let told = [
        "server.toml:1:14: key `server.tags[1]` takes a text, not `1e48`",
        "server.toml:2:8: key `server.port` takes a whole number from 0 to 65535, not `-1e48`",
        "server.toml:4:1: key `server.foo` is unknown",
        "server.toml:6:5: key `server.labels.a` takes a whole number from 0 to 255, not `1.5`",
        "server.toml:7:5: key `server.labels.b` takes a whole number from 0 to 255, not `1e48`",
    ];
    assert!(found.len() == 5 && told.iter().all(|told| found.iter().any(|found| found.starts_with(told))), "{found:?}");
    // As in YAML.
    assert_eq!(super::read(&[("server.toml", &format!("ratio = {digits}"))]).await.ratio, 1e48);
}
