//! Checks of stores through which agents can coordinate.

use super::{Broken, Check, Done, SOON, Trial};
use crate::keyval::{Coordination, Election, Kv, KvError, Leadership, Lock, Loss, Revision, Store, Txn};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

pub(super) fn checks<S: Store + Coordination>() -> Vec<Check<S>> {
    checks! {
        "of those who stand one leads, and the next one when it resigns" => leads,
        "a leader learns that it leads no more" => loses,
        "who writes a leader's key does not block the next leader" => overwritten,
        "who leads is seen by others" => is_seen,
        "a lock is had by one at a time" => one_at_a_time,
        "what is below the name of an election or a lock is none of it" => below,
        "what is done by the lock is refused when it is lost" => fenced,
    }
}

/// Longer than any wait here: so a leader has to resign, and cannot just let its lease expire.
const TTL: Duration = Duration::from_secs(30);

fn kv<S: Store + Coordination>(trial: &Trial<S>) -> Kv<dyn Coordination> {
    let all: Arc<dyn Coordination> = trial.store.clone();
    Kv::new(all).scoped(trial.kv().prefix())
}

async fn soon<T>(what: &str, work: impl Future<Output = T>) -> Result<T, Broken> {
    timeout(SOON, work).await.map_err(|_| Broken(format!("{what} does not happen within {SOON:?}")))
}

async fn leads<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let election = Election::new(&kv(&trial), "e", TTL);
    ensure!(election.leader().await?.is_none(), "somebody leads before anybody stands");
    let first = soon("a first election", election.campaign("one")).await??;
    ensure!(first.loss().is_none(), "a leader has lost: {:?}", first.loss());
    let (two, three) = (Election::new(&kv(&trial), "e", TTL), Election::new(&kv(&trial), "e", TTL));
    let second = tokio::spawn(async move { two.campaign("two").await });
    // Waits, so that they queue in this order.
    let stands = async || election_size(&trial).await.map(|count| count == 2);
    super::eventually("that two stand", SOON, stands).await?;
    let third = tokio::spawn(async move { three.campaign("three").await });
    let stands = async || election_size(&trial).await.map(|count| count == 3);
    super::eventually("that three stand", SOON, stands).await?;
    ensure!(!second.is_finished() && !third.is_finished(), "two lead at once");
    ensure!(first.proclaim("one again").await?, "a leader cannot say another word");
    let leader = election.leader().await?.map(|entry| entry.value);
    ensure!(leader == Some("one again".into()), "the leader's word is {leader:?}");
    let token = first.token();
    first.resign().await?;
    let second: Leadership = soon("the second election", second).await???;
    ensure!(second.token() > token, "the token of the second leader is {}, of the first {token}", second.token());
    ensure!(!third.is_finished(), "two lead at once");
    // A leadership that is dropped is resigned, too.
    drop(second);
    let third: Leadership = soon("the third election", third).await???;
    third.resign().await?;
    let nobody = async || Ok(election.leader().await?.is_none());
    super::eventually("that nobody leads", SOON, nobody).await
}

async fn election_size<S: Store + Coordination>(trial: &Trial<S>) -> Result<usize, Broken> {
    Ok(trial.kv().list_keys("e/").all().await?.len())
}

async fn loses<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let election = Election::new(&kv(&trial), "e", TTL);
    let leader = soon("an election", election.campaign("one")).await??;
    ensure!(kv(&trial).delete_prefix("e/").await? == 1, "the key of a leader is not there");
    let loss = soon("that a leader learns that its key was deleted", leader.lost()).await?;
    ensure!(
        loss == Loss::Deleted && leader.loss() == Some(Loss::Deleted),
        "its key was deleted, and it learns: {loss}"
    );
    ensure!(!leader.proclaim("again").await?, "who leads no more has a word");
    let leader = soon("another election", election.campaign("two")).await??;
    let Some(lease) = election.leader().await?.and_then(|entry| entry.lease) else {
        fail!("the key of a leader has no lease")
    };
    trial.store.revoke(lease).await?;
    let loss = soon("that a leader learns that its lease has ended", leader.lost()).await?;
    ensure!(matches!(loss, Loss::Deleted | Loss::LeaseGone), "its lease was revoked, and it learns: {loss}");
    let work = async { sleep(SOON * 2).await };
    let leader = soon("a third election", election.campaign("three")).await??;
    let (ended, deleted) = tokio::join!(soon("that work ends", leader.during(work)), async {
        sleep(Duration::from_millis(200)).await;
        kv(&trial).delete_prefix("e/").await
    });
    ensure!(deleted? == 1 && ended? == Err(Loss::Deleted), "what is done as the leader goes on when that is lost");
    Ok(())
}

/// A key that was written without the lease does not end with it.
async fn overwritten<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let election = Election::new(&kv(&trial), "e", TTL);
    let leader = soon("an election", election.campaign("one")).await??;
    Store::commit(&*trial.store, Txn::new().put(leader.key(), "of another one")).await?;
    let loss = soon("that a leader learns that its key was written by someone else", leader.lost()).await?;
    ensure!(loss == Loss::Overwritten, "its key was written by someone else, and it learns: {loss}");
    soon("another election", election.campaign("two")).await??.resign().await?;
    Ok(())
}

