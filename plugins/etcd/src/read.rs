//! Reads: single keys, ranges and pages, each at one revision.

use crate::{
    convert::{bounds, entry, header_revision, number, revision, start},
    core::Core,
    failure::{Asked, is_permission_denied},
    monitor::PROBE_KEY,
    terms::Terms,
    wire::MAX_MESSAGE,
};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use cninfra::keyval::{Applied, At, Cursor, Entry, KeyRange, Page, PageRequest, Reason, Result};
use etcd_client::{GetOptions, GetResponse, Txn};

/// The limit of an answer is computed from at least this page size, in bytes, even if fewer are requested: it is not
/// worth refusing a smaller answer and requesting it again.
const AIM: usize = 8 << 20;
/// An answer may be this many times as large as the page.
const ROOM: usize = 2;
/// If it is larger, this many times fewer entries are requested.
const FEWER: usize = 8;
/// And at most this many, since the first request may have been for all entries.
const SOME: usize = 10_000;

impl Core {
    /// Reads a key.
    pub(crate) async fn get(&self, terms: Terms, key: &Bytes, at: At) -> Result<Option<Entry>> {
        let asked = || Asked::to_read("get", Some(KeyRange::key(key)));
        let read = self.call(terms, &asked, |wire| {
            let options = match at {
                At::Revision(at) => GetOptions::new().with_revision(number(at)),
                _ => GetOptions::new(),
            };
            self.seating.read(wire, key.to_vec(), options)
        });
        Ok(std::mem::take(&mut read.await?.0.kvs).into_iter().next().map(entry))
    }

    /// Reads a range: its entries, the revision of the store, and whether there are more.
    pub(crate) async fn range(
        &self,
        terms: Terms,
        op: &'static str,
        range: &KeyRange,
        from: Option<&Bytes>,
        options: GetOptions,
    ) -> Result<(Vec<Entry>, i64, bool)> {
        let asked = || Asked::to_read(op, Some(range.clone()));
        let read = self.call(terms, &asked, |wire| {
            let (first, end) = bounds(range);
            let (key, options) = (from.map_or(first, start), options.clone().with_range(end));
            self.seating.read(wire, key, options)
        });
        Ok(read_entries(read.await?))
    }

    /// Reads the first entries of the rest of a range. etcd has no limit in bytes, so an answer that is too large is
    /// refused as soon as its size is known.
    async fn part(
        &self,
        terms: Terms,
        request: &PageRequest,
        from: Option<&Bytes>,
        options: &GetOptions,
        limit: usize,
    ) -> Result<(Vec<Entry>, i64, bool)> {
        let asked = || Asked::to_read("list", Some(request.range.clone()));
        // A single entry is returned in any case, however large.
        let most = if limit > 1 { request.max_bytes.clamp(AIM, MAX_MESSAGE / ROOM) * ROOM } else { MAX_MESSAGE };
        let limit = i64::try_from(limit).unwrap_or(0);
        let read = self.call(terms, &asked, |wire| {
            let (first, end) = bounds(&request.range);
            let (key, options) = (from.map_or(first, start), options.clone().with_range(end).with_limit(limit));
            let mut client = wire.kv.clone().max_decoding_message_size(most);
            async move { client.get(key, Some(options)).await }
        });
        Ok(read_entries(read.await?))
    }

    /// The newest revision that a majority of the cluster has agreed on, whatever keys the user may read.
    ///
    /// A read waits until its member has everything that the majority has agreed on. If the user may not read the key,
    /// it is refused only after that, but a refusal contains no revision. An empty transaction does: it needs no
    /// permission and no agreement. Sent to the same member after the read, it is as new.
    pub(crate) async fn newest_of_all(&self, terms: Terms) -> Result<i64> {
        let asked = || Asked::to_read("revision", None);
        let read = self.call(terms, &asked, |wire| async {
            let options = GetOptions::new().with_count_only();
            match self.seating.read(wire.clone(), PROBE_KEY.into(), options).await {
                Err(error) if is_permission_denied(&error) => {
                    let nothing = wire.with_spare(async move |client| client.txn(Txn::new()).await).await?;
                    Ok(header_revision(nothing.header()))
                }
                read => read.map(|read| header_revision(read.header())),
            }
        });
        read.await
    }

