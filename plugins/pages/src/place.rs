//! Where the items of a row stand: as near as may be to where each wants to, in their order, and none over another.

/// An item of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) width: f64,
    /// Where its middle wants to be.
    pub(crate) middle: f64,
}

/// The middles of items that stand in this order with a gap between, and are together as near to their wishes as can be (by least squares).
///
/// Without widths and gaps it is isotonic regression: what would overlap becomes a block, which stands at the mean of its items.
pub(crate) fn placed(wishes: &[Wish], gap: f64) -> Vec<f64> {
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
    let starts = blocks.iter().flat_map(|block| std::iter::repeat_n(block.mean(), block.count));
    starts.zip(offsets).map(|(start, offset)| start + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_where_it_wants_to_be_unless_another_is_there() {
        let wish = |middle| Wish { width: 10.0, middle };
        assert_eq!(placed(&[wish(0.0), wish(50.0)], 2.0), [0.0, 50.0]);
        assert_eq!(placed(&[wish(50.0), wish(50.0)], 2.0), [44.0, 56.0]);
        // their order stays
        assert_eq!(placed(&[wish(10.0), wish(0.0), wish(100.0)], 2.0), [-1.0, 11.0, 100.0]);
        let narrow = Wish { width: 2.0, middle: 0.0 };
        assert_eq!(placed(&[wish(0.0), narrow, wish(0.0)], 2.0), [-8.0, 0.0, 8.0]);
        assert!(placed(&[], 2.0).is_empty());
    }
}
