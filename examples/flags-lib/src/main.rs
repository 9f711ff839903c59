//! Flags of every type. A plugin declares them, and each sets a key of its config section. So the same value can come
//! from a flag, a variable or a file, and is checked by the type of its field.
//!
//! ```sh
//! cargo run -p flags-lib -- --ep-string mystring --ep-uint 112
//! EP_BOOL=false cargo run -p flags-lib
//! cargo run -p flags-lib -- --help
//! ```
//!
//! Ctrl-C stops it.

use cninfra::{config::Duration, prelude::*};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

const FLAGS: &[Flag] = &[
    Flag::new("ep-string", "string").env("EP_STRING").help("a text"),
    Flag::new("ep-int", "int").env("EP_INT").help("a whole number"),
    Flag::new("ep-int64", "int64").env("EP_INT64").help("a large whole number"),
    Flag::new("ep-uint", "uint").env("EP_UINT").help("a whole number from 0 on"),
    Flag::new("ep-uint64", "uint64").env("EP_UINT64").help("a large whole number from 0 on"),
    Flag::new("ep-bool", "bool").env("EP_BOOL").help("true or false"),
    Flag::new("ep-duration", "duration").env("EP_DURATION").help("a time, such as 1m30s"),
];

/// The section `flags`.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FlagsConfig {
    string: String,
    int: i32,
    int64: i64,
    uint: u32,
    uint64: u64,
    bool: bool,
    duration: Duration,
}

impl Default for FlagsConfig {
    fn default() -> Self {
        FlagsConfig {
            string: "default".to_string(),
            int: 1122,
            int64: -3344,
            uint: 112_233,
            uint64: 7788,
            bool: true,
            duration: Duration::from_secs(5),
        }
    }
}

#[plugin(flags = FLAGS)]
struct Flags {
    #[config]
    config: FlagsConfig,
    #[context]
    log: Logger,
}

impl Lifecycle for Flags {
    async fn init(&self, _: &Context) -> Result<()> {
        let FlagsConfig { string, int, int64, uint, uint64, bool, duration } = &self.config;
        self.log.info("Printing flags...");
        self.log.info(format_args!("testFlagString:'{string}'"));
        self.log.info(format_args!("testFlagInt:'{int}'"));
        self.log.info(format_args!("testFlagInt64:'{int64}'"));
        self.log.info(format_args!("testFlagUint:'{uint}'"));
        self.log.info(format_args!("testFlagUint64:'{uint64}'"));
        self.log.info(format_args!("testFlagBool:'{bool}'"));
        self.log.info(format_args!("testFlagDur:'{duration}'"));
        Ok(())
    }
}

#[derive(Flavor)]
struct FlagsAgent {
    flags: Dep<Flags>,
}

fn main() -> ExitCode {
    Agent::<FlagsAgent>::main()
}
