//! Discarding compacted revisions when they are damaged.

use super::{machine::Machine, swept};
use crate::{EmbeddedConfig, EmbeddedStore, Health};
use cninfra::config::ByteSize;
use cninfra::keyval::{Bytes, Kv, Revisions as _};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_and_to_be_thrown_away_ends_no_writes() {
    let machine = Machine::new(u64::MAX);
    let config = EmbeddedConfig { cache: ByteSize(0), keep_revisions: 40, ..EmbeddedConfig::default() };
    let kv = Kv::new(Arc::new(EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap()));
    let value = |fill: u8| Bytes::from(vec![fill; 20_000]);
    kv.put("k", value(0xda)).await.unwrap();
    // Later values are stored far away from it.
    for number in 0..20 {
        kv.put(format!("later/{number}"), value(0)).await.unwrap();
    }
    machine.spoil(0xda);
    let mut health = kv.store().health();
    for number in 0..200 {
        kv.put("k", number.to_string()).await.unwrap_or_else(|error| panic!("{number}: {error:?}"));
    }
    assert_eq!(kv.get("k").await.unwrap().unwrap().value, "199");
    assert_eq!(swept(kv.store()), None);
    let damaged = health.borrow_and_update().clone();
    let says_so = |why: &str| why.starts_with("`machine` is damaged") && why.contains("restore it from a copy");
    assert!(matches!(&damaged, Health::Damaged(why) if says_so(why)), "{damaged:?}");
    // It does not prevent an explicit compaction either.
    kv.store().compact(kv.store().revision().await.unwrap()).await.unwrap();
    assert_eq!(*health.borrow(), damaged);
    // Discarding resumes by itself.
    machine.restore();
    let all = async {
        while swept(kv.store()) < Some(200) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, all).await.unwrap();
    timeout(LONG, health.wait_for(|health| *health == Health::Well)).await.unwrap().unwrap();
    // Since redb has panicked over the damaged page.
    let error = kv.store().close().await.unwrap_err();
    assert!(format!("{error:?}").contains("panicked"), "{error:?}");
}
