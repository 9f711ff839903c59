//! Checks of keys that expire.

use super::{Check, Done, SOON, Trial, eventually};
use crate::keyval::{Expiry, LONGEST_LIFE, Store};
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a key ends when its life does" => ends,
        "a key that is to live for ever lives as long as can be" => for_ever,
        "what a key becomes has its own life" => is_anew,
    }
}

async fn ends<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let asked = Duration::from_secs(1);
    let began = Instant::now();
    let written = kv.put_with("k", "v", Expiry::After(asked)).await?;
    let Some(granted) = written.ttl else { fail!("the life that was granted is not told") };
    let (least, step) = (kv.capabilities().ttl_min, kv.capabilities().ttl_granularity);
    ensure!(granted >= asked.max(least), "asked for {asked:?} it grants {granted:?}, the least is {least:?}");
    ensure!(granted <= asked.max(least) + step, "asked for {asked:?} it grants {granted:?}, in steps of {step:?}");
    sleep((began + granted / 2).duration_since(Instant::now())).await;
    ensure!(kv.get("k").await?.is_some(), "after half of its life of {granted:?} it is gone");
    eventually("that a key is gone after its life", granted + SOON, async || Ok(kv.get("k").await?.is_none())).await?;
    ensure!(began.elapsed() >= granted - step.min(granted / 2), "granted {granted:?} it lived {:?}", began.elapsed());
    ensure!(kv.put_if_absent("k", "v").await?, "a key whose life is over is in the way");
    let written = kv.put("k", "v").await?;
    ensure!(written.ttl.is_none(), "a put without a life is granted {:?}", written.ttl);
    Ok(())
}

async fn for_ever<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    for asked in [LONGEST_LIFE, Duration::MAX] {
        let granted = kv.put_with("k", "v", Expiry::After(asked)).await?.ttl;
        ensure!(granted.is_some_and(|life| life >= LONGEST_LIFE), "asked for {asked:?} it grants {granted:?}");
        ensure!(kv.get("k").await?.is_some(), "granted {granted:?}, a key is gone");
    }
    Ok(())
}

async fn is_anew<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let life = kv.capabilities().ttl_min.max(Duration::from_secs(1));
    let mut granted = life;
    for key in ["put", "kept", "renewed", "never"] {
        granted = kv.put_with(key, "1", Expiry::After(life)).await?.ttl.unwrap_or(life);
    }
    kv.put("put", "2").await?;
    ensure!(kv.compare_and_swap("kept", "1", "2").await?, "a value that ends is not swapped");
    let swapped = kv.compare_and_swap_with("renewed", "1", "2", Expiry::After(life * 10)).await?;
    ensure!(swapped, "a value that ends is not swapped for one that ends later");
    let swapped = kv.compare_and_swap_with("never", "1", "2", Expiry::Never).await?;
    ensure!(swapped, "a value that ends is not swapped for one that does not");
    let is_gone = async || Ok(kv.get("kept").await?.is_none());
    eventually("that a key whose value was swapped ends when it would have", granted + SOON, is_gone).await?;
    // Keys that wrongly expire at the same time have had the time to do so.
    sleep(Duration::from_millis(500)).await;
    for (key, what) in [("put", "put again"), ("renewed", "given a longer life"), ("never", "given no life")] {
        let found = kv.get(key).await?.map(|entry| entry.value);
        ensure!(found == Some("2".into()), "a key that was {what} is {found:?} after its first life");
    }
    Ok(())
}
