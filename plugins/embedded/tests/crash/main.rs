//! Kills a writing process at random moments, again and again: what was answered is there, no transaction is half done,
//! and revisions continue.
//!
//! `KILLS=300 cargo test -p cninfra-embedded --test crash` kills it 300 times.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra::keyval::{At, Expiry, KeyRange, Kv, Revisions as _, Store as _, Txn};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const WRITERS: u64 = 4;
const WRITER: &str = "CNINFRA_CRASH_WRITER";

fn main() {
    if let Some(path) = env::var_os(WRITER) {
        return block_on(write(&PathBuf::from(path)));
    }
    // Like the usual harness: a filter that does not match its name skips it.
    let filters: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let is_asked = filters.is_empty() || filters.iter().any(|filter| "kills".contains(&**filter));
    if !is_asked || env::args().any(|argument| argument == "--list") {
        return;
    }
    let kills = env::var("KILLS").map_or(60, |kills| kills.parse().unwrap());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{}/data.redb", std::process::id()));
    let mut answered = [0; WRITERS as usize];
    let (mut revision, mut beyond) = (0, 0);
    let began = Instant::now();
    for kill in 0..kills {
        kill_one(&path, &mut answered);
        beyond += block_on(check(&path, &mut answered, &mut revision, kill));
    }
    let all: u64 = answered.iter().sum();
    assert!(all > kills, "{kills} kills, and only {all} transactions were answered");
    println!(
        "{kills} kills in {:.1?}: {all} transactions answered, none lost, none half done; {beyond} were done without an answer",
        began.elapsed()
    );
    let _ = fs::remove_dir_all(path.parent().unwrap());
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

fn config(path: &Path) -> EmbeddedConfig {
    // So that it is compacted all the time.
    EmbeddedConfig { path: Some(path.to_path_buf()), keep_revisions: 200, ..EmbeddedConfig::default() }
}

/// The process to kill: it numbers its transactions, of three keys each, and prints which ones were answered.
async fn write(path: &Path) {
    let store = Arc::new(EmbeddedStore::open(&config(path)).await.unwrap());
    let kv = Kv::new(store.clone());
    kv.put_with("alive", "I am", Expiry::WithClient).await.unwrap();
    let writers = (0..WRITERS).map(|writer| {
        let (kv, store) = (kv.clone(), store.clone());
        tokio::spawn(async move {
            let mut number = kv.get(format!("{writer}/number")).await.unwrap().map_or(0, |entry| parse(&entry.value));
            while number < u64::MAX {
                number += 1;
                let value = format!("{number}{}", ".".repeat((number % 300) as usize));
                let txn = Txn::new()
                    .put(format!("{writer}/number"), number.to_string())
                    .put(format!("{writer}/value"), value)
                    .put(format!("{writer}/{:02}", number % 50), number.to_string());
                store.commit(txn).await.unwrap();
                // A line is written completely or not at all.
                std::io::stdout().write_all(format!("{writer} {number}\n").as_bytes()).unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn parse(value: &[u8]) -> u64 {
    let digits: String = value.iter().map(|byte| *byte as char).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Starts the process, and kills it some time later.
fn kill_one(path: &Path, answered: &mut [u64]) {
    let mut child = Command::new(env::current_exe().unwrap()).env(WRITER, path).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader = thread::spawn(move || {
        let words = lines.map_while(Result::ok).filter_map(|line| {
            let (writer, number) = line.split_once(' ')?;
            Some((writer.parse::<usize>().ok()?, number.parse::<u64>().ok()?))
        });
        words.collect::<Vec<_>>()
    });
    // Sometimes before it has opened the store.
    thread::sleep(Duration::from_micros(fastrand::u64(2_000..250_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    for (writer, number) in reader.join().unwrap() {
        answered[writer] = answered[writer].max(number);
    }
}

/// Checks that everything answered is there. Returns how much there is beyond that.
async fn check(path: &Path, answered: &mut [u64], revision: &mut u64, kill: u64) -> u64 {
    let store = Arc::new(EmbeddedStore::open(&config(path)).await.unwrap());
    let kv = Kv::new(store.clone());
    let mut beyond = 0;
    for (writer, answered) in answered.iter_mut().enumerate() {
        let read = async |key: &str| {
            let found = store.get(format!("{writer}/{key}").into(), At::Latest).await.unwrap();
            found.map_or(0, |entry| parse(&entry.value))
        };
        let number = read("number").await;
        assert!(number >= *answered, "kill {kill}: writer {writer} was answered {answered}, and {number} is there");
        assert_eq!(read("value").await, number, "kill {kill}: half of a transaction of writer {writer}");
        assert_eq!(read(&format!("{:02}", number % 50)).await, number, "kill {kill}: half of a transaction");
        beyond += number - *answered;
        *answered = number;
    }
    assert!(kv.get("alive").await.unwrap().is_none(), "kill {kill}: a key of a client that is dead");
    let now = store.revision().await.unwrap().get();
    assert!(now >= *revision, "kill {kill}: revision {now} after {revision}");
    let outcome = store.commit(Txn::new().put("check", "")).await.unwrap();
    assert_eq!(outcome.revision.map(cninfra::keyval::Revision::get), Some(now + 1));
    *revision = now + 1;
    // Each key reads the same at the newest revision and through the history.
    let latest = kv.list_range(KeyRange::all()).all().await.unwrap();
    for entry in latest {
        let at = At::Revision(outcome.revision.unwrap());
        assert_eq!(store.get(entry.key.clone(), at).await.unwrap(), Some(entry));
    }
    store.close().await.unwrap();
    beyond
}
