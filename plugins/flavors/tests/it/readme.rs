//! The samples of the README: they compile, run, and are what the README shows.

#![allow(dead_code, reason = "its `main` is not called here")]

include!("readme/sample.rs");

mod test {
    use super::*;

    include!("readme/test.rs");
}

mod task {
    use cninfra::prelude::*;

    include!("readme/task.rs");
}

mod in_process {
    use super::*;

    include!("readme/in_process.rs");
}

mod logging {
    use cninfra::prelude::*;

    include!("readme/logging.rs");
}

mod config {
    use cninfra::prelude::*;

    include!("readme/config.rs");
}

#[test]
fn the_readme_shows_these_samples() {
    let readme = include_str!("../../../../README.md");
    let shown: Vec<_> = readme.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let samples = [
        ("sample.rs", include_str!("readme/sample.rs")),
        ("test.rs", include_str!("readme/test.rs")),
        ("task.rs", include_str!("readme/task.rs")),
        ("in_process.rs", include_str!("readme/in_process.rs")),
        ("logging.rs", include_str!("readme/logging.rs")),
        ("config.rs", include_str!("readme/config.rs")),
    ];
    assert_eq!(shown.len(), samples.len(), "a sample is neither compiled nor marked otherwise");
    for ((name, sample), shown) in samples.into_iter().zip(shown) {
        assert_eq!(shown, sample, "copy the sample of the README to readme/{name}");
    }
    assert!(!readme.contains("```rust,"), "all samples in Rust are compiled");
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
