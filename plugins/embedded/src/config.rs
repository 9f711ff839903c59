//! [`EmbeddedConfig`]: the config section `embedded`.

use cninfra::{
    Flag,
    config::{ByteSize, Duration},
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

pub(crate) const FLAGS: &[Flag] = &[Flag::new("embedded-path", "path")
    .env("EMBEDDED_PATH")
    .help("the file of the embedded key-value store. Without it, it is `data/<service label>.redb`")];

/// The config section `embedded`, in the file `embedded.conf`.
///
/// ```
/// use cninfra_embedded::EmbeddedConfig;
///
/// let config = EmbeddedConfig { path: Some("/var/lib/agent/data.redb".into()), ..EmbeddedConfig::default() };
/// assert_eq!(config.keep_revisions, 10_000);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct EmbeddedConfig {
    /// Is there a store at all? Without it, calls fail as those of a server that can not be reached. Default: yes.
    pub enabled: bool,
    /// The file; its folder is made. Beside it is a reserve of 4 MiB, `<path>.reserve`, which is given up when the disk is full. Default: `data/<service label>.redb`; of a
    /// store without an agent, `data/embedded.redb`.
    pub path: Option<PathBuf>,
    /// In memory alone: nothing is left of it when it is closed. Default: no.
    pub in_memory: bool,
    /// So many revisions are kept, for reads of older states and watches from them; older ones are thrown away by themselves, in slices of 500. 0: all, until somebody compacts them.
    /// Default: 10 000.
    pub keep_revisions: u64,
    /// So many operations a transaction may have. Default: 128.
    pub max_txn_ops: usize,
    /// So large a value may be. Default: 1 MiB.
    pub max_value: ByteSize,
    /// So much of the file is held in memory at most. Default: 64 MiB.
    pub cache: ByteSize,
    /// How long a call waits for the disk. Then it fails, and says whether it may have been applied. Default: 10 s.
    pub timeout: Duration,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        EmbeddedConfig {
            enabled: true,
            path: None,
            in_memory: false,
            keep_revisions: 10_000,
            max_txn_ops: 128,
            max_value: ByteSize(1 << 20),
            cache: ByteSize(64 << 20),
            timeout: Duration::from_secs(10),
        }
    }
}
