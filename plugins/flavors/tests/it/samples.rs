//! The Rust samples of README.md, GUIDE.md and MIGRATION.md: one file each in `samples/`, compiled and mostly run here,
//! and identical to what the documents show.

#![allow(dead_code, reason = "its `main` is not called here")]

include!("samples/sample.rs");

mod interface {
    use cninfra::prelude::*;

    include!("samples/interface.rs");

    #[tokio::test]
    async fn all_sources_are_asked() {
        let agent = Agent::<Both>::builder().start().await.unwrap();
        agent.added.names.lock().unwrap().push("bob".to_string());
        let names: Vec<_> = agent.directory.sources.iter().flat_map(|source| source.names()).collect();
        assert_eq!(names, ["alice", "bob"]);
        agent.close().await.unwrap();
    }
}

mod handlers {
    use cninfra::prelude::*;

    include!("samples/handlers.rs");

    /// The two plugins, with a server.
    #[derive(Flavor)]
    struct Book {
        #[provides(dyn Http)]
        rest: Dep<cninfra_rest::Rest>,
        contacts: Dep<Contacts>,
        phonebook: Dep<Phonebook>,
    }

    #[tokio::test]
    async fn contacts_are_written_down_and_told() {
        let http = std::sync::Arc::new(cninfra::http::testing::InProcess::default());
        let agent = Agent::<Book>::builder().bind::<dyn Http>(http.clone()).start().await.unwrap();
        let client = http.client();
        assert_eq!(client.put("/contacts/alice").json(&Contact { phone: "555-0100".to_string() }).await.status, 204);
        assert_eq!(client.get("/contacts/alice").await.text(), r#"{"phone":"555-0100"}"#);
        assert_eq!(client.get("/contacts").await.text(), r#"["alice"]"#);
        assert_eq!(client.get("/contacts?skip=1").await.text(), "[]");
        let nobody = client.get("/contacts/bob").await;
        assert_eq!((nobody.status.as_u16(), nobody.text()), (404, r#"{"error":"nobody has that name"}"#));
        assert_eq!(client.put("/contacts/bob").json(&1).await.status, 422);
        let motto = client.get("/motto").await;
        assert_eq!((motto.status.as_u16(), motto.text()), (500, r#"{"error":"internal server error"}"#));
        assert_eq!(motto.failure(), Some("the phonebook's motto: environment variable not found"));
        agent.close().await.unwrap();
    }
}

mod task {
    use cninfra::prelude::*;

    include!("samples/task.rs");

    /// Fails the first time.
    async fn sweep() -> Result<usize> {
        static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        match CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Err(Error::msg("the floor is wet")),
            calls => Ok(calls),
        }
    }

    #[derive(Flavor)]
    struct Swept {
        sweeper: Dep<Sweeper>,
    }

    #[test]
    fn it_says_how_it_is() {
        cninfra::testing::paused(async {
            let agent = Agent::<Swept>::builder().start().await.unwrap();
            let told = async || {
                tokio::time::sleep(std::time::Duration::from_secs(61)).await;
                agent.status().plugins.into_iter().map(|plugin| (plugin.state, plugin.reason)).next()
            };
            assert_eq!(told().await, Some((State::Error, Some("the floor is wet".to_string()))));
            assert_eq!(told().await, Some((State::Ok, None)));
            agent.close().await.unwrap();
        });
    }
}

mod observed {
    use cninfra::prelude::*;

    include!("samples/observed.rs");

    #[derive(Flavor)]
    struct Observed {
        backend: Dep<Backend>,
    }

    #[tokio::test]
    async fn it_is_probed_and_counted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let config = cninfra::config::Config::new().set("backend", "address", address);
        let agent = Agent::<Observed>::builder().config(config).start().await.unwrap();
        // The next probe would be in 5 s.
        tokio::time::timeout(std::time::Duration::from_secs(2), listener.accept()).await.unwrap().unwrap();
        let told = agent.metrics().expose(cninfra::metrics::Format::Text).text;
        assert!(told.contains("\nbackend_probes_total 1\n"), "{told}");
        agent.close().await.unwrap();
    }
}

mod errors {
    use cninfra::prelude::*;

    include!("samples/errors.rs");

    #[test]
    fn they_say_what_is_wrong_and_what_to_do() {
        let missing = peers(std::path::Path::new("no/such/file")).unwrap_err();
        assert!(missing.to_string().starts_with("peers of no/such/file: "), "{missing}");
    }
}

mod policy {
    use cninfra::prelude::*;

    struct Session;

    impl Session {
        async fn get(&self, key: &str) -> Result<String> {
            Ok(key.to_string())
        }
    }

    include!("samples/policy.rs");

    #[tokio::test]
    async fn a_store_that_is_down_says_so() {
        let store = Store { session: std::sync::OnceLock::new() };
        assert_eq!(store.get("a").await.unwrap_err().to_string(), "the store is not connected");
        store.session.set(Session).ok().unwrap();
        assert_eq!(store.get("a").await.unwrap(), "a");
    }
}

mod test {
    use super::*;

    include!("samples/test.rs");
}

mod in_process {
    use super::*;

    include!("samples/in_process.rs");
}

mod conformance {
    use super::*;

    include!("samples/conformance.rs");
}

mod logging {
    use cninfra::prelude::*;

    include!("samples/logging.rs");
}

mod config {
    use cninfra::prelude::*;

    include!("samples/config.rs");

    #[test]
    fn the_check_finds_what_is_missing() {
        let config = |repeat_every| PolitenessConfig { repeat_every, ..Default::default() };
        assert_eq!(config(Duration::default()).check(), Ok(()));
        assert!(
            config(Duration::from_secs(1)).check().unwrap_err().to_string().starts_with("key `greeting` is needed")
        );
    }
}

mod live {
    use cninfra::prelude::*;

    include!("samples/live.rs");

    #[tokio::test(start_paused = true)]
    async fn it_waits_as_long_as_is_said_now() {
        let poller = Poller { config: Live::default() };
        poller.config.set(PollerConfig { timeout: Duration::from_secs(1) });
        let began = tokio::time::Instant::now();
        let error = poller.poll(std::future::pending::<()>()).await.unwrap_err();
        assert!(error.to_string().starts_with("the device does not answer"), "{error}");
        assert_eq!(began.elapsed().as_secs(), 1);
    }
}

mod store {
    use cninfra::prelude::*;

    include!("samples/store.rs");

    #[tokio::test(flavor = "multi_thread")]
    async fn peers_are_kept_and_followed() {
        let config = cninfra::config::Config::new().set("embedded", "in-memory", true);
        let agent = Agent::<Peering>::builder().config(config).label("one").start().await.unwrap();
        let all = Kv::of_all(&agent.store);
        let entry = all.get("/vnf-agent/one/peers/myself").await.unwrap().unwrap();
        assert_eq!(entry.value, r#"{"address":"10.0.0.1:9191"}"#);
        agent.close().await.unwrap();
    }

    #[cfg(feature = "etcd")]
    mod either {
        use super::*;
        use cninfra::{config::Config, testing::Conformance};
        use cninfra_testbed::{Etcd as Server, Folder, require};

        include!("samples/either.rs");

        const MYSELF: &str = "/vnf-agent/one/peers/myself";

        async fn start(config: Config, dir: Option<&Folder>) -> Agent<PeeringAnywhere> {
            let builder = Agent::<PeeringAnywhere>::builder().config(config).label("one");
            let builder = match dir {
                Some(dir) => builder.config_dir(dir.path()),
                None => builder,
            };
            builder.start().await.unwrap()
        }

        fn files(folder: &Folder) -> Vec<String> {
            let entries = std::fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }

        fn in_folder(folder: &Folder) -> Config {
            Config::new().set("embedded", "path", folder.path().join("data.redb").display().to_string())
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn without_config_the_data_is_in_the_embedded_store() {
            let folder = Folder::new();
            let agent = start(in_folder(&folder), None).await;
            let kept = Kv::new(agent.embedded.as_ref().unwrap().store().unwrap()).get(MYSELF).await.unwrap().unwrap();
            assert_eq!(kept.value, r#"{"address":"10.0.0.1:9191"}"#);
            assert_eq!(Kv::of_all(&agent.peers.store).get(MYSELF).await.unwrap().unwrap().value, kept.value);
            agent.close().await.unwrap();
            assert_eq!(files(&folder), ["data.redb", "data.redb.reserve"]);
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn with_etcd_conf_it_is_in_etcd() {
            require!(Server);
            let (etcd, folder) = (Server::start(), Folder::new());
            folder.write("etcd.conf", &format!("endpoints: [\"{}\"]\ninsecure-transport: true\n", etcd.addr()));
            let data = Folder::new();
            let agent = start(in_folder(&data), Some(&folder)).await;
            assert!(etcd.ctl(&["get", MYSELF]).contains("10.0.0.1:9191"));
            let embedded = Kv::new(agent.embedded.as_ref().unwrap().store().unwrap());
            assert_eq!(embedded.list("").all().await.unwrap(), []);
            agent.close().await.unwrap();
            // The file of the embedded store is not created.
            let none = Folder::new();
            let agent = start(in_folder(&none).set("embedded", "enabled", false), Some(&folder)).await;
            assert!(etcd.ctl(&["get", MYSELF]).contains("10.0.0.1:9191") && agent.embedded.is_none());
            agent.close().await.unwrap();
            assert_eq!(files(&none), [""; 0]);
        }

        /// As the guide says about a plugin that uses the store in its own `init`.
        #[tokio::test(flavor = "multi_thread")]
        async fn it_starts_while_etcd_is_away_and_writes_when_it_comes() {
            require!(Server);
            let etcd = Server::start();
            etcd.kill();
            let config = Config::new()
                .set("embedded", "enabled", false)
                .set("etcd", "endpoints", [etcd.addr().to_string()])
                .set("etcd", "start-policy", "retry")
                .set("peers", "start-policy", "retry");
            let agent = start(config, None).await;
            etcd.restart();
            let began = std::time::Instant::now();
            while !etcd.ctl(&["get", MYSELF]).contains("10.0.0.1:9191") {
                assert!(began.elapsed().as_secs() < 60, "{:?}", agent.status());
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            agent.close().await.unwrap();
        }

        #[test]
        fn it_keeps_the_contract_of_plugins() {
            let config = || Config::new().set("embedded", "in-memory", true);
            Conformance::of("configured-store", move || Agent::<PeeringAnywhere>::builder().config(config())).check();
        }
    }
}

mod flavor {
    use cninfra::prelude::*;

    include!("samples/flavor.rs");
}

mod migration {
    use cninfra::{
        http::{Http, Routes},
        prelude::*,
    };

    include!("samples/migration.rs");

    async fn hello() -> &'static str {
        "Hello!"
    }
}

/// Files in `samples/`, with their text.
macro_rules! samples {
    ($($file:literal),*) => { &[$(($file, include_str!(concat!("samples/", $file)))),*] };
}

const README: &[(&str, &str)] = samples!["sample.rs"];

const GUIDE: &[(&str, &str)] = samples![
    "interface.rs",
    "handlers.rs",
    "task.rs",
    "observed.rs",
    "errors.rs",
    "policy.rs",
    "flavor.rs",
    "store.rs",
    "either.rs",
    "test.rs",
    "in_process.rs",
    "conformance.rs",
    "logging.rs",
    "config.rs",
    "live.rs"
];

const MIGRATION: &[(&str, &str)] = samples!["migration.rs"];

/// Panics unless the Rust blocks of a document are these samples, in this order.
#[track_caller]
fn shows(document: &str, text: &str, samples: &[(&str, &str)]) {
    let shown: Vec<_> = text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    for ((file, sample), shown) in samples.iter().zip(&shown) {
        assert_eq!(shown, sample, "{document} and samples/{file} differ: change both");
    }
    assert_eq!(
        shown.len(),
        samples.len(),
        "{document} has a Rust block without a file in samples/, or the other way round"
    );
    assert!(!text.contains("```rust,"), "a Rust block of {document} is not compiled");
}

#[test]
fn the_documents_show_these_samples() {
    shows("README.md", include_str!("../../../../README.md"), README);
    shows("GUIDE.md", include_str!("../../../../GUIDE.md"), GUIDE);
    shows("MIGRATION.md", include_str!("../../../../MIGRATION.md"), MIGRATION);
}

#[test]
fn all_samples_are_compiled() {
    let compiled = include_str!("samples.rs");
    for (file, _) in README.iter().chain(GUIDE).chain(MIGRATION) {
        assert!(compiled.contains(&format!("include!(\"samples/{file}\");")), "samples/{file} is in no module");
    }
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
