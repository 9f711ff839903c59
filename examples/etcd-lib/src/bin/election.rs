//! Becomes a candidate in an election, leads for a while, and resigns.
//!
//! ```sh
//! cargo run -p etcd-lib --bin election -- 5        # seconds; run it twice: the second one waits
//! ```

use clap::{Arg, value_parser};
use cninfra::{
    Result,
    keyval::{Coordination, Election, Expiry, Kv},
};
use etcd_lib::{command, connect, say};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<()> {
    let seconds = Arg::new("seconds").value_parser(value_parser!(u64)).default_value("5").help("how long it leads");
    let arguments =
        command("election", "stands for election, leads for a while, and resigns").arg(seconds).get_matches();
    let seconds = arguments.get_one::<u64>("seconds").copied().unwrap_or_default();
    let store = connect(&arguments).await?;
    let shared: Arc<dyn Coordination> = store.clone();
    let kv = Kv::new(shared);
    let leadership = Election::new(&kv, "/election", Duration::from_secs(5)).campaign("example").await?;
    say("Elected as leader")?;
    // The key is deleted when this program ends, however that happens.
    kv.put_with("/election-leader", "example", Expiry::WithClient).await?;
    match leadership.during(sleep(Duration::from_secs(seconds))).await {
        Ok(()) => say("Resigned")?,
        Err(loss) => say(format_args!("Leads no more: {loss}"))?,
    };
    store.close().await?;
    Ok(())
}
