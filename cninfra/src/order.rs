//! Sorts short or nearly sorted lists.

/// A stable sort by `is_after`, which says whether the first item belongs after the second.
///
/// It takes a step for each pair that is in the wrong order, so it is for a few items, or for nearly sorted ones. The
/// sort of the standard library is much faster with many items, but takes three kilobytes of machine code for each
/// type.
pub(crate) fn sort_few<T>(all: &mut [T], is_after: impl Fn(&T, &T) -> bool) {
    for end in 1..all.len() {
        let mut at = end;
        while at > 0 && is_after(&all[at - 1], &all[at]) {
            all.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_keeps_its_order() {
        // All lists of five numbers below three, each number with its index.
        for list in 0..3_usize.pow(5) {
            let digits = (0..5_u32).map(|at| (list / 3_usize.pow(at) % 3, at));
            let mut all: Vec<(usize, u32)> = digits.collect();
            let mut sorted = all.clone();
            sorted.sort_by_key(|(digit, _)| *digit);
            sort_few(&mut all, |(one, _), (other, _)| one > other);
            assert_eq!(all, sorted);
        }
        sort_few(&mut [] as &mut [u8], |one, other| one > other);
    }
}
