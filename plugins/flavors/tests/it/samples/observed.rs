use cninfra::{metrics::Counter, status::Probing};

const FLAGS: &[Flag] =
    &[Flag::new("backend-address", "address").env("BACKEND_ADDRESS").help("where the backend listens")];

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BackendConfig {
    address: String,
}

#[plugin(flags = FLAGS)]
struct Backend {
    #[config]
    config: BackendConfig,
    probes: Counter,
}

impl Lifecycle for Backend {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.metrics().register("backend_probes", "How often it was probed", self.probes.clone())?;
        let (address, probes) = (self.config.address.clone(), self.probes.clone());
        cx.probe(Probing::new(), move || {           // called every 5 s, with a time-out of 2 s
            probes.inc();
            let address = address.clone();
            async move {
                tokio::net::TcpStream::connect(&address).await.context(format_args!("backend `{address}`"))?;
                Ok(())
            }
        });
        Ok(())
    }
}
