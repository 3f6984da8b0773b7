//! The sums of one ticker, second by second, in whatever order trades come.

use tape::{Mark, Sums};

/// A list shorter than this is never put in order before its time.
const UNSORTED_LEAST: usize = 4_096;

/// Sums by second. Trades in order of time cost a comparison each; others are
/// put in their place now and then, together.
#[derive(Debug, Clone, Default)]
pub struct Seconds {
    /// A second may stand here more than once.
    sums: Vec<(Mark, Sums)>,
    /// When the list is this long, it is put in order.
    limit: usize,
}

impl Seconds {
    /// Adds the sums of trades made in one second.
    pub fn add(&mut self, second: Mark, sums: Sums) {
        match self.sums.last_mut() {
            Some((last, own)) if *last == second => *own = own.plus(sums),
            _ => self.push(second, sums),
        }
    }

    fn push(&mut self, second: Mark, sums: Sums) {
        if self.limit <= self.sums.len() {
            self.put_in_order();
            self.limit = UNSORTED_LEAST.max(2 * self.sums.len());
        }
        self.sums.push((second, sums));
    }

    /// Adds all of another's.
    pub fn absorb(&mut self, other: Self) {
        other.sums.into_iter().for_each(|(second, sums)| self.add(second, sums));
    }

    /// How many are held at the moment: at most twice the seconds with trades,
    /// and a constant.
    pub fn held(&self) -> usize {
        self.sums.len()
    }

    /// Each second with trades once, in order.
    pub fn into_sorted(mut self) -> Vec<(Mark, Sums)> {
        self.put_in_order();
        self.sums
    }

    fn put_in_order(&mut self) {
        if !self.sums.is_sorted_by(|a, b| a.0 < b.0) {
            self.sums.sort_by_key(|second| second.0);
            self.sums.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    kept.1 = kept.1.plus(later.1);
                }
                is_same
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use tape::{EpochMs, Price, Quantity};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn each_second_comes_out_once_in_order_whatever_the_order_of_trades(
            trades in prop::collection::vec((0i64..300, 1u32..1_000), 0..20_000),
        ) {
            let mut seconds = Seconds::default();
            let mut plain: BTreeMap<Mark, Sums> = BTreeMap::new();
            for (second, units) in trades {
                let mark = Mark::at_or_after(EpochMs::new(second * 1_000));
                let price = Price::parse(&units.to_string()).expect("price");
                let sums = Sums::of(price, Quantity::parse("0.5").expect("quantity"));
                seconds.add(mark, sums);
                let own = plain.entry(mark).or_default();
                *own = own.plus(sums);
            }
            prop_assert!(seconds.held() <= 2 * 300 + UNSORTED_LEAST);
            prop_assert_eq!(seconds.into_sorted(), plain.into_iter().collect::<Vec<_>>());
        }
    }
}
