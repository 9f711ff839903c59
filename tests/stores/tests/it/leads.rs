//! Tests of a leader whose etcd does not answer.

use cninfra::keyval::{Coordination, Election, Kv, Loss};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

const LIFE: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn who_leads_is_told_when_that_is_lost_and_not_when_it_is_revoked() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config = EtcdConfig { operation_timeout: (LIFE * 4).into(), ..EtcdConfig::at([etcd.endpoint()]) };
    let store: Arc<dyn Coordination> = Arc::new(EtcdStore::connect(config).await.unwrap());
    let election = Election::new(&Kv::new(store), "leader", LIFE);
    let leader = election.campaign("1").await.unwrap();
    etcd.pause();
    let began = Instant::now();
    assert_eq!(timeout(SOON, leader.during(pending::<()>())).await.unwrap(), Err(Loss::Expired));
    // Waiting for a revocation would take as long again.
    assert!(began.elapsed() < LIFE + LIFE / 2, "{:?}", began.elapsed());
    etcd.resume();
    // The leadership is given up nevertheless.
    let _next = timeout(SOON, election.campaign("2")).await.unwrap().unwrap();
}
