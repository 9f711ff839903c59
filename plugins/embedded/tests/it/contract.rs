//! The store keeps the contract of stores, in memory and in a file.

use cninfra::{
    Result,
    testing::{StoreConformance, Subject},
};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
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

async fn check(config: EmbeddedConfig) {
    StoreConformance::of(Opened(config)).with_revisions().with_leases().with_coordination().check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_it_keeps_the_contract_of_stores() {
    check(EmbeddedConfig { in_memory: true, ..EmbeddedConfig::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_file_it_keeps_the_contract_of_stores() {
    let folder = crate::folder("contract");
    check(EmbeddedConfig { path: Some(folder.join("data.redb")), ..EmbeddedConfig::default() }).await;
}
