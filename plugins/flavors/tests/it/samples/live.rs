use cninfra::config::{Duration, Live};

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PollerConfig {
    timeout: Duration,
}

impl Default for PollerConfig {
    fn default() -> Self {
        PollerConfig { timeout: Duration::from_secs(5) }
    }
}

#[plugin]
struct Poller {
    #[config]
    config: Live<PollerConfig>,               // clones follow the same section
}

impl Poller {
    async fn poll<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        let now = self.config.get();          // an `Arc<PollerConfig>`
        tokio::time::timeout(*now.timeout, answer).await.context("the device does not answer")
    }
}

impl Lifecycle for Poller {
    async fn init(&self, cx: &Context) -> Result<()> {
        let (log, mut changes) = (cx.log(), self.config.changes());
        cx.spawn_until_close("follow", async move {
            while let Some(config) = changes.next().await {
                info!(log, timeout = %config.timeout, "has a new config");
            }
        });
        Ok(())
    }
}
