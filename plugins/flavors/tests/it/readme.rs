//! The sample of the README: it compiles, runs, and is what the README shows.

#![allow(dead_code, reason = "its `main` is not called here")]

include!("readme_sample.rs");

#[test]
fn the_readme_shows_this_sample() {
    let readme = include_str!("../../../../README.md");
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(include_str!("readme_sample.rs")), "copy the sample of the README to readme_sample.rs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_greets() {
    let config = cninfra::config::Config::new().set("http", "endpoint", "127.0.0.1:0");
    let agent = Agent::<Hello>::builder().config(config).start().await.unwrap();
    let addr = agent.rpc.http.local_addr().unwrap();
    let asked = tokio::task::spawn_blocking(move || cninfra_testbed::request(addr, "GET", "/hello").body);
    assert_eq!(asked.await.unwrap(), "Hello!");
    agent.close().await.unwrap();
}
