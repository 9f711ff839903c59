//! Overridden values are checked, too.

use super::{read_over, wrong_over};
use cninfra::{config::Config, prelude::*};
use cninfra_testbed::Folder;
use serde::{Deserialize, Serialize};

#[tokio::test]
async fn what_is_wrong_below_is_told_with_what_is_wrong_above() {
    let program =
        Config::new().set("server", "read-timeout", "5").set("server", "port", "x").set("server", "name", "low");
    let file = "port: 2\nread-timeout: 5s\ntls: {min-version: x}";
    let wrong = wrong_over(&[("server.conf", file)], program).await;
    let [tls, port, time] = &wrong[..] else { panic!("{wrong:?}") };
    assert!(tls.starts_with("server.conf:3:20: key `server.tls.min-version` takes a whole number"), "{wrong:?}");
    assert!(port.starts_with("set by the program: key `server.port` takes a whole number"), "{wrong:?}");
    assert!(time.starts_with("set by the program: key `server.read-timeout`: `5` has no unit"), "{wrong:?}");
}

#[tokio::test]
async fn a_part_of_a_mapping_is_no_mistake_where_another_layer_has_the_rest() {
    /// Needs both keys, or none.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(try_from = "Ends")]
    struct Span {
        low: u8,
        high: u8,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ends {
        low: Option<u8>,
        high: Option<u8>,
    }
    impl TryFrom<Ends> for Span {
        type Error = &'static str;
        fn try_from(Ends { low, high }: Ends) -> std::result::Result<Self, Self::Error> {
            let (Some(low), Some(high)) = (low, high) else { return Err("it has two ends") };
            Ok(Span { low, high })
        }
    }
    #[derive(Default, Serialize, Deserialize)]
    struct Spans {
        span: Span,
        needed: u8,
    }
    #[plugin(name = "spans", no_lifecycle)]
    struct Spanned {
        #[config]
        config: Spans,
    }
    #[derive(Flavor)]
    struct Lone {
        spans: Dep<Spanned>,
    }
    let start = async |file: &str| {
        let folder = Folder::new();
        folder.write("spans.conf", file);
        let config = Config::new().set("spans", "span.low", 1).set("spans", "needed", 2);
        let agent = Agent::<Lone>::builder().config(config).config_dir(folder.path()).start().await;
        agent.map_err(|error| error.to_string())
    };
    let agent = start("span: {high: 3}").await.unwrap();
    assert_eq!((agent.spans.config.span.low, agent.spans.config.span.high, agent.spans.config.needed), (1, 3, 2));
    agent.close().await.unwrap();
    let error = start("span: {high: 3, low: x}").await.unwrap_err();
    assert!(error.contains("spans.conf:1:22: key `spans.span.low` takes a whole number"), "{error}");
}

#[tokio::test]
async fn what_no_other_layer_completes_is_no_part() {
    let program = Config::new()
        .set("server", "peers", "[{port: 1}, {host: b}]")
        .set("server", "mode", "{fixed: {}}")
        .set("server", "tls", "{cert-file: x}");
    let file = "peers: [{host: a}]\nmode: plain\ntls: {min-version: 1}";
    let wrong = wrong_over(&[("server.conf", file)], program).await;
    let expected = [("peers[0]", "host", "peers[0]"), ("mode.fixed", "peer", "fixed")].map(|(key, missing, of)| {
        format!(
            "set by the program: key `server.{key}`: the key `{missing}` is missing | set it: the type of `{of}` has no default for it alone"
        )
    });
    assert!(wrong.len() == 2 && expected.iter().all(|told| wrong.contains(told)), "{wrong:?}");
}

#[tokio::test]
async fn a_key_of_the_agents_that_can_not_be_there_is_told_below_one_too() {
    let program = Config::new().set("server", "enabled", false).set("agent", "start-policy", "retry");
    let files = [("server.conf", "enabled: true"), ("agent.yaml", "agent: {start-policy: fail}")];
    let wrong = wrong_over(&files, program).await;
    let of = |place: &str| wrong.iter().filter(|told| told.starts_with(place)).count();
    assert_eq!((of("server.conf:1:1: "), of("agent.yaml:1:9: "), of("set by the program: ")), (1, 1, 2), "{wrong:?}");
}

#[tokio::test]
async fn the_file_of_a_secret_that_is_overridden_need_not_be_there() {
    let program = Config::new().set("server", "password-file", "/nowhere");
    assert_eq!(read_over(&[("server.conf", "password: mine")], program).await.password.reveal(), "mine");
}