async fn is_seen<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let election = Election::new(&kv(&trial), "e", TTL);
    let mut seen = election.observe().await?;
    let mut next = async || -> Result<Option<String>, Broken> {
        let next = soon("that a change of the leader is seen", seen.next()).await?;
        let text = |entry: crate::keyval::Entry| String::from_utf8_lossy(&entry.value).into_owned();
        next.map(|leader| leader.map(text)).ok_or_else(|| Broken("nobody is seen any more".to_string()))
    };
    ensure!(next().await?.is_none(), "somebody is seen before anybody stands");
    let leader = soon("an election", election.campaign("one")).await??;
    ensure!(next().await?.as_deref() == Some("one"), "the first leader is not seen");
    leader.proclaim("1").await?;
    ensure!(next().await?.as_deref() == Some("1"), "the other word of a leader is not seen");
    leader.resign().await?;
    ensure!(next().await?.is_none(), "that nobody leads is not seen");
    Ok(())
}

/// An election with a longer name, and a key that belongs to neither, must not disturb an election.
async fn below<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let kv = kv(&trial);
    let _inner = soon("an election", Election::new(&kv, "n/inner", TTL).campaign("inner")).await??;
    // This name looks like a place in the queue.
    let _guard = soon("a lock", Lock::new(&kv, "n/1f", TTL).lock()).await??;
    kv.put("n/README", "of nobody").await?;
    let outer = Election::new(&kv, "n", TTL);
    let mut seen = outer.observe().await?;
    ensure!(outer.leader().await?.is_none(), "who leads an election with a longer name leads this one");
    let first = soon("what is seen of an election", seen.next()).await?;
    ensure!(first == Some(None), "somebody is seen that leads another election: {first:?}");
    let leader = soon("an election whose name others begin with", outer.campaign("outer")).await??;
    let led = soon("that it is seen", seen.next()).await?.flatten().map(|entry| entry.value);
    ensure!(led.as_deref() == Some(b"outer"), "who leads is seen as {led:?}");
    leader.resign().await?;
    let Some(guard) = Lock::new(&kv, "n", TTL).try_lock().await? else {
        fail!("what is below the name of a lock has it")
    };
    guard.unlock().await?;
    Ok(())
}

async fn one_at_a_time<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let kv = kv(&trial);
    let lock = Lock::new(&kv, "l", TTL);
    let guard = soon("a lock", lock.lock()).await??;
    ensure!(lock.try_lock().await?.is_none(), "a lock is had by two");
    guard.unlock().await?;
    let Some(guard) = lock.try_lock().await? else { fail!("a lock that was given back is not free") };
    guard.unlock().await?;
    // Nobody interferes between a worker's read and its write.
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let kv = kv.clone();
            tokio::spawn(async move {
                let lock = Lock::new(&kv, "l", TTL);
                let mut tokens = Vec::new();
                for _ in 0..3 {
                    let guard = lock.lock().await?;
                    let count = kv.get("n").await?.map_or(0, |entry| entry.value.len());
                    sleep(Duration::from_millis(5)).await;
                    kv.put("n", "x".repeat(count + 1)).await?;
                    tokens.push(guard.token());
                    guard.unlock().await?;
                }
                Ok::<_, KvError>(tokens)
            })
        })
        .collect();
    let mut tokens: Vec<Revision> = Vec::new();
    for worker in workers {
        let own = soon("what is done by a lock", worker).await???;
        ensure!(own.is_sorted(), "the tokens of a lock are {own:?}");
        tokens.extend(own);
    }
    let count = kv.get("n").await?.map_or(0, |entry| entry.value.len());
    ensure!(count == 12, "12 times something was done by a lock, and {count} times it was seen");
    tokens.sort();
    tokens.dedup();
    ensure!(tokens.len() == 12, "of 12 tokens {} are different", tokens.len());
    // A waiter that gives up blocks nobody.
    let guard = soon("a lock", lock.lock()).await??;
    let waits = timeout(Duration::from_millis(300), Lock::new(&kv, "l", TTL).lock()).await;
    ensure!(waits.is_err(), "a lock is had by two");
    guard.unlock().await?;
    soon("a lock for which somebody gave up to wait", lock.lock()).await??.unlock().await?;
    Ok(())
}

async fn fenced<S: Store + Coordination>(trial: Trial<S>) -> Done {
    let kv = kv(&trial);
    let guard = soon("a lock", Lock::new(&kv, "l", TTL).lock()).await??;
    let all: Arc<dyn Coordination> = trial.store.clone();
    let key = [kv.prefix(), &b"k"[..]].concat();
    let write = async |value: &'static str| all.commit(guard.fence(Txn::new().put(key.clone(), value))).await;
    ensure!(write("1").await?.succeeded, "what is done by a lock is refused");
    kv.delete_prefix("l/").await?;
    ensure!(!write("2").await?.succeeded, "what is done by a lock that is lost is not refused");
    let found = kv.get("k").await?.map(|entry| entry.value);
    ensure!(found == Some("1".into()), "what was refused was done: {found:?}");
    Ok(())
}
