//! [`Portion`]: how many values to read at once.

use crate::batch::BATCH;
use bytes::Bytes;

/// How many at first, while the size of the values is not known.
const FIRST: usize = 8;

/// Estimates how many values fit into the available space: the next values are assumed to be as large as the last ones.
#[derive(Clone, Copy, Default)]
pub(crate) struct Portion {
    count: usize,
    bytes: usize,
}

impl Portion {
    /// How many keys to read for `room` bytes; at least one.
    pub(crate) fn next(&self, room: usize) -> usize {
        match self.count {
            0 => FIRST,
            count => room.saturating_mul(count).checked_div(self.bytes).unwrap_or(BATCH).clamp(1, BATCH),
        }
    }

    /// Records which values were read.
    pub(crate) fn adapt<E>(&mut self, values: &[Result<Option<Bytes>, E>]) {
        self.count = values.len();
        self.bytes = values.iter().flatten().flatten().map(Bytes::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_reading(count: usize, len: usize) -> Portion {
        let mut portion = Portion::default();
        portion.adapt(&vec![Ok::<_, ()>(Some(Bytes::from(vec![0; len]))); count]);
        portion
    }

    #[test]
    fn it_follows_the_size_of_the_values() {
        assert_eq!(Portion::default().next(1 << 23), FIRST);
        assert_eq!(
            [after_reading(8, 10).next(1 << 23), after_reading(8, 0).next(1), after_reading(8, 1 << 20).next(1 << 23)],
            [BATCH, BATCH, 8]
        );
        assert_eq!(
            [after_reading(8, 1 << 20).next(0), after_reading(1, 100).next(350), after_reading(8, 1).next(usize::MAX)],
            [1, 3, BATCH]
        );
    }

    #[test]
    fn what_is_not_there_has_no_bytes() {
        let mut portion = Portion::default();
        portion.adapt(&[Ok(None), Err(()), Ok(Some(Bytes::from_static(b"four")))]);
        assert_eq!(portion.next(8), 6);
    }
}
