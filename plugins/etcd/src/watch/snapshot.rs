//! Snapshots: a range is listed part by part, and told.

use super::{
    ranges::Told,
    run::{Then, Watcher},
};
use crate::convert::number;
use cninfra::keyval::{At, Cause, Entry, Event, PageRequest, Reason, Revision};

/// What a part should have, in bytes, and in keys.
const AIM: usize = 8 << 20;
const KEYS: std::ops::RangeInclusive<usize> = 100..=10_000;
/// So often it is begun anew, since the state that is read is compacted: the last time all is read at once.
const RESTARTS: usize = 3;

impl Watcher {
    /// Tells those that are due, of one state as far as it is kept.
    pub(super) async fn tell_snapshots(&mut self) -> Result<(), Then> {
        let mut at = None;
        for place in 0..self.tracked.len() {
            if let Told::Not(cause) = self.tracked[place].told {
                at = self.tell_snapshot(place, cause, at).await?;
            }
        }
        Ok(())
    }

    async fn tell_snapshot(
        &mut self,
        place: usize,
        cause: Cause,
        at: Option<Revision>,
    ) -> Result<Option<Revision>, Then> {
        let range = self.tracked[place].range.clone();
        let mut first = PageRequest::new(range.clone());
        first.at = at.map_or(At::Latest, At::Revision);
        let (mut restarts, mut request) = (0, first.clone());
        let (mut has_begun, mut count) = (false, 0);
        loop {
            let page = match self.core.page(&request).await {
                Ok(page) => page,
                Err(error) => match error.reason() {
                    Reason::Compacted(_) if restarts < RESTARTS => {
                        restarts += 1;
                        (first.at, has_begun, count) = (At::Latest, false, 0);
                        request = first.clone();
                        match restarts {
                            RESTARTS => (request.max_items, request.max_bytes) = (usize::MAX, usize::MAX),
                            _ => {
                                (request.max_items, request.max_bytes) = (first.max_items << restarts, AIM << restarts)
                            }
                        }
                        continue;
                    }
                    Reason::TooLarge if request.max_items > 1 => {
                        request.max_items = (request.max_items / 2).min(*KEYS.end());
                        continue;
                    }
                    _ => return Err(Then::Lost(error.to_string())),
                },
            };
            self.found();
            if !has_begun {
                self.identity.anew(&range);
                self.send(Event::snapshot_begin(range.clone(), cause)).await?;
                has_begun = true;
            }
            learn(&mut request, &page.entries);
            count += i64::try_from(page.entries.len()).unwrap_or(i64::MAX);
            for entry in page.entries {
                self.identity.saw(&entry);
                self.send(Event::Item(entry)).await?;
            }
            if page.next.is_none() {
                self.send(Event::snapshot_end(range, page.at)).await?;
                let last = page.at.map_or(0, number);
                self.tracked[place].told = Told::UpTo { last, count: Some(count) };
                return Ok(page.at);
            }
            request.cursor = page.next;
        }
    }
}

/// How many keys the next part should have, by those of this one.
fn learn(request: &mut PageRequest, entries: &[Entry]) {
    let bytes: usize = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
    if let Some(each) = bytes.checked_div(entries.len()).filter(|each| *each > 0 && request.max_items <= *KEYS.end()) {
        request.max_items = (AIM / each).clamp(*KEYS.start(), *KEYS.end());
    }
}
