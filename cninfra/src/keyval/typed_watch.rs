//! [`TypedWatch`]: a watch whose values have a type.

use super::{Access, Codec, Diffed, Entry, KeyVal, Result, Typed, Update, WatchHandle};
use futures_util::{Stream, StreamExt};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// An [`Update`] with the decoded value, or an error if it is not of the type.
pub type TypedUpdate<T> = Update<(Entry, Result<T>)>;

/// A watch of values of a type: see [`Typed::watch`]. It reports the differences, as [`Diffed`] does.
///
/// # Cancel safety
/// An update that was not returned is returned by the next call.
pub struct TypedWatch<T, C, S: ?Sized = dyn KeyVal> {
    typed: Typed<T, C, S>,
    updates: Diffed,
}

impl<T, C: Codec<T>, S: Access + ?Sized> TypedWatch<T, C, S> {
    pub(super) fn new(typed: Typed<T, C, S>, updates: Diffed) -> Self {
        TypedWatch { typed, updates }
    }

    /// The next update; `None` when the store was closed.
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no update is lost.
    pub async fn next(&mut self) -> Option<TypedUpdate<T>> {
        StreamExt::next(self).await
    }

    /// The handle of the watch, to change its ranges and to read its statistics.
    #[must_use]
    pub fn handle(&self) -> &WatchHandle {
        self.updates.handle()
    }

    /// The underlying watch, whose values are not decoded.
    pub(crate) fn diffed(&mut self) -> &mut Diffed {
        &mut self.updates
    }
}

impl<T, C: Codec<T>, S: Access + ?Sized> Stream for TypedWatch<T, C, S> {
    type Item = TypedUpdate<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<TypedUpdate<T>>> {
        let update = self.updates.poll_next_unpin(cx);
        update.map(|update| {
            update.map(|update| {
                update.map(|entry| {
                    let value = self.typed.decode(&entry);
                    (entry, value)
                })
            })
        })
    }
}

impl<T, C, S: ?Sized> fmt::Debug for TypedWatch<T, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedWatch").field("updates", &self.updates).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Cause, Change, Event, KeyRange, Kv, Previous, Reason, Revision, SerdeJson, WatchOptions, testing::Map,
        },
        *,
    };
    use std::sync::Arc;

    #[tokio::test]
    async fn what_is_watched_has_a_type() {
        let map = Arc::<Map>::default();
        let ports = Kv::new(map.clone()).scoped("p/").typed::<u16, _>(SerdeJson);
        let mut watch = ports.watch([""], WatchOptions::default()).await.unwrap();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        let gone = Change::deleted("p/http", None, Previous::Unknown);
        let all = || KeyRange::prefix("p/");
        for event in [
            Event::snapshot_begin(all(), Cause::Start),
            Event::Item(Entry::new("p/http", "80")),
            Event::Item(Entry::new("p/ssh", "twenty-two")),
            Event::snapshot_end(all(), None),
            Event::changes(Revision::new(9), vec![gone]),
        ] {
            let _ = feed.push(event);
        }
        let Some(TypedUpdate::Put((entry, Ok(80)))) = watch.next().await else { panic!() };
        assert_eq!(entry.key, "http");
        let Some(TypedUpdate::Put((_, Err(error)))) = watch.next().await else { panic!() };
        assert_eq!(
            (error.to_string().as_str(), error.reason()),
            ("decode of `p/ssh`: the value is malformed", &Reason::Malformed)
        );
        assert!(matches!(watch.next().await, Some(TypedUpdate::Synced(range)) if range == KeyRange::all()));
        let Some(TypedUpdate::Deleted { key, revision }) = watch.next().await else { panic!() };
        assert_eq!((&*key, revision), (&b"http"[..], Revision::new(9)));
        assert_eq!(watch.handle().stats().queued, 0);
    }
}
