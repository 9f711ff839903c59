//! [`mirror`]: a map that is kept as a part of a store is.

use super::IdxMap;
use crate::keyval::{Bytes, Entry, Update, Watch};
use std::hash::Hash;

/// Keeps a map as what is watched of a store is: entries that the store does not have any more are taken out, also those that have gone while it was away. It ends when
/// the store was closed, and belongs in a task of the plugin's.
///
/// `read` makes a key and a value of an entry, and `name` the same key of the bytes of a key alone. Where one of them fails, `wrong` is told; an entry whose value can
/// not be read is not in the map, whatever it was before.
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
/// Dropped, it leaves the map as it is then.
pub async fn mirror<K: Hash + Eq + Clone, V, E>(
    map: &IdxMap<K, V>,
    watch: Watch,
    name: impl Fn(&Bytes) -> Result<K, E>,
    read: impl Fn(&Entry) -> Result<(K, V), E>,
    mut wrong: impl FnMut(&Bytes, E),
) {
    let mut updates = watch.diffed();
    while let Some(update) = updates.next().await {
        let gone = match update {
            Update::Put(entry) => match read(&entry) {
                Ok((key, value)) => {
                    map.put(key, value);
                    continue;
                }
                Err(error) => {
                    wrong(&entry.key, error);
                    entry.key
                }
            },
            Update::Deleted { key, .. } => key,
            Update::Synced(_) | Update::Removed(_) | Update::Link(_) => continue,
        };
        // a key that can not be read is not in the map, and was told when it came
        if let Ok(key) = name(&gone) {
            map.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyval::{Cause, Event, KeyRange, Kv, WatchOptions, testing::Map};
    use std::sync::Arc;

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
