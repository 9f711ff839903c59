//! Config: layers, strict reading, files, secrets, live sections.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod asked;
mod checked;
mod figments;
mod files;
mod layers;
mod live;
mod mistakes;
mod named;
mod overridden;
mod random;
mod secrets;
mod words;

use cninfra::{
    agent::StartError,
    config::{ByteSize, Config, Duration, Secret},
    prelude::*,
};
use cninfra_testbed::Folder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct ServerConfig {
    name: String,
    nick: Option<String>,
    port: u16,
    #[serde(alias = "weight")]
    ratio: f64,
    verbose: bool,
    read_timeout: Duration,
    max_body: ByteSize,
    mode: Mode,
    tls: Tls,
    tags: Vec<String>,
    peers: Vec<Peer>,
    labels: BTreeMap<String, u8>,
    password: Secret,
    span: (u8, u8),
    #[serde(skip_serializing, rename = "later:cipher", alias = "later:ciphers")]
    later: cninfra::config::Later,
    #[serde(skip_serializing, rename = "hides:name:nick")]
    hides: cninfra::config::Hides,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    #[default]
    Plain,
    RoundRobin,
    Fixed {
        peer: String,
    },
    Weights(Vec<u8>),
}

// Without `rename_all`, so that the keys are named like the Rust fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    cert_file: String,
    min_version: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    host: String,
    #[serde(default)]
    port: u16,
}

#[plugin(name = "server", alias = "serverv3")]
pub struct Server {
    #[config]
    config: ServerConfig,
}

/// A plugin without settings.
#[plugin]
pub struct Plain;

#[plugin(name = "extra")]
pub struct Extra {
    #[config]
    config: ExtraConfig,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtraConfig {
    size: i8,
}

#[derive(Flavor)]
pub struct App {
    server: Dep<Server>,
    plain: Dep<Plain>,
    extra: Option<Dep<Extra>>,
}

/// Starts the agent with these files.
async fn start(files: &[(&str, &str)], config: Config) -> Result<Agent<App>, (StartError, Folder)> {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    let agent = Agent::<App>::builder().config(config).config_dir(folder.path()).record_events(true).start().await;
    agent.map_err(|error| (error, folder))
}

/// The server's config as read from these files.
async fn read(files: &[(&str, &str)]) -> ServerConfig {
    read_over(files, Config::new()).await
}

async fn read_over(files: &[(&str, &str)], config: Config) -> ServerConfig {
    let agent = match start(files, config).await {
        Ok(agent) => agent,
        Err((error, _)) => panic!("{files:?}: {error}"),
    };
    let config = agent.server.config.clone();
    agent.close().await.unwrap();
    config
}

/// The mistakes in these files, each with its help, without the folder's name.
async fn wrong(files: &[(&str, &str)]) -> Vec<String> {
    wrong_over(files, Config::new()).await
}

async fn wrong_over(files: &[(&str, &str)], config: Config) -> Vec<String> {
    let Err((error, folder)) = start(files, config).await else { panic!("{files:?} is valid") };
    assert!(error.is_config() && error.events.is_empty(), "nothing was created: {error}");
    let folder = format!("{}/", folder.path().display());
    let line = |error: &cninfra::agent::PluginError| match &error.cause {
        cninfra::agent::Cause::Config(error) => {
            let help = error.help().map(|help| format!(" | {help}")).unwrap_or_default();
            format!("{error}{help}").replace(&folder, "")
        }
        cause => panic!("{cause:?}"),
    };
    error.errors.iter().map(line).collect()
}
