use cninfra::testing::{http_addr, loopback};

#[tokio::test]
async fn it_greets() {
    let agent = Agent::<Hello>::builder()
        .config(loopback())                  // a free port of 127.0.0.1; and .set("greeter", "key", value)
        // .with(ready_plugin)               the agent does not create, initialise or close it
        // .with_new(plugin)                 the agent does not create it, but runs its lifecycle
        // .bind::<dyn Http>(Arc::new(fake)) what plugins with a `Dep<dyn Http>` get
        .start().await.unwrap();
    assert_eq!(agent.rpc.http.local_addr(), Some(http_addr(&agent)));  // the flavor's fields are the running plugins
    agent.close().await.unwrap();
}
