#[plugin]
struct Sweeper;

impl Lifecycle for Sweeper {
    async fn init(&self, cx: &Context) -> Result<()> {
        let log = cx.log();
        cx.spawn_until_close("sweep", async move {
            loop {
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;  // it may end at any `await`
                log.info("swept");
            }
        });
        Ok(())
    }
}