    /// The newest revision that a majority of the cluster has agreed on, found by a read of a range that the user may
    /// read.
    pub(crate) async fn newest(&self, terms: Terms, of: &KeyRange) -> Result<i64> {
        Ok(self.range(terms, "revision", of, None, GetOptions::new().with_count_only()).await?.1)
    }

    /// How many keys a range had at a revision.
    pub(crate) async fn count(&self, terms: Terms, range: &KeyRange, at: i64) -> Result<i64> {
        let asked = || Asked::to_read("count", Some(range.clone()));
        let counted = self.call(terms, &asked, |wire| {
            let (key, end) = bounds(range);
            self.seating.read(wire, key, GetOptions::new().with_range(end).with_revision(at).with_count_only())
        });
        Ok(counted.await?.count())
    }

    /// Reads a page: see [`cninfra::keyval::Store::page`].
    pub(crate) async fn page(&self, terms: Terms, request: &PageRequest) -> Result<Page> {
        let malformed = || {
            let asked = Asked::to_read("list", Some(request.range.clone()));
            asked.error(Reason::Invalid, Applied::No).with_help("a cursor is of the page before, in the same store")
        };
        let (at, from) = match &request.cursor {
            Some(cursor) => {
                let (at, from) = parse(cursor).ok_or_else(malformed)?;
                (Some(at), Some(from))
            }
            None => match request.at {
                At::Revision(at) => (Some(number(at)), None),
                _ => (None, None),
            },
        };
        let mut options = GetOptions::new();
        if let Some(at) = at {
            options = options.with_revision(at);
        }
        if request.keys_only {
            options = options.with_keys_only();
        }
        let mut limit = request.max_items.max(1);
        let (mut entries, state, mut more) = loop {
            match self.part(terms, request, from.as_ref(), &options, limit).await {
                Err(error) if *error.reason() == Reason::TooLarge && limit > 1 => {
                    limit = (limit / FEWER).clamp(1, SOME)
                }
                part => break part?,
            }
        };
        let at = at.unwrap_or(state);
        // All entries have already arrived, but the caller has room for no more than `max_bytes`.
        let mut bytes = 0usize;
        let fits = entries.iter().take_while(|entry| {
            bytes = bytes.saturating_add(entry.key.len() + entry.value.len());
            bytes <= request.max_bytes
        });
        // The first entry is returned in any case.
        let fits = fits.count().max(1);
        if fits < entries.len() {
            entries.truncate(fits);
            more = true;
        }
        let next = entries.last().filter(|_| more).map(|last| cursor(at, &last.key));
        Ok(Page::new(entries, next, revision(at)))
    }
}

/// The entries of an answer, its revision, and whether there are more.
fn read_entries(mut read: GetResponse) -> (Vec<Entry>, i64, bool) {
    let entries = std::mem::take(&mut read.0.kvs).into_iter().map(entry).collect();
    (entries, header_revision(read.header()), read.more())
}

/// A cursor holds the revision that is read, and the next possible key: the last one followed by a zero byte.
fn cursor(at: i64, last: &[u8]) -> Cursor {
    let mut bytes = BytesMut::with_capacity(9 + last.len());
    bytes.put_i64(at);
    bytes.put_slice(last);
    bytes.put_u8(0);
    Cursor(bytes.freeze())
}

fn parse(Cursor(bytes): &Cursor) -> Option<(i64, Bytes)> {
    let mut bytes = bytes.clone();
    (bytes.len() > 8).then(|| (bytes.get_i64(), bytes))
}
