//! The store as a plugin of an agent.

use crate::support::{SOON, soon};
use cninfra::{
    agent::{Backoff, StartPolicy},
    config::Config,
    keyval::{
        Coordination, Delegate, Election, Event, Expiry, KeyVal, Kv, Leases, Loss, Reason, Revisions, WatchOptions,
    },
    metrics::Format,
    prelude::*,
    status::State,
    testing::{Conformance, Link, Outside},
};
use cninfra_etcd::{Endpoints, Etcd as Plugin};
use cninfra_testbed::{Etcd, Folder, Watcher, require};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

#[derive(Flavor)]
struct Lone {
    etcd: Dep<Plugin>,
}

/// Depends on all interfaces that a store may have.
#[plugin]
struct User {
    store: Dep<dyn KeyVal>,
    revisions: Dep<dyn Revisions>,
    leases: Dep<dyn Leases>,
    coordination: Dep<dyn Coordination>,
}

impl Lifecycle for User {
    async fn init(&self, cx: &Context) -> Result<()> {
        let mine = Kv::of_agent(&self.store, cx.service_label());
        mine.put("a", "1").await?;
        mine.put_with("here", "", Expiry::WithClient).await?;
        Ok(())
    }
}

#[derive(Flavor)]
struct Whole {
    #[provides(dyn KeyVal, dyn Revisions, dyn Leases, dyn Coordination)]
    etcd: Dep<Plugin>,
    user: Dep<User>,
}

#[derive(Flavor)]
struct Watching {
    #[provides(dyn KeyVal)]
    etcd: Dep<Plugin>,
    watcher: Dep<Watcher>,
}

fn config(endpoint: impl ToString) -> Config {
    Config::new().set("etcd", "endpoints", vec![endpoint.to_string()])
}

