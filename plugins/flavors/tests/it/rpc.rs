//! Tests of `Rpc`.

use cninfra::{config::Config, http::Http, prelude::*};
use cninfra_flavors::{Local, Rpc};

const _: () = assert!(Rpc::GRAPH.before("Rest", "Probe"));

#[tokio::test]
async fn it_is_an_agent_by_itself() {
    assert_eq!(Rpc::GRAPH.names(), ["Rest", "LogManager", "Probe", "Pages"]);
    let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
    let agent = Agent::<Rpc>::builder().config(config).start().await.unwrap();
    let routes = agent.find::<dyn Http>().unwrap().routes();
    for (owner, path) in
        [("probe", "/liveness"), ("probe", "/readiness"), ("log-manager", "/log/list"), ("pages", "/agent/graph")]
    {
        assert!(routes.iter().any(|route| route.owner == owner && route.path == path), "{path} in {routes:?}");
    }
    agent.close().await.unwrap();
}

#[tokio::test]
async fn its_pages_can_be_switched_off() {
    let config = cninfra::testing::loopback().set("pages", "enabled", "false");
    let agent = Agent::<Rpc>::builder().config(config).start().await.unwrap();
    let routes = agent.find::<dyn Http>().unwrap().routes();
    assert!(routes.iter().all(|route| !route.path.starts_with("/agent")), "{routes:?}");
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_section_that_is_named_as_the_type_of_its_plugin_is_told_with_its_name() {
    let config = Config::new().set("rest", "port", 1);
    let report = Agent::<Rpc>::builder().config(config).start().await.err().unwrap().to_string();
    assert!(report.contains("there is no section `rest`") && report.contains("did you mean `http`?"), "{report}");
}

#[tokio::test]
async fn a_flavor_that_is_reached_twice_is_one() {
    #[derive(Flavor)]
    struct Both {
        rpc: Rpc,
        local: Local,
    }
    assert_eq!(Both::GRAPH.names(), ["Rest", "LogManager", "Probe", "Pages"]);
    let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
    let agent = Agent::<Both>::builder().config(config).start().await.unwrap();
    assert!(agent.rpc.http.local_addr().is_some());
    agent.close().await.unwrap();
}
