//! The store in tests whose clock is paused: what its threads do takes no time there.

use cninfra::{
    config::Config,
    idxmap::{IdxMap, mirror_typed},
    keyval::{Bytes, KeyVal, Kv, SerdeJson, WatchOptions},
    prelude::*,
    testing::paused,
};
use cninfra_embedded::EmbeddedKv;
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[plugin]
struct Ports {
    store: Dep<dyn KeyVal>,
    #[default(IdxMap::new("ports"))]
    ports: IdxMap<String, u16>,
}

impl Lifecycle for Ports {
    async fn init(&self, cx: &Context) -> Result<()> {
        let kv = Kv::of_agent(&self.store, cx.service_label()).scoped("ports/").typed::<u16, _>(SerdeJson);
        let watch = kv.watch([""], WatchOptions::default()).await?;
        kv.put("http", &80).await?;
        let (log, ports) = (cx.log(), self.ports.clone());
        let name = |key: &Bytes| Ok::<_, Error>(String::from_utf8(key.to_vec())?);
        cx.spawn_until_close("mirror the ports", async move {
            mirror_typed(&ports, watch, name, |key, error| log.warn(format_args!("{key:?}: {error}"))).await;
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct App {
    #[provides(dyn KeyVal)]
    store: Dep<EmbeddedKv>,
    ports: Dep<Ports>,
}

#[test]
fn what_the_store_does_takes_no_time_of_a_paused_clock() {
    for _ in 0..10 {
        paused(async {
            let began = Instant::now();
            let in_memory = Config::new().set("embedded", "in-memory", true);
            let agent = Agent::<App>::builder().config(in_memory).start().await.unwrap();
            assert_eq!(began.elapsed(), Duration::ZERO);
            sleep(Duration::from_secs(1)).await;
            assert_eq!(agent.ports.ports.get("http").map(|port| *port), Some(80));
            let kv = Kv::of_all(&agent.store).scoped("x/");
            for number in 0..20 {
                kv.put(&format!("{number}"), "").await.unwrap();
            }
            assert_eq!(kv.list("").all().await.unwrap().len(), 20);
            assert_eq!(began.elapsed(), Duration::from_secs(1));
            agent.close().await.unwrap();
        });
    }
}
