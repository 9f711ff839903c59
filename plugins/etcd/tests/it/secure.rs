//! TLS and users.

use crate::{
    faults::{has, is_end, is_lost},
    support::{SOON, kv, shown, soon, until},
};
use cninfra::keyval::{Applied, Kv, Reason, Revisions as _, WatchOptions};
use cninfra_etcd::{Connection, EtcdConfig, EtcdStore};
use cninfra_testbed::{Certs, Etcd, EtcdCluster, EtcdOptions, Folder, require};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

async fn open(config: &EtcdConfig) -> Kv<EtcdStore> {
    Kv::new(Arc::new(EtcdStore::connect(config.clone()).await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_spoken_to_who_has_a_certificate_that_is_trusted() {
    require!(Etcd);
    let certs = Arc::new(Certs::new());
    let etcd = EtcdOptions::default().tls(&certs).start();
    let config = EtcdConfig { ca_file: Some(certs.ca()), ..EtcdConfig::at([etcd.addr().to_string()]) };
    let kv = open(&config).await;
    kv.put("k", "v").await.unwrap();
    assert_eq!(etcd.get("k").as_deref(), Some("v"));
    // A name that is in no certificate, and one that is.
    let wrong = EtcdConfig { server_name: Some("example.com".to_string()), ..config.clone() };
    let error = EtcdStore::connect(wrong).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Unavailable, Applied::No), "{error:?}");
    assert!(format!("{error:?}").contains("certificate"), "{error:?}");
    open(&EtcdConfig { server_name: Some("localhost".to_string()), ..config.clone() }).await;
    // An authority that the system does not trust, and a certificate of another authority.
    let untrusted = EtcdConfig::at([etcd.endpoint()]);
    assert!(untrusted.is_tls());
    let other = EtcdConfig { ca_file: Some(Certs::new().ca()), ..config.clone() };
    for config in [untrusted, other, EtcdConfig { insecure_transport: true, ..config.clone() }] {
        let error = EtcdStore::connect(config).await.unwrap_err();
        assert!(matches!(error.reason(), Reason::Unavailable | Reason::Invalid), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_may_ask_for_a_certificate() {
    require!(Etcd);
    let certs = Arc::new(Certs::new());
    let etcd = EtcdOptions::default().mutual_tls(&certs).start();
    let without = EtcdConfig { ca_file: Some(certs.ca()), ..EtcdConfig::at([etcd.addr().to_string()]) };
    let error = EtcdStore::connect(without.clone()).await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Unavailable, "{error:?}");
    let with = EtcdConfig { cert_file: Some(certs.client()), key_file: Some(certs.client_key()), ..without };
    let kv = open(&with).await;
    let mut watch = kv.watch([""], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    // `Lost` is not reported if the connection is back before the subscriber has taken that event.
    etcd.kill();
    until(&mut watch, is_lost).await;
    etcd.restart();
    etcd.ctl(&["put", "k", "v"]);
    assert_eq!(shown(&until(&mut watch, has("k")).await), ["Resumed", "put k=v (new)"]);
}

#[tokio::test]
async fn a_file_that_can_not_be_used_is_named() {
    let missing = EtcdConfig { ca_file: Some("/no/such/ca.pem".into()), ..EtcdConfig::at(["127.0.0.1:1"]) };
    let error = EtcdStore::open(missing).await.unwrap_err();
    assert!(error.help().unwrap().contains("`ca-file`") && error.help().unwrap().contains("/no/such/ca.pem"));
    let half = EtcdConfig { cert_file: Some("/c.pem".into()), ..EtcdConfig::at(["127.0.0.1:1"]) };
    let wrong = EtcdStore::open(half).await.unwrap_err();
    assert_eq!(*wrong.reason(), Reason::Invalid);
    // As text, with advice about the key.
    let told = format!("{wrong:#}");
    assert!(told.contains("key `cert-file` ") && !told.contains("Wrong {"), "{told}");
}

#[tokio::test]
async fn a_file_that_has_not_what_it_should_have_is_named() {
    let (certs, others, folder) = (Certs::new(), Certs::new(), Folder::new());
    for (name, text) in [
        ("empty.pem", ""),
        ("junk.pem", "no certificate"),
        ("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
    ] {
        folder.write(name, text);
    }
    let file = |name: &str| folder.path().join(name);
    let right = EtcdConfig {
        ca_file: Some(certs.ca()),
        cert_file: Some(certs.client()),
        key_file: Some(certs.client_key()),
        ..EtcdConfig::at(["127.0.0.1:1"])
    };
    EtcdStore::open(right.clone()).await.unwrap();
    let told = async |config: EtcdConfig| {
        let error = EtcdStore::open(config).await.unwrap_err();
        assert_eq!((error.reason(), error.applied()), (&Reason::Invalid, Applied::No), "{error:?}");
        (error.help().unwrap().to_string(), format!("{error:#}"))
    };
    for name in ["empty.pem", "junk.pem", "broken.pem"] {
        let (help, _) = told(EtcdConfig { ca_file: Some(file(name)), ..right.clone() }).await;
        assert!(help.contains("`ca-file`") && help.contains(name), "{help}");
        let (help, _) = told(EtcdConfig { cert_file: Some(file(name)), ..right.clone() }).await;
        assert!(help.contains("`cert-file`") && help.contains(name), "{help}");
        let (help, _) = told(EtcdConfig { key_file: Some(file(name)), ..right.clone() }).await;
        assert!(help.contains("`key-file`") && help.contains(name), "{help}");
    }
    let (help, told_of) = told(EtcdConfig { key_file: Some(file("locked.key")), ..right.clone() }).await;
    assert!(help.contains("locked.key") && told_of.contains("password"), "{help} {told_of}");
    // Each is valid, but they do not belong together.
    let (help, _) = told(EtcdConfig { key_file: Some(others.client_key()), ..right.clone() }).await;
    let (cert, key) = (certs.client(), others.client_key());
    assert!(help.contains(cert.to_str().unwrap()) && help.contains(key.to_str().unwrap()), "{help}");
    for name in ["", "not a name"] {
        let (help, _) = told(EtcdConfig { server_name: Some(name.to_string()), ..right.clone() }).await;
        assert!(help.contains("`server-name`"), "{help}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_asked_for_and_signs_on_again() {
    require!(Etcd);
    let etcd = EtcdOptions::default().arg("--auth-token-ttl=3").start();
    let everybody = kv(etcd.endpoint()).await;
    everybody.put("before", "1").await.unwrap();
    etcd.add_user("alice", "hunter2", "p/");
    etcd.enable_auth("rootpw");
    let error = everybody.get("before").await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Denied, "{error:?}");
    let config = |user: &str, password: &str| EtcdConfig {
        username: Some(user.to_string()),
        password: password.to_string().into(),
        ..EtcdConfig::at([etcd.endpoint()])
    };
    let error = EtcdStore::connect(config("alice", "hunter3")).await.unwrap_err();
    assert_eq!(
        (error.reason(), error.help()),
        (&Reason::Denied, Some("look at `username` and `password`")),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("hunter"));
    let alice = open(&config("alice", "hunter2")).await;
    // The user may not read the probe's key, but the server is up nevertheless.
    let mut connection = alice.store().connection();
    timeout(SOON, connection.wait_for(|state| *state == Connection::Up)).await.unwrap().unwrap();
    let error = alice.put("q", "1").await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::No));
    let mut watch = alice.watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    alice.put("p/k", "1").await.unwrap();
    until(&mut watch, has("p/k")).await;
    // The token becomes invalid: it expires, and the server forgets it.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    alice.put("p/k", "2").await.unwrap();
    until(&mut watch, has("p/k")).await;
    etcd.restart();
    let _ = soon("it is let in again", || alice.put("p/k", "3"), Result::is_ok).await;
    let mut told = shown(&until(&mut watch, has("p/k")).await);
    // `Lost` is not reported if the connection is back before the subscriber has taken that event.
    told.retain(|told| told != "Lost");
    assert_eq!(told, ["Resumed", "put p/k=3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_what_is_between_sees_what_is_his() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "/vnf-agent/one/a/");
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "/vnf-agent/one/c/"]);
    etcd.enable_auth("rootpw");
    let config = EtcdConfig {
        username: Some("bob".to_string()),
        password: "pw".to_string().into(),
        ..EtcdConfig::at([etcd.endpoint()])
    };
    let kv = open(&config).await.scoped("/vnf-agent/one/");
    let mut watch = kv.watch(["a/", "c/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    until(&mut watch, is_end).await;
    kv.put("a/1", "1").await.unwrap();
    assert_eq!(shown(&until(&mut watch, has("a/1")).await), ["put a/1=1 (new)"]);
    kv.put("c/1", "1").await.unwrap();
    assert_eq!(shown(&until(&mut watch, has("c/1")).await), ["put c/1=1 (new)"]);
}

/// The config of a user with the password `pw`.
fn as_user(name: &str, etcd: &Etcd) -> EtcdConfig {
    EtcdConfig {
        username: Some(name.to_string()),
        password: "pw".to_string().into(),
        ..EtcdConfig::at([etcd.endpoint()])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_revision_is_known_to_who_may_read_his_own_keys_alone() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "p/");
    // A user without permission for any key.
    etcd.ctl(&["user", "add", "eve:pw"]);
    etcd.enable_auth("rootpw");
    let (bob, eve) = (open(&as_user("bob", &etcd)).await, open(&as_user("eve", &etcd)).await);
    for _ in 0..20 {
        let written = bob.put("p/k", "v").await.unwrap().revision.unwrap();
        assert_eq!(bob.store().revision().await.unwrap(), written);
        assert_eq!(eve.store().revision().await.unwrap(), written);
    }
    bob.get("q").await.unwrap_err();
    assert_eq!(*eve.get("p/k").await.unwrap_err().reason(), Reason::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_most_do_not_agree_on_is_told_to_nobody() {
    require!(Etcd);
    let cluster = EtcdCluster::start();
    let left = &cluster.members()[0];
    left.add_user("bob", "pw", "p/");
    left.enable_auth("rootpw");
    let config = EtcdConfig { operation_timeout: cninfra::config::Duration::from_secs(2), ..as_user("bob", left) };
    let bob = open(&config).await;
    let written = bob.put("p/k", "v").await.unwrap().revision;
    assert_eq!(bob.store().revision().await.ok(), written);
    cluster.kill_all_but(0);
    // The member does not know at first that it is alone, and then does.
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        let error = bob.store().revision().await.unwrap_err();
        assert!(matches!(error.reason(), Reason::Unavailable | Reason::TimedOut(_)), "{error:?}");
    }
}
