//! What `Rpc` brings.

use cninfra::{config::Config, http::Http, prelude::*};
use cninfra_flavors::{Local, Rpc};

const _: () = assert!(Rpc::GRAPH.before("Rest", "Probe"));

#[tokio::test]
async fn it_is_an_agent_by_itself() {
    assert_eq!(Rpc::GRAPH.names(), ["Rest", "Probe"]);
    let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
    let agent = Agent::<Rpc>::builder().config(config).start().await.unwrap();
    let routes = agent.find::<dyn Http>().unwrap().routes();
    let paths: Vec<_> = routes.iter().map(|route| (route.owner.as_str(), route.path.as_str())).collect();
    assert_eq!(paths, [("probe", "/liveness"), ("probe", "/readiness")]);
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_flavor_that_is_reached_twice_is_one() {
    #[derive(Flavor)]
    struct Both {
        rpc: Rpc,
        local: Local,
    }
    assert_eq!(Both::GRAPH.names(), ["Rest", "Probe"]);
    let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
    let agent = Agent::<Both>::builder().config(config).start().await.unwrap();
    assert!(agent.rpc.http.local_addr().is_some());
    agent.close().await.unwrap();
}
