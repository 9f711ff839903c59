use cninfra::status::State;

#[plugin]
struct Sweeper;

impl Lifecycle for Sweeper {
    async fn init(&self, cx: &Context) -> Result<()> {
        let of_task = cx.clone();                    // a task cannot borrow `self`: it gets clones
        cx.spawn_until_close("sweep", async move {
            loop {
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;  // it may be ended at any `await`
                match sweep().await {
                    Ok(count) => {
                        info!(of_task.log(), count, "swept");
                        of_task.status().report(State::Ok);
                    }
                    // shown by `/readiness`, with the reason, until it is `Ok` again
                    Err(error) => of_task.status().report_because(State::Error, error.to_string()),
                }
            }
        });
        Ok(())
    }
}
