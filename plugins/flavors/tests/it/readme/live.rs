use cninfra::config::{Duration, Live};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PollerConfig {
    interval: Duration,
}

impl Default for PollerConfig {
    fn default() -> Self {
        PollerConfig { interval: Duration::from_secs(5) }
    }
}

#[plugin]
struct Poller {
    #[config]
    config: Live<PollerConfig>,
}

impl Lifecycle for Poller {
    async fn init(&self, cx: &Context) -> Result<()> {
        let (log, config) = (cx.log(), self.config.clone());    // a clone is the same section
        cx.spawn_until_close("poll", async move {
            loop {
                tokio::time::sleep(*config.get().interval).await;  // as it is now
                log.info("polls");
            }
        });
        let (log, mut changes) = (cx.log(), self.config.changes());
        cx.spawn_until_close("follow", async move {
            while let Some(config) = changes.next().await {
                log.info(format_args!("polls every {} from now on", config.interval));
            }
        });
        Ok(())
    }
}
