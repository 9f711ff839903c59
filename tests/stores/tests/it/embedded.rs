//! The embedded store, in a file and in memory.

use cninfra::{
    Result,
    testing::{StoreConformance, Subject},
};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use cninfra_testbed::Folder;
use std::sync::Arc;

struct Opened(EmbeddedConfig);

impl Subject for Opened {
    type Store = EmbeddedStore;

    async fn open(&self) -> Result<Arc<EmbeddedStore>> {
        Ok(Arc::new(EmbeddedStore::open(&self.0).await?))
    }

    async fn close(&self, store: Arc<EmbeddedStore>) -> Result<()> {
        Ok(store.close().await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_in_a_file() {
    let folder = Folder::new();
    let path = Some(folder.path().join("store.redb"));
    let opened = Opened(EmbeddedConfig { path, ..EmbeddedConfig::default() });
    StoreConformance::of(opened).with_revisions().with_leases().with_coordination().check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_in_memory() {
    let opened = Opened(EmbeddedConfig { in_memory: true, ..EmbeddedConfig::default() });
    StoreConformance::of(opened).with_revisions().with_leases().with_coordination().check().await;
}
