//! The embedded store.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod contract;
mod files;
mod history;
mod life;
mod oracle;
mod paused;
mod plugin;

use cninfra_embedded::EmbeddedConfig;
use std::path::PathBuf;

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A store in a folder of its own.
fn config(name: &str) -> EmbeddedConfig {
    EmbeddedConfig { path: Some(folder(name).join("data.redb")), ..EmbeddedConfig::default() }
}
