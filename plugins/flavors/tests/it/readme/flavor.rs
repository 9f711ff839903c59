use cninfra::http::Http;
use cninfra_probe::Probe;                     // of the crate `cninfra-probe`
use cninfra_rest::Rest;                       // of the crate `cninfra-rest`

#[plugin(name = "janitor")]                   // its section, files, flags and logger; without it: `house-keeper`
struct HouseKeeper;

impl Lifecycle for HouseKeeper {
    async fn init(&self, cx: &Context) -> Result<()> {
        let stop = cx.stop_handle();          // it stops the agent in order, from anywhere
        cx.spawn_until_close("call it a day", async move {
            tokio::time::sleep(std::time::Duration::from_secs(24 * 60 * 60)).await;
            stop.stop();
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct Small {
    #[provides(dyn Http)]                     // who has a `Dep<dyn Http>` gets this plugin
    http: Dep<Rest>,
    probe: Option<Dep<Probe>>,                // `enabled: false` in `probe.conf` switches it off
    keeper: Dep<HouseKeeper>,
}
