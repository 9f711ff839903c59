//! The precedence of layers, and the spelling of keys.

use super::{Mode, Peer, read, read_over};
use cninfra::config::{ByteSize, Config, Duration};

#[tokio::test]
async fn keys_are_spelled_in_any_way() {
    for text in [
        "read-timeout: 5s\nmax-body: 1KiB\ntls: {cert-file: c}",
        "ReadTimeout: 5000000000\nMaxBody: 1024\nTLS: {CertFile: c}",
        "read_timeout: 5s\nmax_body: 1024b\ntls: {cert_file: c}",
        "readtimeout: 5000ms\nMAXBODY: 1024\ntls: {CERT_FILE: c}",
    ] {
        let config = read(&[("server.conf", text)]).await;
        assert_eq!(config.read_timeout, Duration::from_secs(5));
        assert_eq!((config.max_body, config.tls.cert_file.as_str()), (ByteSize(1024), "c"));
    }
}

#[tokio::test]
async fn every_format_says_the_same() {
    let yaml = "name: a\nport: 1\nratio: 2\nmode: {fixed: {peer: p}}\ntags: [x, y]\npeers: [{host: h, port: 2}]\nlabels: {A-b: 1, a_b: 2}\n";
    let json = r#"{"name": "a", "port": 1, "ratio": 2.0, "mode": {"Fixed": {"peer": "p"}}, "tags": ["x", "y"],
        "peers": [{"host": "h", "port": 2}], "labels": {"A-b": 1, "a_b": 2}}"#;
    let toml = "name = 'a'\nport = 1\nratio = 2.0\nmode = {fixed = {peer = 'p'}}\ntags = ['x', 'y']\n[[peers]]\nhost = 'h'\nport = 2\n[labels]\nA-b = 1\na_b = 2\n";
    let whole = format!("server:\n  {}", yaml.replace('\n', "\n  "));
    let whole_toml = toml.replace("name = 'a'", "[serverv3]\nname = 'a'").replace("[[peers]]", "[[serverv3.peers]]");
    let whole_toml = whole_toml.replace("[labels]", "[serverv3.labels]");
    let expected = read(&[("server.conf", yaml)]).await;
    assert_eq!(expected.peers, [Peer { host: "h".into(), port: 2 }]);
    assert_eq!(expected.mode, Mode::Fixed { peer: "p".into() });
    // The keys of a map are data, and stay as they are written.
    assert_eq!(expected.labels.keys().collect::<Vec<_>>(), ["A-b", "a_b"]);
    for (name, text) in [
        ("server.yml", yaml),
        ("server.json", json),
        ("server.toml", toml),
        ("serverv3.conf", yaml),
        ("agent.yaml", &whole),
        ("agent.conf", &whole),
        ("agent.toml", &whole_toml),
    ] {
        assert_eq!(read(&[(name, text)]).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_character_of_two_halves_is_read_in_json() {
    let json = r#"{"name": "\ud83d\ude00!", "nick": "\u00e9"}"#;
    let config = read(&[("server.json", json)]).await;
    assert_eq!((config.name.as_str(), config.nick.as_deref()), ("\u{1f600}!", Some("\u{e9}")));
    let found = super::wrong(&[("server.json", r#"{"name": "\ud83d\ude00", "port": "x"}"#)]).await;
    assert!(found.len() == 1 && found[0].starts_with("server.json:1:34: key `server.port` takes"), "{found:?}");
}

#[tokio::test]
async fn a_file_goes_over_the_program_key_by_key() {
    let program = Config::new()
        .set("server", "port", 1)
        .set("server", "NAME", "program")
        .set("server", "tls", std::collections::BTreeMap::from([("cert_file", "program")]))
        .set("server", "labels.a", 1)
        .set("server", "tags", ["one"]);
    let file = "Name: file\nTls: {MinVersion: 3}\nlabels: {b: 2}\ntags: [two, three]";
    let config = read_over(&[("server.conf", file)], program).await;
    assert_eq!((config.port, config.name.as_str()), (1, "file"));
    assert_eq!((config.tls.cert_file.as_str(), config.tls.min_version), ("program", 3));
    assert_eq!(config.labels.into_iter().collect::<Vec<_>>(), [("a".into(), 1), ("b".into(), 2)]);
    assert_eq!(config.tags, ["two", "three"]);
}

#[tokio::test]
async fn another_name_of_a_key_is_the_same_key_in_all_layers() {
    let program = || Config::new().set("server", "weight", 1);
    assert_eq!(read_over(&[("server.conf", "ratio: 2")], program()).await.ratio, 2.0);
    let program = Config::new().set("server", "ratio", 1);
    assert_eq!(read_over(&[("server.conf", "weight: 2")], program).await.ratio, 2.0);
}

#[tokio::test]
async fn an_empty_file_and_an_empty_section_say_nothing() {
    let files = [("server.conf", ""), ("extra.conf", "# nothing\n"), ("agent.yaml", "server:\nplain:\n")];
    assert_eq!(read(&files).await, Default::default());
}

#[tokio::test]
async fn yaml_has_anchors_and_merges() {
    let config =
        read(&[("server.conf", "tls: &a {cert-file: c}\npeers:\n- &p {host: h, port: 1}\n- {<<: *p, port: 2}")]).await;
    assert_eq!((config.peers[1].host.as_str(), config.peers[1].port), ("h", 2));
}

#[tokio::test]
async fn a_section_has_all_its_names() {
    for name in ["server", "Server", "serverv3", "server-v3", "SERVER_V3"] {
        assert_eq!(read_over(&[], Config::new().set(name, "port", 7)).await.port, 7, "{name}");
        assert_eq!(read(&[("agent.yaml", &format!("{name}: {{port: 7}}"))]).await.port, 7, "{name}");
    }
    // The higher layer wins, whichever name of the section it uses.
    let program = Config::new().set("serverv3", "port", 1).set("server", "port", 2);
    assert_eq!(read_over(&[], program).await.port, 2);
}

#[tokio::test]
async fn a_key_hides_another_one_of_what_is_lower() {
    let nick = async |file: &str, config: Config| {
        let config = read_over(&[("server.conf", file)], config).await;
        (config.name, config.nick)
    };
    let (name, nicked) = (|| "n".to_string(), || Some("k".to_string()));
    assert_eq!(nick("name: n", Config::new().set("server", "nick", "k")).await, (name(), None));
    assert_eq!(nick("nick: k", Config::new().set("server", "name", "n")).await, (name(), nicked()));
    // In the same layer, both are read, in any order.
    assert_eq!(nick("nick: k\nname: n", Config::new()).await, (name(), nicked()));
    let both = Config::new().set("server", "nick", "k").set("server", "name", "n");
    assert_eq!(nick("port: 1", both).await, (name(), nicked()));
    // The internal name of that rule is not a key.
    let found = super::wrong(&[("server.conf", "'hides:name:nick': 1")]).await;
    assert!(found[0].contains("is unknown") && !found[0].ends_with("hides:name:nick"), "{found:?}");
}
