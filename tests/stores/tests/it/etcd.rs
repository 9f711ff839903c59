//! etcd.

use cninfra::{
    Result,
    testing::{StoreConformance, Subject},
};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::sync::Arc;

struct At(String);

impl Subject for At {
    type Store = EtcdStore;

    async fn open(&self) -> Result<Arc<EtcdStore>> {
        Ok(Arc::new(EtcdStore::connect(EtcdConfig::at([self.0.as_str()])).await?))
    }

    async fn close(&self, store: Arc<EtcdStore>) -> Result<()> {
        Ok(store.close().await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    require!(Etcd);
    let etcd = Etcd::start();
    let check = StoreConformance::of(At(etcd.endpoint())).with_revisions().with_leases().with_coordination();
    check.check().await;
}
