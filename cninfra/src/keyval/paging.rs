//! [`Paging`]: which page of a range to request next, and how large it should be.

use super::{Entry, Page, PageRequest, Reason};

/// The size to aim at for a page, in bytes: large enough to be worth a round trip, and small enough for the memory of
/// client and server. A request limits the number of entries, which is estimated from the size of the previous page's
/// entries.
const AIM: usize = 8 << 20;
/// The largest number of keys of a page; it doubles with each restart.
const MOST: usize = 10_000;
/// A page has at most this many times as many keys as the one before, since large values may follow small ones.
const GROWTH: usize = 10;
/// How often a range is read again from the beginning because its revision was compacted; the last time in a single
/// page.
const RESTARTS: usize = 3;

/// Which page of a range to request next, for code that reads one page by page. The page size adapts, and a range whose
/// revision is compacted meanwhile is read again with larger pages.
#[derive(Clone, Debug)]
pub struct Paging {
    first: PageRequest,
    next: PageRequest,
    restarts: usize,
}

/// What to do about a page that could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Missed {
    /// Request it again, smaller.
    Again,
    /// Start again from the beginning: what was read is of a revision that is gone.
    Anew,
    /// Give up.
    GivesUp,
}

impl Paging {
    /// Starts with this request, with at least one entry.
    #[must_use]
    pub fn new(mut first: PageRequest) -> Self {
        first.max_items = first.max_items.max(1);
        Paging { next: first.clone(), first, restarts: 0 }
    }

    /// The next request.
    #[must_use]
    pub fn request(&self) -> &PageRequest {
        &self.next
    }

    /// Whether nothing has been read yet.
    #[must_use]
    pub fn is_at_the_start(&self) -> bool {
        self.next.cursor.is_none()
    }

    /// Call it after a page was read. Returns whether there is another one.
    pub fn took(&mut self, page: &Page) -> bool {
        self.learn(&page.entries);
        self.next.cursor.clone_from(&page.next);
        page.next.is_some()
    }

    /// Call it after a page could not be read, with the reason.
    pub fn missed(&mut self, reason: &Reason) -> Missed {
        match reason {
            Reason::TooLarge if self.next.max_items > 1 => {
                self.next.max_items = (self.next.max_items / 2).min(self.most());
                Missed::Again
            }
            Reason::Compacted(_) if self.restarts < RESTARTS => {
                self.restarts += 1;
                self.next = self.first.clone();
                (self.next.max_items, self.next.max_bytes) = match self.restarts {
                    RESTARTS => (usize::MAX, usize::MAX),
                    restarts => {
                        let larger = |most: usize| most.saturating_mul(1 << restarts);
                        (larger(self.first.max_items), larger(self.first.max_bytes))
                    }
                };
                Missed::Anew
            }
            _ => Missed::GivesUp,
        }
    }

    /// Reads the newest state from now on, for code that starts again.
    pub fn at_the_newest(&mut self) {
        (self.first.at, self.next.at) = (super::At::Latest, super::At::Latest);
    }

    fn most(&self) -> usize {
        MOST << self.restarts
    }

    /// Sets the number of keys of the next page by the average size of this page's entries.
    fn learn(&mut self, entries: &[Entry]) {
        let bytes: usize = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
        let each = bytes.checked_div(entries.len()).filter(|each| *each > 0);
        if let Some(each) = each.filter(|_| self.next.max_items <= self.most()) {
            let aim = (AIM << self.restarts).min(self.next.max_bytes);
            let most = self.next.max_items.saturating_mul(GROWTH).min(self.most());
            self.next.max_items = (aim / each).clamp(1, most);
        }
    }
}
