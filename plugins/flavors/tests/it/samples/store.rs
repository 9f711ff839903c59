use cninfra::keyval::{Expiry, KeyVal, Kv, SerdeJson, TypedUpdate, WatchOptions};
use cninfra_embedded::EmbeddedKv;             // from the crate `cninfra-embedded`; `cninfra::keyval` needs the feature `keyval`

#[derive(serde::Serialize, serde::Deserialize)]
struct Peer {
    address: String,
}

#[plugin]
struct Peers {
    store: Dep<dyn KeyVal>,                   // whichever store the flavor has
}

impl Lifecycle for Peers {
    async fn init(&self, cx: &Context) -> Result<()> {  // the store has started before
        // values in JSON, below `/vnf-agent/<label of the agent>/peers/`
        let peers = Kv::of_agent(&self.store, cx.service_label()).scoped("peers/").typed(SerdeJson);
        let myself = Peer { address: "10.0.0.1:9191".to_string() };
        peers.put_with("myself", &myself, Expiry::WithClient).await?;  // or `Expiry::After(..)`; a plain `put` never expires
        let mut watch = peers.watch([""], WatchOptions::default()).await?;
        let log = cx.log();
        cx.spawn_until_close("follow peers", async move {
            while let Some(update) = watch.next().await {
                match update {
                    TypedUpdate::Put((entry, Ok(Peer { address }))) => info!(log, key = %entry.key.escape_ascii(), address, "is there"),
                    TypedUpdate::Put((_, Err(error))) => warn!(log, "{error:#}"),  // not valid JSON: the watch goes on
                    TypedUpdate::Deleted { key, .. } => info!(log, key = %key.escape_ascii(), "is gone"),
                    TypedUpdate::Synced(_) => info!(log, "all peers that were there have been reported"),
                    _ => {}
                }
            } // it ends only when the store is closed, with the agent
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct Peering {
    #[provides(dyn KeyVal)]
    store: Dep<EmbeddedKv>,                   // or `Dep<Etcd>`, `Dep<Redis>`: no other line changes
    peers: Dep<Peers>,
}
