//! Requests that share a transaction when one of them fails.

use super::{
    machine::{Fault, Machine, SLOW},
    open, swept,
};
use crate::{EmbeddedConfig, EmbeddedStore, Health, medium::Medium as _, tables::LOG};
use cninfra::config::ByteSize;
use cninfra::keyval::{Applied, Bytes, Compare, Kv, KvError, Reason, Txn};
use redb::{Builder, ReadableTable as _};
use std::sync::Arc;
use tokio::{task::JoinSet, time::sleep};

const GOOD: usize = 63;

/// Makes puts that share a transaction, with the `bad` ones among them. Returns how many puts succeeded, and the
/// errors.
async fn among_others(kv: &Kv<EmbeddedStore>, machine: &Machine, bad: Vec<Txn>) -> (usize, Vec<KvError>) {
    machine.fail_next(Fault::SyncIsSlow);
    let put = |key: String| {
        let kv = kv.clone();
        async move { kv.put(key, "1").await.is_ok() }
    };
    let mut puts = JoinSet::new();
    puts.spawn(put("first".to_string()));
    // The others wait until the first one is on the disk.
    sleep(SLOW / 6).await;
    (0..GOOD / 2).for_each(|number| drop(puts.spawn(put(format!("good/{number:02}")))));
    sleep(SLOW / 6).await;
    let mut errors = JoinSet::new();
    for txn in bad {
        let kv = kv.clone();
        errors.spawn(async move { kv.commit(txn).await.unwrap_err() });
    }
    sleep(SLOW / 6).await;
    (GOOD / 2..GOOD).for_each(|number| drop(puts.spawn(put(format!("good/{number:02}")))));
    sleep(SLOW / 6).await;
    machine.heal();
    let done = puts.join_all().await.into_iter().filter(|is_done| *is_done).count();
    (done - 1, errors.join_all().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_meets_damaged_data_keeps_no_other_one_from_being_done() {
    let machine = Machine::new(u64::MAX);
    let store = open(&machine).await;
    let kv = Kv::new(Arc::new(store));
    kv.put("damaged", "1").await.unwrap();
    kv.store().close().await.unwrap();
    drop(kv);
    let database = machine.open(&Builder::new()).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut log = write.open_table(LOG).unwrap();
        let place = log.last().unwrap().unwrap().0.value();
        // A kind of record that does not exist.
        log.insert(place, [9].as_slice()).unwrap();
    }
    write.commit().unwrap();
    drop(database);

    let kv = Kv::new(Arc::new(open(&machine).await));
    let one = Txn::new().when("damaged", Compare::Value(Bytes::from("1"))).put("bad", "1");
    for bad in [1, 24] {
        let (done, errors) = among_others(&kv, &machine, vec![one.clone(); bad]).await;
        assert_eq!((done, errors.len()), (GOOD, bad), "{errors:?}");
        for error in errors {
            assert_eq!(error.applied(), Applied::No, "{error:?}");
            assert!(error.to_string().contains("machine") && format!("{error:?}").contains("malformed"), "{error:?}");
            assert!(error.help().unwrap().contains("is damaged"), "{error:?}");
        }
    }
    assert_eq!(kv.list_keys("good/").all().await.unwrap().len(), GOOD);
    assert_eq!(kv.get("bad").await.unwrap(), None);
    // The damaged record does not prevent discarding either.
    for number in 0..200 {
        kv.put("later", number.to_string()).await.unwrap();
    }
    assert!(swept(kv.store()) > Some(100), "{:?}", swept(kv.store()));
    assert_eq!(*kv.store().health().borrow(), Health::Well);
    assert!(kv.delete("damaged").await.unwrap());
    assert_eq!(kv.list_keys("").all().await.unwrap().len(), GOOD + 2);
    kv.store().close().await.unwrap();
}

/// redb panics over some damaged pages.
#[tokio::test(flavor = "multi_thread")]
async fn who_meets_what_redb_panics_over_keeps_no_other_one_from_being_done() {
    let machine = Machine::new(u64::MAX);
    let config = EmbeddedConfig { cache: ByteSize(0), ..EmbeddedConfig::default() };
    let kv = Kv::new(Arc::new(EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap()));
    let value = |fill: u8| Bytes::from(vec![fill; 20_000]);
    kv.put("damaged", value(0xda)).await.unwrap();
    // Later values are stored far away from it.
    for number in 0..20 {
        kv.put(format!("later/{number}"), value(0)).await.unwrap();
    }
    machine.spoil(0xda);
    let one = Txn::new().when("damaged", Compare::Value(value(0xda))).put("bad", "1");
    let (done, errors) = among_others(&kv, &machine, vec![one; 3]).await;
    assert_eq!((done, errors.len()), (GOOD, 3), "{errors:?}");
    for error in errors {
        assert_eq!(error.applied(), Applied::No, "{error:?}");
        assert!(format!("{error:?}").contains("the thread that writes has panicked"), "{error:?}");
    }
    assert_eq!(kv.list_keys("good/").all().await.unwrap().len(), GOOD);
    assert_eq!(kv.get("bad").await.unwrap(), None);
    let error = kv.store().close().await.unwrap_err();
    assert!(format!("{error:?}").contains("panicked"), "{error:?}");
}

/// If the disk has failed, all callers get an error, and nothing of the transaction is there.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_disk_is_gone_each_is_told_and_nothing_is_half_done() {
    let machine = Machine::new(u64::MAX);
    let kv = Kv::new(Arc::new(open(&machine).await));
    kv.put("before", "1").await.unwrap();
    machine.cut_after(1);
    let mut puts = JoinSet::new();
    for number in 0..=GOOD {
        let kv = kv.clone();
        puts.spawn(async move { kv.put(format!("{number}"), "1").await });
    }
    for put in puts.join_all().await {
        let error = put.unwrap_err();
        assert!(error.to_string().contains("machine"), "{error:?}");
    }
    assert!(matches!(&*kv.store().health().borrow(), Health::Failed(why) if why.contains("the power is cut")));
    drop(kv);
    machine.lose_power(&mut fastrand::Rng::with_seed(7));
    let kv = Kv::new(Arc::new(open(&machine).await));
    let keys: Vec<_> = kv.list_keys("").all().await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_too_long_is_told_before_it_waits_with_others() {
    let machine = Machine::new(u64::MAX);
    let kv = Kv::new(Arc::new(open(&machine).await));
    // This memory is never touched, so it takes no space.
    let long = Bytes::from(vec![0; (1 << 30) + 1]);
    let error = kv.put(long.clone(), "").await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::TooLarge, Applied::No));
    assert!(error.help().unwrap().contains("1073741825 bytes"));
    let error = kv.commit(Txn::new().when("k", Compare::Absent).put(long, "")).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::TooLarge, Applied::No));
}
