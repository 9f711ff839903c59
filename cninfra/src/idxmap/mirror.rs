//! [`mirror`] and [`mirror_typed`]: keep a map equal to a part of a store.

use super::{IdxMap, left::Orphaned};
use crate::keyval::{Access, Bytes, Codec, Diffed, Entry, KeyRange, KvError, TypedWatch, Update, Watch};
use futures_util::{Stream, StreamExt as _};
use std::{collections::HashSet, hash::Hash};

/// Keeps a map equal to what a watch of a store reports. Entries that the store no longer has are removed, also those
/// that were deleted while the store was away. It ends when the store is closed, and belongs in a task of the plugin.
///
/// A write to the store appears in the map a moment later, when the store has reported it. Code that reads the map
/// right after its own write may not find it there. If that matters, wait for it with [`watch`](super::Reader::watch),
/// or read the store.
///
/// What is no longer watched, after [`WatchHandle::remove`](crate::keyval::WatchHandle::remove), is removed from the
/// map too.
///
/// The map begins empty, and the store may be away. [`Reader::is_synced`](super::Reader::is_synced) says whether the
/// initial content has been received, and [`synced`](super::Reader::synced) waits for that.
///
/// `read` makes a key and a value from an entry, and `name` makes the same key from the bytes of a key alone. If one of
/// them fails, `wrong` is called. An entry whose value cannot be read is not in the map, whatever it was before.
/// [`mirror_typed`] does the same for a watch of typed values.
///
/// ```
/// use cninfra::{idxmap::{IdxMap, mirror}, keyval::{Bytes, Entry, KeyVal, Kv, WatchOptions}, prelude::*};
/// use std::str::FromStr;
///
/// #[plugin]
/// struct Ports {
///     store: Dep<dyn KeyVal>,
///     #[default(IdxMap::new("ports"))]
///     ports: IdxMap<String, u16>,
/// }
///
/// impl Lifecycle for Ports {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let watch = Kv::of_agent(&self.store, cx.service_label()).watch(["ports/"], WatchOptions::default()).await?;
///         let (log, ports) = (cx.log(), self.ports.clone());
///         let name = |key: &Bytes| Ok::<_, Error>(String::from_utf8(key.to_vec())?);
///         let read = move |entry: &Entry| Ok::<_, Error>((name(&entry.key)?, std::str::from_utf8(&entry.value)?.parse()?));
///         cx.spawn_until_close("mirror the ports", async move {
///             mirror(&ports, watch, name, read, |key, error| log.warn(format_args!("{key:?}: {error}"))).await;
///         });
///         Ok(())
///     }
/// }
/// ```
///
/// # Cancel safety
/// If it is dropped, the map stays as it is then. When the map is maintained again, by a watch of the same ranges of
/// the same store, what was deleted meanwhile is removed, as an `init` that is tried again needs it.
pub async fn mirror<K: Hash + Eq + Clone, V, E>(
    map: &IdxMap<K, V>,
    watch: Watch,
    name: impl Fn(&Bytes) -> Result<K, E>,
    read: impl Fn(&Entry) -> Result<(K, V), E>,
    wrong: impl FnMut(&Bytes, E),
) {
    keep(map, watch.diffed(), name, |entry| (read(&entry), entry.key), wrong).await;
}

