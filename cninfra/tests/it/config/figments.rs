//! Additional figment providers: their precedence, the origins of their values, and the spelling of their keys.

use super::{App, Mode, read_over, wrong_over};
use cninfra::{config::Config, prelude::*};
use cninfra_testbed::Folder;
use figment::{
    Error, Figment, Metadata, Profile, Provider, Source,
    value::{Dict, Map, Value},
};
use std::path::{Path, PathBuf};

/// A provider that sets these keys of the section `server`.
struct Says {
    keys: Vec<(&'static str, Value)>,
    file: Option<PathBuf>,
}

impl Provider for Says {
    fn metadata(&self) -> Metadata {
        match &self.file {
            Some(file) => Metadata::from("a file of its own", file.as_path()),
            None => Metadata::named("the store"),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let keys: Dict = self.keys.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        Ok(Map::from([(Profile::Default, Dict::from([("Server".to_string(), keys.into())]))]))
    }
}

fn says<const N: usize>(keys: [(&'static str, Value); N]) -> Says {
    Says { keys: keys.into(), file: None }
}

/// A provider that cannot be reached.
struct Fails;

impl Provider for Fails {
    fn metadata(&self) -> Metadata {
        Metadata::named("the store")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Err("nobody answers".to_string().into())
    }
}

#[tokio::test]
async fn a_provider_goes_under_what_is_set_and_under_the_files() {
    let tls: Dict = [("CertFile".to_string(), "provided".into()), ("min_version".to_string(), 1u8.into())].into();
    let provider = says([("NAME", "p".into()), ("Port", 1u16.into()), ("ratio", 1.5.into()), ("TLS", tls.into())]);
    let config = Config::from_figment(Figment::from(provider)).set("server", "port", 2).set("serverv3", "nick", "n");
    let config = read_over(&[("server.conf", "ratio: 3\ntls: {MinVersion: 2}")], config).await;
    assert_eq!((config.name.as_str(), config.port, config.ratio), ("p", 2, 3.0));
    assert_eq!(
        (config.tls.cert_file.as_str(), config.tls.min_version, config.nick.as_deref()),
        ("provided", 2, Some("n"))
    );
}

#[tokio::test]
async fn what_is_wrong_in_it_is_told_by_its_name_and_its_line() {
    let provider = says([("prot", 1u16.into()), ("Ratio", "much".into())]);
    let found = wrong_over(&[], Config::from_figment(Figment::from(provider))).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("the store: key `server.prot` is unknown | did you mean `port`?"), "{found:?}");
    assert_eq!(found[1], "the store: key `server.ratio` takes a number, not the text `much`");

    let folder = Folder::new();
    for (text, at) in [("Server:\n  name: x\n  Port: y\n", "3:9"), ("name: x\nPort: y\n", "2:7"), ("name: x\n", "")] {
        folder.write("own.yaml", text);
        let path = folder.path().join("own.yaml");
        let mut provider = says([("Port", "y".into())]);
        provider.file = Some(path.clone());
        let found = wrong_over(&[], Config::from_figment(Figment::from(provider))).await;
        let place = if at.is_empty() { path.display().to_string() } else { format!("{}:{at}", path.display()) };
        let words = "key `server.port` takes a whole number from 0 to 65535, not the text `y`";
        assert_eq!(found, [format!("{place}: {words}")]);
    }

    let found = wrong_over(&[], Config::from_figment(Figment::from(Fails))).await;
    assert_eq!(found, ["the store: nobody answers"]);
}

#[test]
fn the_agents_figment_has_canonical_keys_and_their_origins() {
    let folder = Folder::new();
    folder.write("server.conf", "ReadTimeout: 5s\ntls: {MinVersion: 3}\nlabels: {A-b: 1, a_b: 2}");
    let provider = says([("READ_TIMEOUT", "7s".into()), ("name", "p".into())]);
    let config = Config::from_figment(Figment::from(provider)).set("serverv3", "tls.CertFile", "c");
    let figment = Agent::<App>::builder().config(config).config_dir(folder.path()).figment();
    let file = Source::File(folder.path().join("server.conf"));
    for (key, value, name, source) in [
        // The names that serde uses for the type's keys.
        ("server.read-timeout", "5s", "config file", Some(&file)),
        ("server.tls.cert_file", "c", "set by the program", None),
        ("server.name", "p", "the store", None),
    ] {
        assert_eq!(figment.extract_inner::<String>(key).unwrap(), value);
        let metadata = figment.find_metadata(key).unwrap();
        assert_eq!((&*metadata.name, metadata.source.as_ref()), (name, source), "{key}");
    }
    assert_eq!(figment.extract_inner::<u8>("server.tls.min_version").unwrap(), 3);
    let labels = figment.find_value("server.labels").unwrap().into_dict().unwrap();
    assert_eq!(labels.keys().collect::<Vec<_>>(), ["A-b", "a_b"]);
    assert!(!figment.contains("server.ReadTimeout") && !figment.contains("server.port"));
}

#[tokio::test]
async fn the_highest_layer_says_which_variant_a_choice_is() {
    let fixed = |peer: &str| {
        Value::from(Dict::from([("fixed".to_string(), Dict::from([("peer".to_string(), peer.into())]).into())]))
    };
    let provider = || Config::from_figment(Figment::from(says([("mode", fixed("p"))])));
    let mode = async |text: &str| read_over(&[("server.conf", text)], provider()).await.mode;
    assert_eq!(mode("name: x").await, Mode::Fixed { peer: "p".into() });
    assert_eq!(mode("mode: {Weights: [1]}").await, Mode::Weights(vec![1]));
    assert_eq!(mode("Mode: round-robin").await, Mode::RoundRobin);
    // Lower layers about the same variant are kept.
    assert_eq!(mode("Mode: {Fixed: {}}").await, Mode::Fixed { peer: "p".into() });
    assert_eq!(mode("mode: fixed").await, Mode::Fixed { peer: "p".into() });
    // A wrong variant is reported, and the layers below are checked as well.
    let found =
        wrong_over(&[("server.conf", "mode: {nosuch: 1}")], provider().set("server", "mode.fixed.peer", 5)).await;
    let words = [
        "server.conf:1:7: key `server.mode` takes `plain`",
        "set by the program: key `server.mode.fixed.peer` takes a text, not `5`",
    ];
    assert!(found.len() == 2 && found.iter().zip(words).all(|(found, words)| found.contains(words)), "{found:?}");
}

#[tokio::test]
async fn nothing_in_a_mapping_takes_nothing_from_what_is_under_it() {
    let config = Config::new().set("server", "tls.cert-file", "c").set("server", "labels.a", 1);
    let config = read_over(&[("server.conf", "tls:\nlabels: ~\n")], config).await;
    assert_eq!((config.tls.cert_file.as_str(), config.labels.len()), ("c", 1));
}

#[tokio::test]
async fn the_same_unknown_key_is_told_in_every_layer() {
    let config = Config::new().set("server", "prot", 1);
    let found = wrong_over(&[("server.conf", "prot: 2"), ("extra.conf", "size: 1")], config).await;
    let places: Vec<_> = found.iter().map(|line| line.split(": key").next().unwrap()).collect();
    assert_eq!(places, ["server.conf:1:1", "set by the program"]);
}

#[tokio::test]
async fn the_file_of_a_secret_is_looked_for_beside_the_file_that_names_it() {
    let folder = Folder::new();
    folder.write("own.yaml", "");
    folder.write("secret.txt", "hunter2\n");
    let mut provider = says([("PasswordFile", "secret.txt".into())]);
    provider.file = Some(folder.path().join(Path::new("own.yaml")));
    let provider = || Config::from_figment(Figment::from(&provider));
    assert_eq!(read_over(&[], provider()).await.password.reveal(), "hunter2");
    // The file of an overridden secret is not read.
    folder.write("secret.txt", "");
    std::fs::remove_file(folder.path().join("secret.txt")).unwrap();
    assert_eq!(read_over(&[("server.conf", "password: other")], provider()).await.password.reveal(), "other");
}

/// Why cninfra has code of its own around figment: see ARCHITECTURE.md. If this fails, figment has changed, and that
/// code may no longer be needed.
#[test]
fn what_figment_does_by_itself() {
    // Two spellings of a key are not merged.
    let figment = Figment::from(says([("ReadTimeout", "5s".into())])).merge(says([("READ_TIMEOUT", "7s".into())]));
    assert_eq!(figment.find_value("Server").unwrap().into_dict().unwrap().len(), 2);
    // Two variants are merged into both, and the lower one is read.
    let choice = |name: &str| {
        Value::from(Dict::from([(name.to_string(), Dict::from([("peer".to_string(), "p".into())]).into())]))
    };
    let figment = Figment::from(says([("mode", choice("fixed"))])).merge(says([("mode", choice("weights"))]));
    assert_eq!(figment.extract_inner::<Mode>("Server.mode").unwrap(), Mode::Fixed { peer: "p".into() });
    // Only one of two mistakes is reported, without a line, and with the value.
    let figment = Figment::from(says([("port", "hunter2".into()), ("ratio", "much".into())]));
    let error = figment.extract_inner::<super::ServerConfig>("Server").unwrap_err();
    assert!(error.count() == 1 && error.to_string().contains("hunter2"), "{error}");
    // A key that is not text is refused, and the order of keys is lost.
    assert!(Value::serialize(std::collections::BTreeMap::from([(1, "x")])).is_err());
    let keys = Dict::from([("b".to_string(), 1.into()), ("a".to_string(), 2.into())]);
    assert_eq!(keys.keys().next().unwrap(), "a");
}
