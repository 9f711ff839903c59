//! Where the items of a row stand: as near as may be to where each wants to, in their order, and none over another.

/// An item of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) width: f64,
    /// Where its middle wants to be.
    pub(crate) middle: f64,
}

/// How much room items need with a gap between.
pub(crate) fn room(widths: impl Iterator<Item = f64>, gap: f64) -> f64 {
    widths.fold(-gap, |sum, width| sum + gap + width).max(0.0)
}

/// The middles of items that stand in this order with a gap between, all of them between 0 and `most`, and are together as near to their wishes as can be (by
/// least squares). There must be room for them.
///
/// Without widths and gaps it is isotonic regression: what would overlap becomes a block, which stands at the mean of its items.
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
    // how far each middle is from the first one at least
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
    // that each is moved in by as little as can be is the best, too
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
        // their order stays
        assert_eq!(placed(&[wish(30.0), wish(20.0), wish(90.0)]), [19.0, 31.0, 90.0]);
        let narrow = Wish { width: 2.0, middle: 50.0 };
        assert_eq!(placed(&[wish(50.0), narrow, wish(50.0)]), [42.0, 50.0, 58.0]);
        // none is outside
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