/// Like [`mirror`], for a [typed watch](crate::keyval::Typed::watch) whose values become those of the map, so that only
/// the keys have to be converted. A value that is not of the type is passed to `wrong`, and is not in the map.
///
/// The caller's own write is in the map a moment later, when the store has reported it.
///
/// ```
/// use cninfra::{idxmap::{IdxMap, mirror_typed}, keyval::{Bytes, KeyVal, Kv, SerdeJson, WatchOptions}, prelude::*};
///
/// #[plugin]
/// struct Ports {
///     store: Dep<dyn KeyVal>,
///     #[default(IdxMap::new("ports"))]
///     ports: IdxMap<String, u16>,
/// }
///
/// impl Lifecycle for Ports {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let ports = Kv::of_agent(&self.store, cx.service_label()).scoped("ports/").typed(SerdeJson);
///         let watch = ports.watch([""], WatchOptions::default()).await?;
///         let (log, ports) = (cx.log(), self.ports.clone());
///         let name = |key: &Bytes| Ok::<_, Error>(String::from_utf8(key.to_vec())?);
///         cx.spawn_until_close("mirror the ports", async move {
///             mirror_typed(&ports, watch, name, |key, error| log.warn(format_args!("{key:?}: {error}"))).await;
///         });
///         // whoever starts after this one finds all ports; while the store is away, the start waits, no longer than its limit
///         self.ports.synced().await;
///         Ok(())
///     }
/// }
/// ```
///
/// # Cancel safety
/// As that of [`mirror`].
pub async fn mirror_typed<K: Hash + Eq + Clone, T, C: Codec<T>, S: Access + ?Sized, E: From<KvError>>(
    map: &IdxMap<K, T>,
    watch: TypedWatch<T, C, S>,
    name: impl Fn(&Bytes) -> Result<K, E>,
    wrong: impl FnMut(&Bytes, E),
) {
    let read = |(entry, value): (Entry, Result<T, KvError>)| {
        let named = value.map_err(E::from).and_then(|value| Ok((name(&entry.key)?, value)));
        (named, entry.key)
    };
    keep(map, watch, &name, read, wrong).await;
}

/// The updates of a watch, with or without a type.
trait Updates: Stream<Item = Update<Self::Put>> + Unpin {
    /// What is reported for a written value.
    type Put;

    fn diffed(&mut self) -> &mut Diffed;
}

impl Updates for Diffed {
    type Put = Entry;

    fn diffed(&mut self) -> &mut Diffed {
        self
    }
}

impl<T, C: Codec<T>, S: Access + ?Sized> Updates for TypedWatch<T, C, S> {
    type Put = (Entry, Result<T, KvError>);

    fn diffed(&mut self) -> &mut Diffed {
        TypedWatch::diffed(self)
    }
}

/// A running mirror. When it is dropped, it leaves its keys to the next mirror.
struct RunningMirror<'m, U: Updates> {
    orphaned: &'m Orphaned,
    updates: U,
}

impl<'m, U: Updates> RunningMirror<'m, U> {
    fn begin(orphaned: &'m Orphaned, mut updates: U) -> Self {
        orphaned.hand_over_to(updates.diffed());
        // From now on, forgotten keys are collected.
        updates.diffed().forgotten();
        RunningMirror { orphaned, updates }
    }
}

impl<U: Updates> Drop for RunningMirror<'_, U> {
    fn drop(&mut self) {
        self.orphaned.add(self.updates.diffed().hand_over());
    }
}

