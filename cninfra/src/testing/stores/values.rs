//! Checks of single keys, and of conditional operations on them.

use super::{Check, Done, Trial};
use crate::keyval::{Bytes, SerdeJson, Store};

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a value is kept byte for byte" => are_kept,
        "a delete says what was there" => are_deleted,
        "a prefix is taken literally, and ends where it ends" => prefixes,
        "a write on a condition happens if that holds" => conditions,
        "of those who write at once none is lost" => at_once,
    }
}

async fn are_kept<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let all_bytes: Bytes = (0..=u8::MAX).collect();
    let long = Bytes::from(vec![b'x'; 64 << 10].into_boxed_slice());
    for value in [Bytes::from_static(b"v"), Bytes::new(), all_bytes, long] {
        kv.put("k", value.clone()).await?;
        let Some(found) = kv.get("k").await? else { fail!("a key that was put is not there") };
        ensure!(found.value == value, "{} bytes were put, and {} others found", value.len(), found.value.len());
        ensure!(found.key == "k", "the key that was found is {:?}", found.key);
        let is_told = found.revision.is_some() && found.created.is_some();
        ensure!(is_told == kv.capabilities().revisions, "an entry has revisions: {is_told}, unlike the capabilities");
    }
    ensure!(kv.get("other").await?.is_none(), "a key that was never put is there");
    Ok(())
}

async fn are_deleted<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    kv.put("k", "").await?;
    ensure!(kv.delete("k").await?, "a key with an empty value was not there when it was deleted");
    ensure!(!kv.delete("k").await?, "a key was there when it was deleted again");
    ensure!(kv.get("k").await?.is_none(), "a key that was deleted is there");
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        kv.put(key, "v").await?;
    }
    let count = kv.delete_prefix("a/").await?;
    ensure!(count == 3, "of three keys with a prefix {count} were deleted");
    ensure!(kv.get("b/1").await?.is_some(), "a key without the prefix was deleted, too");
    ensure!(kv.delete_prefix("a/").await? == 0, "what was deleted was deleted again");
    Ok(())
}

async fn prefixes<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    // These prefixes would match the other key if they were taken as patterns.
    for (prefix, other) in [("a*c/", "abc/"), ("a?c/", "axc/"), ("[ab]/", "a/"), ("a\\*/", "a*/"), ("a-c/", "ab/")] {
        let (inside, outside) = (format!("{prefix}1"), format!("{other}1"));
        kv.put(&inside, "").await?;
        kv.put(&outside, "").await?;
        let found: Vec<_> = kv.list(prefix).all().await?.into_iter().map(|entry| entry.key).collect();
        ensure!(found == [inside.as_str()], "below {prefix:?} there is {found:?}");
        let count = kv.delete_prefix(prefix).await?;
        ensure!(count == 1, "of one key below {prefix:?} {count} were deleted");
        ensure!(kv.delete(&outside).await?, "{outside:?} was deleted with {prefix:?}");
    }
    for key in ["p", "p/", "p/1", "p0", "p\u{ff}", "q"] {
        kv.put(key, "").await?;
    }
    let mut found: Vec<_> = kv.list_keys("p/").all().await?.into_iter().map(|entry| entry.key).collect();
    found.sort();
    ensure!(found == ["p/", "p/1"], "below \"p/\" there is {found:?}");
    Ok(())
}

async fn conditions<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let value = async || kv.get("k").await.map(|found| found.map(|entry| entry.value));
    ensure!(kv.put_if_absent("k", "").await?, "a key that is not there is not made");
    ensure!(!kv.put_if_absent("k", "1").await?, "a key with an empty value is made again");
    ensure!(kv.compare_and_swap("k", "", "1").await?, "an empty value is not swapped");
    ensure!(!kv.compare_and_swap("k", "", "2").await?, "another value is swapped");
    ensure!(!kv.compare_and_swap("k", "1x", "2").await?, "a value is swapped by one that begins as it does");
    ensure!(value().await? == Some("1".into()), "after all that the value is {:?}", value().await?);
    ensure!(!kv.compare_and_swap("none", "", "1").await?, "a key that is not there has an empty value");
    ensure!(!kv.compare_and_delete("k", "2").await?, "another value is deleted");
    ensure!(kv.compare_and_delete("k", "1").await?, "a value is not deleted by itself");
    ensure!(!kv.compare_and_delete("k", "1").await?, "what was deleted is deleted again");
    let all_bytes: Bytes = (0..=u8::MAX).collect();
    kv.put("k", all_bytes.clone()).await?;
    ensure!(kv.compare_and_swap("k", all_bytes, "1").await?, "a value of all bytes is not swapped by itself");
    Ok(())
}

async fn at_once<S: Store>(trial: Trial<S>) -> Done {
    const WRITERS: u32 = 4;
    const EACH: u32 = 20;
    let counters = trial.kv().typed::<u32, _>(SerdeJson);
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let counters = counters.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    // Another task may always be faster, but not all of them.
                    while let Err(error) = counters.update("n", |n| Some(n.unwrap_or(0) + 1)).await {
                        let is_lost = matches!(error.reason(), crate::keyval::Reason::Contended(_));
                        if !is_lost {
                            return Err(error);
                        }
                    }
                }
                Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.await??;
    }
    let count = counters.get("n").await?;
    ensure!(count == Some(WRITERS * EACH), "{WRITERS} writers counted to {EACH}: the sum is {count:?}");
    Ok(())
}
