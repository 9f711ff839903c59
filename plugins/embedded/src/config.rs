//! [`EmbeddedConfig`]: the config section `embedded`.

use cninfra::{
    Flag,
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
    /// The file; its folder is made. Beside it is a reserve of 4 MiB, `<path>.reserve`, which is given up when the disk is full. Default: `data/<service label>.redb`; of a
    /// store without an agent, `data/embedded.redb`. It is opened whichever store the agent takes: where it has another one by config, `enabled: false` keeps the file away, if the flavor has the plugin as
    /// `Option<Dep<EmbeddedKv>>`.
    pub path: Option<PathBuf>,
    /// In memory alone: nothing is left of it when it is closed. Default: no.
    pub in_memory: bool,
    /// So many revisions are kept, for reads of older states and watches from them; older ones are thrown away by themselves, in slices of 500. 0: all, until somebody compacts them.
    /// Default: 10 000.
    pub keep_revisions: u64,
    /// So many operations a transaction may have. Default: 128.
    pub max_txn_ops: usize,
    /// So large a value may be, 1 GiB at most. Default: 1 MiB.
    pub max_value: ByteSize,
    /// So much of the file is held in memory at most. Default: 64 MiB.
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

/// redb takes no more than three times as much.
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
