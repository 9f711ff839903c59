#[tokio::test]
async fn it_greets() {
    let agent = Agent::<Hello>::builder()
        .config(cninfra::config::Config::new().set("http", "endpoint", "127.0.0.1:0"))  // a free port
        // .with(ready_plugin)               not created, initialised or closed by the agent
        // .with_new(plugin)                 not created, but its lifecycle runs
        // .bind::<dyn Http>(Arc::new(fake)) what others get for `Dep<dyn Http>`
        .start().await.unwrap();
    assert!(agent.rpc.http.local_addr().is_some());                    // the flavor's fields are the running plugins
    agent.close().await.unwrap();
}
