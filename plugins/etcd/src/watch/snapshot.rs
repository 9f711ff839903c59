//! Snapshots: a range is listed page by page, and reported.

use super::{
    ranges::Progress,
    refused::refused,
    run::{RoundEnd, Watcher},
};
use crate::{convert::number, failure::lacks_right};
use cninfra::keyval::{At, Cause, Event, KvError, Missed, PageRequest, Paging, Reason, Revision};
use std::error::Error as _;
use tokio::time::Instant;

/// Whether the error concerns only this range, so that other ranges may still be readable.
fn is_of_range(error: &KvError) -> bool {
    match error.reason() {
        Reason::Denied => lacks_right(error),
        Reason::Unavailable | Reason::TimedOut(_) | Reason::Compacted(_) | Reason::Future | Reason::Closed => false,
        _ => true,
    }
}

fn source_text(error: &KvError) -> Option<String> {
    error.source().map(ToString::to_string)
}

impl Watcher {
    /// Reports the snapshots that are due, all at the same revision unless it is compacted meanwhile.
    pub(super) async fn report_snapshots(&mut self) -> Result<(), RoundEnd> {
        let (mut at, now) = (None, Instant::now());
        for place in 0..self.tracked.len() {
            let tracked = &mut self.tracked[place];
            tracked.refused_until.take_if(|until| *until <= now);
            if !tracked.is_refused()
                && let Progress::SnapshotDue(cause) = tracked.progress
            {
                at = self.report_snapshot(place, cause, at).await?;
            }
        }
        Ok(())
    }

    async fn report_snapshot(
        &mut self,
        place: usize,
        cause: Cause,
        at: Option<Revision>,
    ) -> Result<Option<Revision>, RoundEnd> {
        let range = self.tracked[place].range.clone();
        let mut first = PageRequest::new(range.clone());
        first.at = at.map_or(At::Latest, At::Revision);
        let mut paging = Paging::new(first);
        let (mut has_begun, mut count) = (false, 0);
        loop {
            let page = match self.core.page(self.terms(), paging.request()).await {
                Ok(page) => page,
                Err(error) => match paging.missed(error.reason()) {
                    Missed::Again => continue,
                    Missed::Anew => {
                        paging.at_the_newest();
                        (has_begun, count) = (false, 0);
                        continue;
                    }
                    Missed::GivesUp if is_of_range(&error) => {
                        let error = match source_text(&error).filter(|_| lacks_right(&error)) {
                            Some(text) => refused(&self.core, &range, text),
                            None => error,
                        };
                        self.refuse(place, error);
                        return Ok(at);
                    }
                    Missed::GivesUp => return Err(RoundEnd::Lost(format!("{error:#}"))),
                },
            };
            self.mark_answered();
            // Only now: the store may have lost its data after the snapshot became due.
            if !has_begun && page.at.map_or(0, number) < self.tracked[place].reported_before {
                self.mark_snapshots_due(Cause::Regressed);
                return Err(RoundEnd::Again);
            }
            if !has_begun {
                self.identity.forget_anchor_in(&range);
                self.tracked[place].has_partial_snapshot = true;
                self.send(Event::snapshot_begin(range.clone(), cause)).await?;
                has_begun = true;
            }
            let is_last = !paging.took(&page);
            count += i64::try_from(page.entries.len()).unwrap_or(i64::MAX);
            for entry in page.entries {
                self.identity.record(&entry);
                self.send(Event::Item(entry)).await?;
            }
            if is_last {
                self.send(Event::snapshot_end(range, page.at)).await?;
                let last = page.at.map_or(0, number);
                self.tracked[place].progress = Progress::UpTo { last, count: Some(count) };
                self.tracked[place].has_partial_snapshot = false;
                self.tracked[place].warning_limit.reset();
                return Ok(page.at);
            }
        }
    }
}
