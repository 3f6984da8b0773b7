//! When an answer was true: the snapshot it was read from.

use tokio_postgres::Row;

use crate::StoreError;
use crate::row::column;

/// The snapshot that an answer was read from. Of two taken from one server in
/// one life of it, the greater was taken later, or sees the same.
///
/// Transactions begin to count for others one after another: with each that
/// ends, either the end of what a snapshot sees moves on, or there is one less
/// below that end that it does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// No transaction from this one on had ended.
    end: u64,
    /// Minus how many before it were still running.
    running: i64,
}

impl Taken {
    /// Before any snapshot.
    pub const NEVER: Self = Self { end: 0, running: i64::MIN };

    /// Reads how Postgres writes a snapshot: `first:end:running,running`.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (_, end, running) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let running = running.split(',').filter(|id| !id.is_empty()).count();
        Some(Self { end, running: -i64::try_from(running).ok()? })
    }
}

/// The snapshot a row names.
pub(super) fn taken(row: &Row) -> Result<Taken, StoreError> {
    let text: String = column(row, "taken")?;
    Taken::read(&text).ok_or_else(|| StoreError::unreadable("taken", format!("{text:?} is no snapshot")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_snapshot_sees_further_or_has_fewer_before_its_end_still_running() {
        let in_order = ["10:10:", "10:14:10,12", "10:14:10", "14:14:", "14:15:", "12:1000000000000:12"];
        let taken: Vec<Taken> = in_order.iter().map(|text| Taken::read(text).expect(text)).collect();

        assert!(taken.is_sorted() && Taken::NEVER < taken[0]);
        assert_eq!(Taken::read("10:10"), None);
    }
}