fn state<F>(agent: &Agent<F>) -> (State, Option<String>) {
    let status = agent.status();
    let plugin = status.plugins.iter().find(|plugin| plugin.name == "etcd").unwrap();
    (plugin.state, plugin.reason.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_use_it_by_its_interfaces() {
    require!(Etcd);
    let etcd = Etcd::start();
    let agent = Agent::<Whole>::builder().label("vpp1").config(config(etcd.endpoint())).start().await.unwrap();
    assert_eq!(etcd.get("/vnf-agent/vpp1/a").as_deref(), Some("1"));
    let user = &agent.user;
    let newest = user.revisions.revision().await.unwrap();
    user.revisions.compact(newest).await.unwrap();
    let (lease, _) = user.leases.grant(Duration::from_secs(5)).await.unwrap();
    user.leases.revoke(lease).await.unwrap();
    let all = Kv::new(user.coordination.clone().into_arc());
    let leads = Election::new(&all, "e", Duration::from_secs(5)).campaign("me").await.unwrap();
    leads.resign().await.unwrap();
    agent.etcd.client().await.unwrap().status().await.unwrap();
    let mut watch = Kv::new(user.store.clone().into_arc()).watch([""], WatchOptions::default()).await.unwrap();
    agent.close().await.unwrap();
    assert_eq!(etcd.get("/vnf-agent/vpp1/here"), None, "it ends with the agent");
    assert_eq!(etcd.get("/vnf-agent/vpp1/a").as_deref(), Some("1"));
    // The watch ends too.
    let ending = async { while watch.next().await.is_some() {} };
    tokio::time::timeout(SOON, ending).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn its_state_follows_the_server() {
    require!(Etcd);
    let etcd = Etcd::start();
    let agent = Agent::<Lone>::builder().config(config(etcd.endpoint())).start().await.unwrap();
    for _ in 0..2 {
        let _ = soon("well", async || state(&agent), |(state, _)| *state == State::Ok).await;
        etcd.kill();
        let (_, why) = soon("in error", async || state(&agent), |(state, _)| *state == State::Error).await;
        // With the cause, as in the predecessor.
        let why = why.unwrap();
        let cause = why.split_once(&format!("at {}: the store cannot be reached: ", etcd.endpoint()));
        assert!(cause.is_some_and(|(_, cause)| !cause.is_empty()), "{why}");
        etcd.restart();
    }
    let _ = soon("well again", async || state(&agent), |(state, _)| *state == State::Ok).await;
    let told = agent.metrics().expose(Format::Text).text;
    for line in ["keyval_up{plugin=\"etcd\"} 1", "keyval_reconnects_total{plugin=\"etcd\"} 2"] {
        assert!(told.lines().any(|told| told == line), "{line} is not in {told}");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ignored_is_told_as_it_is_when_the_server_comes() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.kill();
    let config = config(etcd.endpoint()).set("etcd", "operation-timeout", "300ms");
    let agent = Agent::<Lone>::builder().config(config).start_policy("etcd", StartPolicy::Ignore);
    let agent = agent.start().await.unwrap();
    let (is, why) = state(&agent);
    assert!(is == State::Degraded && why.as_ref().unwrap().ends_with("; ignored"), "{is:?} {why:?}");
    for _ in 0..2 {
        etcd.restart();
        let found = soon("well", async || state(&agent), |(state, _)| *state == State::Ok).await;
        assert_eq!(found, (State::Ok, None));
        Kv::new(agent.etcd.clone().into_arc()).put("k", "v").await.unwrap();
        etcd.kill();
        let (_, why) = soon("in error", async || state(&agent), |(state, _)| *state == State::Error).await;
        assert!(why.unwrap().contains(&etcd.endpoint()));
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_config_it_is_off() {
    let agent = Agent::<Lone>::builder().config(Config::new()).start().await.unwrap();
    let (is, why) = state(&agent);
    assert_eq!(is, State::Disabled);
    let why = why.unwrap();
    assert!(why.contains("no endpoints") && why.contains("etcd.conf") && why.contains("ETCD_ENDPOINTS"), "{why}");
    let error = Kv::new(agent.etcd.clone().into_arc()).get("k").await.unwrap_err();
    assert_eq!(*error.reason(), Reason::NOT_CONFIGURED);
    assert!(error.help().unwrap().contains("ETCD_ENDPOINTS"));
    assert!(agent.etcd.store().is_none());
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_its_own_turns_it_on_whatever_that_says() {
    let start = async |name: &str, text: &str| {
        let folder = Folder::new();
        folder.write(name, text);
        // There may or may not be an etcd at the default address.
        let builder = Agent::<Lone>::builder().config_dir(folder.path()).start_policy("etcd", StartPolicy::Ignore);
        let agent = builder.start().await.unwrap();
        let is = (agent.etcd.is_configured(), state(&agent).0 != State::Disabled);
        agent.close().await.unwrap();
        is
    };
    let on = (true, true);
    let started = tokio::join!(
        start("etcd.conf", ""),
        start("etcdv3.conf", "dial-timeout: 1s\n"),
        start("agent.yaml", "etcd:\n"),
        start("redis.conf", "")
    );
    assert_eq!(started, (on, on, on, (false, false)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_the_predecessor_are_read() {
    require!(Etcd);
    let etcd = Etcd::start();
    let text = format!(
        "dial-timeout: 1000000000\noperation-timeout: 3000000000\nallow-delayed-start: true\n\
         reconnect-interval: 2000000000\nsession-ttl: 5000000000\nresync-after-reconnect: true\n\
         insecure-skip-tls-verify: false\nexpand-env-variables: false\nca-file: \"\"\ncert-file: \"\"\nkey-file: \"\"\nserver-name: \"\"\n\
         username: \"\"\npassword: \"\"\nendpoints:\n - \"{}\"\n",
        etcd.addr()
    );
    // The predecessor's first version, and later ones.
    for (name, is_plain) in [("etcdv3.conf", true), ("etcd.conf", false)] {
        let folder = Folder::new();
        folder.write(name, &format!("insecure-transport: {is_plain}\n{text}"));
        let agent = Agent::<Lone>::builder().config_dir(folder.path()).start().await.unwrap();
        let _ = soon("well", async || state(&agent), |(state, _)| *state == State::Ok).await;
        Kv::new(agent.etcd.clone().into_arc()).put("k", "v").await.unwrap();
        agent.close().await.unwrap();
    }
    let folder = Folder::new();
    folder.write("etcd.conf", "insecure-skip-tls-verify: true\nexpand-env-variables: true\n");
    let error = Agent::<Lone>::builder().config_dir(folder.path()).start().await.unwrap_err();
    let told = format!("{error:?}");
    // With advice on what to do instead.
    assert!(told.contains("insecure-skip-tls-verify") && told.contains("set `ca-file`"), "{told}");
    assert!(told.contains("expand-env-variables"), "{told}");
}

#[test]
fn endpoints_are_a_list_or_a_text_with_commas() {
    for (value, expected) in [
        ("a:1", vec!["a:1"]),
        ("a:1,b:2", vec!["a:1", "b:2"]),
        (" a:1 , b:2,", vec!["a:1", "b:2"]),
        ("[a:1, \"b:2\"]", vec!["a:1", "b:2"]),
    ] {
        let config = Config::new().set("etcd", "endpoints", value);
        let read =
            Agent::<Lone>::builder().config(config).figment().extract_inner::<Endpoints>("etcd.endpoints").unwrap();
        assert_eq!(read.0, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_start_before_the_server() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.kill();
    let error = Agent::<Lone>::builder().config(config(etcd.endpoint())).start().await.unwrap_err();
    assert!(format!("{error:?}").contains(&etcd.endpoint()), "{error:?}");
    let delayed = config(etcd.endpoint()).set("etcd", "allow-delayed-start", true);
    let delayed = Agent::<Lone>::builder().config(delayed).start().await.unwrap();
    let policy = StartPolicy::Retry(Backoff::new(Duration::from_millis(50), Duration::from_millis(500)));
    let retried = Agent::<Lone>::builder().config(config(etcd.endpoint())).start_policy("etcd", policy);
    let retried = retried.start().await.unwrap();
    etcd.restart();
    for agent in [&delayed, &retried] {
        let _ = soon("well", async || state(agent), |(state, _)| *state == State::Ok).await;
        Kv::new(agent.etcd.clone().into_arc()).put("k", "v").await.unwrap();
    }
    delayed.close().await.unwrap();
    retried.close().await.unwrap();
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    require!(Etcd);
    let etcd = Etcd::start();
    let link = Link::to(etcd.addr()).unwrap();
    let endpoint = link.addr();
    let call = |flavor: &Lone| {
        let etcd = flavor.etcd.clone();
        async move { Kv::new(etcd.clone().into_arc()).put("k", "v").await }
    };
    // The client's library has a task for each call in flight, of which there are at most 128, and one more until the
    // request is sent, if many begin at the same moment.
    let outside = Outside::behind(link, call).queue(128).tasks(260);
    Conformance::of("etcd", move || Agent::<Lone>::builder().config(config(endpoint)))
        .outside(outside)
        .fails("a file that is not there", move || {
            let config = config(endpoint).set("etcd", "ca-file", "/no/such/file.pem");
            Agent::<Lone>::builder().config(config)
        })
        .check();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_starts_without_the_server_and_is_told_when_it_comes() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.kill();
    let policy = StartPolicy::Retry(Backoff::new(Duration::from_millis(50), Duration::from_millis(100)));
    let config = config(etcd.endpoint()).set("etcd", "operation-timeout", "300ms");
    let agent = Agent::<Watching>::builder().config(config).start_policy("etcd", policy).start().await.unwrap();
    let mut watch = agent.watcher.take();
    // The watch outlives failed attempts.
    let third = |(_, why): &(State, Option<String>)| why.as_ref().is_some_and(|why| why.contains("attempt 3"));
    let _ = soon("a third attempt", async || state(&agent), third).await;
    let status = agent.status();
    assert!(status.state == State::Degraded && status.is_ready(), "{status:?}");
    etcd.restart();
    let is_well = |state: &State| {
        assert_ne!(*state, State::Error, "what was said of it while it was away holds no more");
        *state == State::Ok
    };
    let _ = soon("well", async || agent.status().state, is_well).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(is_well(&agent.status().state));
    etcd.ctl(&["put", "w/k", "told"]);
    crate::support::until(&mut watch, |event| match event {
        Event::Item(entry) => entry.value == "told",
        Event::Changes { changes, .. } => changes[0].key == "w/k",
        _ => false,
    })
    .await;
    agent.close().await.unwrap();
}

/// Leads whenever it can, as the documentation of elections shows.
#[plugin]
struct Leader {
    store: Dep<dyn Coordination>,
    leads: Arc<AtomicBool>,
}

impl Lifecycle for Leader {
    async fn init(&self, cx: &Context) -> Result<()> {
        let election = Election::new(&Kv::of_all(&self.store), "leader", Duration::from_secs(10));
        let (log, me, leads) = (cx.log(), cx.service_label().to_string(), self.leads.clone());
        cx.spawn_until_close("lead", async move {
            loop {
                let leadership = match election.campaign(me.clone()).await {
                    Ok(leadership) => leadership,
                    Err(error) => return log.error(format_args!("no election: {error}")),
                };
                leads.store(true, Relaxed);
                if let Err(loss) = leadership.during(std::future::pending::<()>()).await {
                    log.warn(format_args!("leads no more: {loss}"));
                }
            }
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct Leading {
    #[provides(dyn Coordination)]
    etcd: Dep<Plugin>,
    leader: Dep<Leader>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_stops_leads_no_more() {
    require!(Etcd);
    let etcd = Etcd::start();
    let start = async |label: &str| {
        Agent::<Leading>::builder().label(label).config(config(etcd.endpoint())).start().await.unwrap()
    };
    let standing_for = |name: &str| etcd.ctl(&["get", "--prefix", "--print-value-only", name]);
    let standing = || standing_for("leader/");
    let first = start("first").await;
    let _ = soon("the first leads", async || first.leader.leads.load(Relaxed), |leads| *leads).await;
    let second = start("second").await;
    let _ = soon("both stand", async || standing(), |standing| standing.contains("second")).await;
    // Nobody drops this one.
    let all = Kv::new(first.leader.store.clone().into_arc());
    let kept = Election::new(&all, "kept", Duration::from_secs(10)).campaign("first").await.unwrap();
    first.close().await.unwrap();
    // Without waiting for the lease to expire.
    assert_eq!((standing().trim(), standing_for("kept/").trim()), ("second", ""));
    assert_eq!(kept.lost().await, Loss::Closed);
    let began = std::time::Instant::now();
    let _ = soon("the second leads", async || second.leader.leads.load(Relaxed), |leads| *leads).await;
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    second.close().await.unwrap();
    assert_eq!(standing().trim(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_for_election_in_a_task_of_his_own_learns_that_it_was_closed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let agent = Agent::<Whole>::builder().label("vpp1").config(config(etcd.endpoint())).start().await.unwrap();
    let all = Kv::new(agent.user.coordination.clone().into_arc());
    agent.close().await.unwrap();
    let campaign = tokio::spawn(async move { Election::new(&all, "e", Duration::from_secs(5)).campaign("me").await });
    let error = tokio::time::timeout(SOON, campaign).await.unwrap().unwrap().unwrap_err();
    assert_eq!(*error.reason(), Reason::Closed, "{error:?}");
}
