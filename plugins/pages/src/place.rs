//! Places the items of a row: in their order, without overlap, and as near as possible to where each should be.

/// An item of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) width: f64,
    /// Where its middle should be.
    pub(crate) middle: f64,
}

/// The room that the items need, with gaps between them.
pub(crate) fn room(widths: impl Iterator<Item = f64>, gap: f64) -> f64 {
    widths.fold(-gap, |sum, width| sum + gap + width).max(0.0)
}

/// The middles of items in this order, with gaps between them, all within 0 and `most`, and together as near to their
/// wishes as possible (by least squares). There must be room for them.
///
/// Without widths and gaps, this is isotonic regression: items that would overlap become a block, which is placed at
/// the mean of its items.
pub(crate) fn placed(wishes: &[Wish], gap: f64, most: f64) -> Vec<f64> {
    struct Block {
        sum: f64,
        count: usize,
    }
    impl Block {
        fn mean(&self) -> f64 {
            self.sum / self.count as f64
        }
    }
    // The least distance of each middle from the first one.
    let mut offsets = Vec::with_capacity(wishes.len());
    let mut offset = 0.0;
    for (place, wish) in wishes.iter().enumerate() {
        if let Some(before) = place.checked_sub(1).map(|before| wishes[before].width) {
            offset += f64::midpoint(before, wish.width) + gap;
        }
        offsets.push(offset);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (wish, offset) in wishes.iter().zip(&offsets) {
        let mut block = Block { sum: wish.middle - offset, count: 1 };
        while let Some(before) = blocks.pop_if(|before| before.mean() >= block.mean()) {
            block = Block { sum: before.sum + block.sum, count: before.count + block.count };
        }
        blocks.push(block);
    }
    // Moving each block inside by as little as possible is optimal, too.
    let (Some(first), Some(last), Some(end)) = (wishes.first(), wishes.last(), offsets.last()) else { return offsets };
    let (least, most) = (first.width / 2.0, most - last.width / 2.0 - end);
    let starts = blocks.iter().flat_map(|block| std::iter::repeat_n(block.mean().min(most).max(least), block.count));
    starts.zip(offsets).map(|(start, offset)| start + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_where_it_wants_to_be_unless_another_is_there() {
        let wish = |middle| Wish { width: 10.0, middle };
        let placed = |wishes: &[Wish]| placed(wishes, 2.0, 100.0);
        assert_eq!(placed(&[wish(10.0), wish(50.0)]), [10.0, 50.0]);
        assert_eq!(placed(&[wish(50.0), wish(50.0)]), [44.0, 56.0]);
        // Their order stays.
        assert_eq!(placed(&[wish(30.0), wish(20.0), wish(90.0)]), [19.0, 31.0, 90.0]);
        let narrow = Wish { width: 2.0, middle: 50.0 };
        assert_eq!(placed(&[wish(50.0), narrow, wish(50.0)]), [42.0, 50.0, 58.0]);
        // None is outside.
        assert_eq!(placed(&[wish(-50.0), wish(-40.0), wish(120.0)]), [5.0, 17.0, 95.0]);
        assert_eq!(placed(&[wish(0.0), wish(200.0), wish(200.0)]), [5.0, 83.0, 95.0]);
        assert!(placed(&[]).is_empty());
    }

    #[test]
    fn a_row_that_is_full_has_one_way_to_stand() {
        let wishes = [40.0, 0.0, 90.0].map(|middle| Wish { width: 10.0, middle });
        let most = room(wishes.iter().map(|wish| wish.width), 2.0);
        assert_eq!((most, placed(&wishes, 2.0, most)), (34.0, vec![5.0, 17.0, 29.0]));
        assert_eq!(room(std::iter::empty(), 2.0), 0.0);
    }
}