/// Applies the updates to the map. `read` makes a key and a value of the map from a written value, and also returns the
/// key in the store.
async fn keep<K: Hash + Eq + Clone, V, U: Updates, E>(
    map: &IdxMap<K, V>,
    updates: U,
    name: impl Fn(&Bytes) -> Result<K, E>,
    read: impl Fn(U::Put) -> (Result<(K, V), E>, Bytes),
    mut wrong: impl FnMut(&Bytes, E),
) {
    let mut pending = Some(map.begin_pending());
    let mut running = RunningMirror::begin(map.orphaned(), updates);
    // Ranges that are added later are not part of the initial content.
    let mut missing: HashSet<KeyRange> = running.updates.diffed().watch().reported_ranges().collect();
    while let Some(update) = running.updates.next().await {
        let gone = match update {
            Update::Put(put) => match read(put) {
                (Ok((key, value)), _) => {
                    map.put(key, value);
                    continue;
                }
                (Err(error), key) => {
                    wrong(&key, error);
                    key
                }
            },
            Update::Deleted { key, .. } => key,
            Update::Synced(range) | Update::Removed(range) => {
                for key in running.updates.diffed().forgotten() {
                    if let Ok(key) = name(&key) {
                        map.remove(&key);
                    }
                }
                // A removed range is no longer waited for.
                missing.remove(&range);
                if missing.is_empty()
                    && let Some(pending) = pending.take()
                {
                    pending.complete();
                }
                continue;
            }
            Update::Link(_) => continue,
        };
        // A key that cannot be converted is not in the map, and was passed to `wrong` when it came.
        if let Ok(key) = name(&gone) {
            map.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyval::{Cause, Event, Kv, SerdeJson, Store, WatchOptions, testing::Map};
    use futures_util::FutureExt as _;
    use std::sync::Arc;

    #[tokio::test]
    async fn values_of_a_typed_watch_are_those_of_the_map() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::new("ports"));
        let ports = Kv::new(store.clone()).scoped("p/").typed::<u16, _>(SerdeJson);
        let watch = ports.watch([""], WatchOptions::default()).await.unwrap();
        let (_, feed) = store.watched.lock().unwrap().take().unwrap();
        let all = || KeyRange::prefix("p/");
        for told in [
            vec![("http", "80"), ("ssh", "22"), ("dns", "53")],
            vec![("ssh", "twenty-two"), ("http", "8080"), ("odd/", "1")],
        ] {
            let _ = feed.send(Event::snapshot_begin(all(), Cause::Lost)).await;
            for (key, value) in told {
                let _ = feed.send(Event::Item(Entry::new(format!("p/{key}"), value))).await;
            }
            let _ = feed.send(Event::snapshot_end(all(), None)).await;
        }
        feed.end();
        let mut wrong = Vec::new();
        let name = |key: &Bytes| match String::from_utf8_lossy(key) {
            key if key.ends_with('/') => Err(crate::Error::msg("no name of a port")),
            key => Ok(key.into_owned()),
        };
        mirror_typed(&map, watch, name, |key, error| {
            wrong.push(format!("{key:?}: {}", error.to_string().split(": expected").next().unwrap()))
        })
        .await;
        assert_eq!(
            map.entries().into_iter().map(|(key, port)| (key, *port)).collect::<Vec<_>>(),
            [("http".to_string(), 8080)]
        );
        assert_eq!(wrong, [r#"b"ssh": decode of `p/ssh`: the value is malformed"#, r#"b"odd/": no name of a port"#]);
    }

    #[tokio::test]
    async fn a_map_is_synced_when_it_has_all_that_there_was() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::<String, String>::new("ports"));
        let watch = Kv::new(store.clone()).watch(["a/", "b/", "a/"], WatchOptions::default()).await.unwrap();
        let (_, feed) = store.watched.lock().unwrap().take().unwrap();
        let name = |key: &Bytes| Ok::<_, crate::Error>(String::from_utf8_lossy(key).into_owned());
        let read = move |entry: &Entry| Ok((name(&entry.key)?, String::from_utf8_lossy(&entry.value).into_owned()));
        assert!(!map.is_synced());
        let reader = map.reader();
        let waits = tokio::spawn(async move {
            reader.synced().await;
            reader.entries().len()
        });
        let running = tokio::spawn({
            let map = map.clone();
            async move { mirror(&map, watch, name, read, |_, _| ()).await }
        });
        let snapshot = async |prefix: &str, cause| {
            let _ = feed.send(Event::snapshot_begin(KeyRange::prefix(prefix), cause)).await;
            let _ = feed.send(Event::Item(Entry::new(format!("{prefix}k"), "v"))).await;
            let _ = feed.send(Event::snapshot_end(KeyRange::prefix(prefix), None)).await;
            while map.get(&format!("{prefix}k")).is_none() {
                tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
        };
        snapshot("a/", Cause::Start).await;
        // Neither the same range again nor one that was added later completes the content.
        snapshot("a/", Cause::Lost).await;
        snapshot("c/", Cause::Added).await;
        assert!(!map.is_synced() && !waits.is_finished());
        snapshot("b/", Cause::Start).await;
        assert_eq!(waits.await.unwrap(), 3);
        // Another mirror of the same map has to catch up, too.
        let watch = Kv::new(store.clone()).watch(["c/"], WatchOptions::default()).await.unwrap();
        let other = tokio::spawn({
            let map = map.clone();
            async move { mirror(&map, watch, name, read, |_, _| ()).await }
        });
        while map.is_synced() {
            tokio::task::yield_now().await;
        }
        // The store was closed: the map keeps what it had.
        feed.end();
        running.await.unwrap();
        let (_, feed) = store.watched.lock().unwrap().take().unwrap();
        feed.end();
        other.await.unwrap();
        assert!(map.is_synced());
    }

    /// As with an `init` that has failed and is tried again.
    #[tokio::test]
    async fn what_has_gone_while_nobody_kept_the_map_is_gone_when_it_is_kept_again() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::<String, String>::new("ports"));
        let name = |key: &Bytes| Ok::<_, crate::Error>(String::from_utf8_lossy(key).into_owned());
        let read = move |entry: &Entry| Ok((name(&entry.key)?, String::from_utf8_lossy(&entry.value).into_owned()));
        let keys = || {
            let mut keys: Vec<String> = map.entries().into_iter().map(|(key, _)| key).collect();
            keys.sort();
            keys
        };
        // Runs a mirror until it has taken in a snapshot with these keys.
        let keep = async |scope: &str, told: &[&'static str]| {
            let kv = Kv::new(store.clone()).scoped(scope);
            let watch = kv.watch([""], WatchOptions::default()).await.unwrap();
            let (_, feed) = store.watched.lock().unwrap().take().unwrap();
            let _ = feed.push(Event::snapshot_begin(KeyRange::prefix(scope), Cause::Start));
            for key in told {
                let _ = feed.push(Event::Item(Entry::new([scope, key].concat(), "v")));
            }
            let _ = feed.push(Event::snapshot_end(KeyRange::prefix(scope), None));
            let keeping = mirror(&map, watch, name, read, |_, _| ());
            tokio::select! {
                biased;
                () = keeping => panic!("it has ended"),
                () = std::future::ready(()) => {}
            }
        };
        map.put("own".to_string(), "by hand".to_string());
        keep("a/", &["1", "2", "3"]).await;
        keep("b/", &["4"]).await;
        assert_eq!(keys(), ["1", "2", "3", "4", "own"]);
        let mut watcher = map.watch();
        let _ = watcher.try_next();
        keep("a/", &["1", "5"]).await;
        assert_eq!(keys(), ["1", "4", "5", "own"]);
        keep("a/", &["5"]).await;
        // It leaves the keys of other ranges alone.
        keep("b/", &[]).await;
        assert_eq!(keys(), ["5", "own"]);
    }

    #[tokio::test]
    async fn what_is_watched_no_more_is_not_in_the_map_until_it_is_watched_again() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::<String, String>::new("ports"));
        let watch = Kv::new(store.clone()).watch(["a/", "a/b/"], WatchOptions::default()).await.unwrap();
        let (_, feed) = store.watched.lock().unwrap().take().unwrap();
        let name = |key: &Bytes| Ok::<_, crate::Error>(String::from_utf8_lossy(key).into_owned());
        let read = move |entry: &Entry| Ok((name(&entry.key)?, String::new()));
        let mut keeping = Box::pin(mirror(&map, watch, name, read, |_, _| ()));
        let mut keys = |range: &str, told: &[&'static str]| {
            let range = KeyRange::prefix(range);
            let _ = feed.push(Event::snapshot_begin(range.clone(), Cause::Start));
            for key in told {
                let _ = feed.push(Event::Item(Entry::new(*key, "")));
            }
            let _ = feed.push(Event::snapshot_end(range, None));
            assert!(keeping.as_mut().now_or_never().is_none());
            let mut keys: Vec<String> = map.entries().into_iter().map(|(key, _)| key).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys("a/", &["a/1", "a/2", "a/b/3"]), ["a/1", "a/2", "a/b/3"]);
        assert_eq!(keys("a/b/", &["a/b/3"]), ["a/1", "a/2", "a/b/3"]);
        let _ = feed.push(Event::removed(KeyRange::prefix("a/")));
        assert_eq!(keys("a/b/", &["a/b/3"]), ["a/b/3"]);
        // One key was deleted meanwhile.
        assert_eq!(keys("a/", &["a/2", "a/b/3"]), ["a/2", "a/b/3"]);
    }

    #[tokio::test]
    async fn a_map_is_synced_by_all_ranges_of_a_store_that_is_asked_by_itself() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::<String, String>::new("ports"));
        let ranges = vec![KeyRange::prefix("a/"), KeyRange::prefix("b/")];
        let watch = Store::watch(&*store, ranges, WatchOptions::default()).await.unwrap();
        let (_, feed) = store.watched.lock().unwrap().take().unwrap();
        let name = |key: &Bytes| Ok::<_, crate::Error>(String::from_utf8_lossy(key).into_owned());
        let read = move |entry: &Entry| Ok((name(&entry.key)?, String::new()));
        let mut keeping = Box::pin(mirror(&map, watch, name, read, |_, _| ()));
        for (prefix, is_synced) in [("a/", false), ("b/", true)] {
            let _ = feed.push(Event::snapshot_begin(KeyRange::prefix(prefix), Cause::Start));
            let _ = feed.push(Event::snapshot_end(KeyRange::prefix(prefix), None));
            assert!(keeping.as_mut().now_or_never().is_none());
            assert_eq!(map.is_synced(), is_synced);
        }
    }

    #[tokio::test]
    async fn a_map_is_not_synced_by_a_store_that_was_closed_before() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::<String, String>::new("ports"));
        let ports = Kv::new(store.clone()).typed::<String, _>(SerdeJson);
        let watch = ports.watch([""], WatchOptions::default()).await.unwrap();
        store.watched.lock().unwrap().take().unwrap().1.end();
        let name = |_: &Bytes| Ok::<_, crate::Error>(String::new());
        mirror_typed(&map, watch, name, |_, _| ()).await;
        assert!(!map.is_synced());
    }

    #[tokio::test]
    async fn what_is_gone_from_the_store_is_gone_from_the_map() {
        let (store, map) = (Arc::<Map>::default(), IdxMap::new("ports"));
        let watch = Kv::new(store.clone()).watch([""], WatchOptions::default()).await.unwrap();
        let (_, feed) = store.watched.lock().unwrap().take().unwrap();
        let snapshot = async |entries: &[(&'static str, &'static str)]| {
            let _ = feed.send(Event::snapshot_begin(KeyRange::all(), Cause::Lost)).await;
            for (key, value) in entries {
                let _ = feed.send(Event::Item(Entry::new(*key, *value))).await;
            }
            let _ = feed.send(Event::snapshot_end(KeyRange::all(), None)).await;
        };
        snapshot(&[("http", "80"), ("ssh", "22"), ("dns", "fifty-three")]).await;
        snapshot(&[("ssh", "twenty-two"), ("ntp", "123"), ("http", "8080")]).await;
        snapshot(&[("ntp", "123"), ("http", "8080")]).await;
        feed.end();
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut watcher = map.watch();
        let mut wrong = Vec::new();
        let name = |key: &Bytes| Ok(text(key));
        let read = |entry: &Entry| text(&entry.value).parse::<u16>().map(|port| (text(&entry.key), port));
        mirror(&map, watch, name, read, |key, _| wrong.push(text(key))).await;
        let mut all: Vec<_> = map.entries().into_iter().map(|(key, port)| (key, *port)).collect();
        all.sort();
        assert_eq!(all, [("http".to_string(), 8080), ("ntp".to_string(), 123)]);
        assert_eq!(wrong, ["dns", "ssh"]);
        let told: Vec<String> = std::iter::from_fn(|| watcher.try_next())
            .filter_map(|event| match event {
                super::super::Event::Change(change) => {
                    let sign = ["-", "+", "~"]
                        [usize::from(change.value().is_some()) * (1 + usize::from(change.previous().is_some()))];
                    Some(format!("{sign}{}", change.key()))
                }
                _ => None,
            })
            .collect();
        assert_eq!(told, ["+http", "+ssh", "-ssh", "+ntp", "~http"]);
    }
}
