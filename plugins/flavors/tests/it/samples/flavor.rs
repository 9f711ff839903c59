use cninfra::http::Http;
use cninfra_probe::Probe;                     // from the crate `cninfra-probe`
use cninfra_rest::Rest;                       // from the crate `cninfra-rest`

#[plugin(name = "janitor")]                   // names its section, file, flags and logger; the default is `house-keeper`
struct HouseKeeper;

impl Lifecycle for HouseKeeper {
    async fn init(&self, cx: &Context) -> Result<()> {
        let stop = cx.stop_handle();          // stops the agent in order, from anywhere
        cx.spawn_until_close("call it a day", async move {
            tokio::time::sleep(std::time::Duration::from_secs(24 * 60 * 60)).await;
            stop.stop();
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct Small {
    #[provides(dyn Http)]                     // plugins with a `Dep<dyn Http>` get this one
    http: Dep<Rest>,
    probe: Option<Dep<Probe>>,                // `enabled: false` in `probe.conf` switches it off
    keeper: Dep<HouseKeeper>,
}
