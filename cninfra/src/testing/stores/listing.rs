//! Checks of listings.

use super::{Check, Done, Trial};
use crate::keyval::{Bytes, KeyRange, PageRequest, Store};
use futures_util::future;

pub(super) fn checks<S: Store>() -> Vec<Check<S>> {
    checks! {
        "a listing has each key once, however small its pages" => each_once,
        "ranges begin and end where they say" => ranges,
    }
}

const COUNT: usize = 1200;

async fn each_once<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let keys: Vec<String> = (0..COUNT).map(|number| format!("p/{number:05}")).collect();
    for some in keys.chunks(64) {
        future::try_join_all(some.iter().map(|key| kv.put(key, key.clone()))).await?;
    }
    kv.put("q", "beside").await?;
    for (pages, keys_only) in
        [(None, false), (None, true), (Some(7), false), (Some(COUNT - 1), false), (Some(1 << 20), true)]
    {
        let mut request = PageRequest::new(KeyRange::prefix("p/"));
        request.keys_only = keys_only;
        request.max_items = pages.unwrap_or(request.max_items);
        let mut found = kv.list_with(request).all().await?;
        let is_ordered = found.is_sorted_by(|one, next| one.key < next.key);
        ensure!(is_ordered || !kv.capabilities().ordered, "with pages of {pages:?} the keys are in no order");
        found.sort_by(|one, other| one.key.cmp(&other.key));
        ensure!(found.len() == COUNT, "with pages of {pages:?} there are {} of {COUNT} keys", found.len());
        let is_right = |(entry, key): (&crate::keyval::Entry, &String)| {
            entry.key == key.as_str() && entry.value == if keys_only { "" } else { key.as_str() }
        };
        ensure!(found.iter().zip(&keys).all(is_right), "with pages of {pages:?} a key or a value is another one");
    }
    // A page has at least one entry, even if it is larger than the limit.
    let mut small = PageRequest::new(KeyRange::prefix("p/0000"));
    small.max_bytes = 1;
    let mut listing = kv.list_with(small);
    let mut count = 0;
    while let Some(page) = listing.next_page().await? {
        ensure!(!page.is_empty(), "a page is empty");
        count += page.len();
    }
    ensure!(count == 10, "with pages of a byte there are {count} of 10 keys");
    ensure!(kv.list("none/").all().await?.is_empty(), "below a prefix without keys there are some");
    ensure!(kv.list("").all().await?.len() == COUNT + 1, "a view's own keys are not all of its keys");
    Ok(())
}

async fn ranges<S: Store>(trial: Trial<S>) -> Done {
    let kv = trial.kv();
    let keys: Vec<Bytes> = ["a", "b", "b/1", "b\u{0}", "c"].map(Bytes::from).to_vec();
    for key in &keys {
        kv.put(key, "v").await?;
    }
    let between = [KeyRange::between("b", "c"), KeyRange::from("b"), KeyRange::between("a\u{0}", "b\u{1}")];
    for range in [KeyRange::key("b"), KeyRange::prefix("b"), KeyRange::all()].into_iter().chain(between) {
        let is_known = kv.capabilities().ordered || range.single().is_some() || range.as_prefix().is_some();
        let found = kv.list_range(range.clone()).all().await;
        ensure!(found.is_ok() == is_known, "the range {range} is {found:?}");
        let Ok(found) = found else { continue };
        let mut found: Vec<Bytes> = found.into_iter().map(|entry| entry.key).collect();
        found.sort();
        let mut wanted: Vec<Bytes> = keys.iter().filter(|key| range.contains(key)).cloned().collect();
        wanted.sort();
        ensure!(found == wanted, "the range {range} has {found:?}, not {wanted:?}");
    }
    Ok(())
}
