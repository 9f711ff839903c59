//! Snapshots: a range is listed part by part, and told.

use super::{
    ranges::Told,
    run::{Then, Watcher},
};
use crate::convert::number;
use cninfra::keyval::{At, Cause, Event, Missed, PageRequest, Paging, Revision};

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
        let mut paging = Paging::new(first);
        let (mut has_begun, mut count) = (false, 0);
        loop {
            let page = match self.core.page(paging.request()).await {
                Ok(page) => page,
                Err(error) => match paging.missed(error.reason()) {
                    Missed::Again => continue,
                    Missed::Anew => {
                        paging.at_the_newest();
                        (has_begun, count) = (false, 0);
                        continue;
                    }
                    Missed::GivesUp => return Err(Then::Lost(error.to_string())),
                },
            };
            self.found();
            if !has_begun {
                self.identity.anew(&range);
                self.send(Event::snapshot_begin(range.clone(), cause)).await?;
                has_begun = true;
            }
            let is_last = !paging.took(&page);
            count += i64::try_from(page.entries.len()).unwrap_or(i64::MAX);
            for entry in page.entries {
                self.identity.saw(&entry);
                self.send(Event::Item(entry)).await?;
            }
            if is_last {
                self.send(Event::snapshot_end(range, page.at)).await?;
                let last = page.at.map_or(0, number);
                self.tracked[place].told = Told::UpTo { last, count: Some(count) };
                return Ok(page.at);
            }
        }
    }
}
