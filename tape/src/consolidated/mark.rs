//! Which mark the exchanges are asked about together.

use crate::EpochMs;

/// The newest mark that every exchange has a figure of, given the newest mark of
/// each. One that is more than `patience_ms` behind the foremost is not waited
/// for, or a single exchange that stopped would stop the figure of all. None
/// where no exchange has a figure.
pub fn common_mark(newest: &[Option<EpochMs>], patience_ms: i64) -> Option<EpochMs> {
    let foremost = newest.iter().flatten().max()?;
    newest.iter().flatten().filter(|mark| foremost.ms_since(**mark) <= patience_ms).min().copied()
}

/// The newest mark that is final on every exchange, given the newest final mark
/// of each: here everyone is waited for.
pub fn common_final_mark(newest: &[Option<EpochMs>]) -> Option<EpochMs> {
    let known: Option<Vec<EpochMs>> = newest.iter().copied().collect();
    known?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(seconds: &[Option<i64>]) -> Vec<Option<EpochMs>> {
        seconds.iter().map(|second| second.map(|second| EpochMs::new(second * 1_000))).collect()
    }

    fn common(seconds: &[Option<i64>]) -> Option<i64> {
        common_mark(&marks(seconds), 5_000).map(|mark| mark.ms() / 1_000)
    }

    #[test]
    fn the_slowest_exchange_is_waited_for_and_one_that_stopped_is_not() {
        assert_eq!(common(&[Some(100), Some(99), Some(101)]), Some(99));
        assert_eq!(common(&[Some(100), Some(95)]), Some(95), "just within patience");
        assert_eq!(common(&[Some(100), Some(94)]), Some(100));
        assert_eq!(common(&[Some(100), Some(94), Some(98)]), Some(98));
        assert_eq!(common(&[Some(94), None]), Some(94), "however old, it is all there is");
        assert_eq!((common(&[None, None]), common(&[])), (None, None));
    }

    #[test]
    fn a_final_mark_is_one_that_everybody_has() {
        let common = |seconds: &[Option<i64>]| common_final_mark(&marks(seconds)).map(|mark| mark.ms() / 1_000);

        assert_eq!(common(&[Some(100), Some(7), Some(50)]), Some(7));
        assert_eq!((common(&[Some(100), None]), common(&[])), (None, None));
    }
}
