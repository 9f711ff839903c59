//! [`EmbeddedConfig`]: the config section `embedded`.

use cninfra::{
    Flag,
    client::unless_empty,
    config::{ByteSize, Duration, Invalid},
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
    /// The path of the file. Its folder is created if needed. Beside the file is a reserve of 4 MiB, `<path>.reserve`,
    /// which is released when the disk is full. Default: `data/<service label>.redb`; for a store without an agent,
    /// `data/embedded.redb`. The file is opened whichever store the agent uses. If the config chooses another store,
    /// `enabled: false` prevents that, provided that the flavor has the plugin as `Option<Dep<EmbeddedKv>>`.
    #[serde(deserialize_with = "unless_empty")]
    pub path: Option<PathBuf>,
    /// Whether to keep the data only in memory: it is lost when the store is closed. Default: no.
    pub in_memory: bool,
    /// How many revisions are kept, for reads of older revisions and watches from them. Older ones are discarded
    /// automatically, in slices of 500. 0: all are kept, until they are compacted by a call. Default: 10 000.
    pub keep_revisions: u64,
    /// The largest number of operations in a transaction. Default: 128.
    pub max_txn_ops: usize,
    /// The largest size of a value, at most 1 GiB. Default: 1 MiB.
    pub max_value: ByteSize,
    /// How much of the file is cached in memory at most. Default: 64 MiB.
    pub cache: ByteSize,
    /// How long a call waits for the disk. Then it fails, and says whether it may have been applied. Default: 10 s.
    pub timeout: Duration,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        EmbeddedConfig {
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

/// redb accepts up to three times as much.
pub(crate) const MOST_VALUE: u64 = 1 << 30;

impl EmbeddedConfig {
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let least =
            |key: &str, is_less: bool, help: &str| is_less.then(|| Invalid::key(key, "is too small").help(help));
        let is_more = self.max_value.0 > MOST_VALUE;
        let all = [
            least("max-txn-ops", self.max_txn_ops == 0, "a transaction has at least one operation"),
            least("timeout", self.timeout.0.is_zero(), "the disk needs some time: leave it at 10s"),
            least("max-value", self.max_value.0 == 0, "a value has some bytes: leave it at 1MiB"),
            is_more
                .then(|| Invalid::key("max-value", "is too large").help("a value has 1GiB at most: cut it in parts")),
        ];
        Invalid::all(all.into_iter().flatten())
    }
}
