use cninfra::testing::{http_addr, loopback};

#[tokio::test]
async fn it_greets() {
    let agent = Agent::<Hello>::builder()
        .config(loopback())                  // a free port of 127.0.0.1; and .set("greeter", "key", value)
        // .with(ready_plugin)               not created, initialised or closed by the agent
        // .with_new(plugin)                 not created, but its lifecycle runs
        // .bind::<dyn Http>(Arc::new(fake)) what others get for `Dep<dyn Http>`
        .start().await.unwrap();
    assert_eq!(agent.rpc.http.local_addr(), Some(http_addr(&agent)));  // the flavor's fields are the running plugins
    agent.close().await.unwrap();
}
