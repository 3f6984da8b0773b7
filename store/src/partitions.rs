//! The daily partitions of the history: made when a day is first written,
//! dropped whole when nobody may ask for it any more.

use std::collections::BTreeSet;
use std::sync::Mutex;

use chrono::DateTime;

use tape::EpochMs;

use crate::row::column;
use crate::session::Session;
use crate::txn::WriteTxn;
use crate::{Store, StoreError};

const DAY_MS: i64 = 86_400_000;

/// How many days are made in one transaction: each takes a few of the server's locks.
const DAYS_AT_ONCE: usize = 100;

/// The longest span asked for at once: ten years.
const DAYS_LIMIT: i64 = 3_653;

/// One UTC day since 1970, and the partition of its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn of(instant: EpochMs) -> Self {
        Self(instant.ms().div_euclid(DAY_MS))
    }

    /// The day of a partition's name, if it is one of ours.
    pub(crate) fn of_partition(name: &str) -> Option<Self> {
        let digits = name.strip_prefix("vwap_history_")?;
        let date = chrono::NaiveDate::parse_from_str(digits, "%Y%m%d").ok()?;
        let midnight = date.and_hms_opt(0, 0, 0)?.and_utc();
        Some(Self(midnight.timestamp_millis().div_euclid(DAY_MS)))
    }

    pub(crate) fn partition(self) -> String {
        let midnight = DateTime::from_timestamp_millis(self.starts_at().ms()).expect("instants end in the year 2200");
        format!("vwap_history_{}", midnight.format("%Y%m%d"))
    }

    pub(crate) fn starts_at(self) -> EpochMs {
        EpochMs::new(self.0 * DAY_MS)
    }

    /// The first instant after the day.
    pub(crate) fn ends_at(self) -> EpochMs {
        EpochMs::new((self.0 + 1) * DAY_MS)
    }

    pub(crate) fn through(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }
}

/// What is first written of a day whose partition may have to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Written {
    /// Figures that will change, or it is not known.
    ToChange,
    /// Final figures, at this instant of our clock.
    Final(EpochMs),
}

impl Written {
    /// How full the pages of a day are made, in percent. Half-full ones let a
    /// provisional figure become final within its page. Of a day that by our clock
    /// was over before anything was written of it nothing is said provisionally,
    /// unless a market lives in the past; its figures take half the room.
    fn fillfactor(self, day: Day) -> u8 {
        match self {
            Self::Final(now) if day.ends_at() <= now => 100,
            Self::Final(_) | Self::ToChange => 50,
        }
    }
}

/// The days known to have a partition, so that asking again costs nothing.
#[derive(Debug, Default)]
pub(crate) struct KnownDays(Mutex<BTreeSet<Day>>);

impl KnownDays {
    fn missing(&self, wanted: impl IntoIterator<Item = Day>) -> Vec<Day> {
        let days = self.days();
        wanted.into_iter().filter(|day| !days.contains(day)).collect()
    }

    pub(crate) fn insert(&self, made: &[Day]) {
        self.days().extend(made);
    }

    /// Forgets everything: someone else dropped a partition.
    pub(crate) fn clear(&self) {
        self.days().clear();
    }

    pub(crate) fn remove(&self, day: Day) {
        self.days().remove(&day);
    }

    fn days(&self) -> std::sync::MutexGuard<'_, BTreeSet<Day>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Store {
    /// Makes sure that figures of every day from `from` to `to` can be written.
    /// Days already known cost nothing. A transaction that writes figures does
    /// the same for itself.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], or [`StoreError::Refused`] for spans of more than ten years.
    pub async fn history_partitions_ensure(&self, from: EpochMs, to: EpochMs) -> Result<(), StoreError> {
        let (first, last) = (Day::of(from), Day::of(to));
        if last.0 - first.0 >= DAYS_LIMIT {
            let reason = format!("{first:?} to {last:?} is more than {DAYS_LIMIT} days");
            return Err(StoreError::refused(DOING, reason));
        }
        let missing = self.known_days.missing(first.through(last));
        if missing.is_empty() {
            return Ok(());
        }
        let session = self.session().await?;
        for days in missing.chunks(DAYS_AT_ONCE) {
            make(&session, days, Written::ToChange).await?;
            self.known_days.insert(days);
        }
        Ok(())
    }
}

impl WriteTxn {
    /// Makes the partitions of these days in this transaction, so that they
    /// come to be with the figures in them.
    pub(crate) async fn partitions_ensure_days(&self, days: BTreeSet<Day>, written: Written) -> Result<(), StoreError> {
        let unknown = self.known_days.missing(days);
        let missing: Vec<Day> = {
            let own_days = self.own_days.lock().expect("nothing panics while holding it");
            unknown.into_iter().filter(|day| !own_days.contains(day)).collect()
        };
        for days in missing.chunks(DAYS_AT_ONCE) {
            make(&self.session, days, written).await?;
            self.own_days.lock().expect("nothing panics while holding it").extend(days);
        }
        Ok(())
    }

    /// Whether the day's partition belongs to the history, as it will until this
    /// transaction ends if it has read the history before. A day that is known and
    /// does not is known no more: somebody dropped it, or took it out to keep it.
    pub(crate) async fn is_attached(&self, day: Day) -> Result<bool, StoreError> {
        let sql = include_str!("../sql/partition_attached.sql");
        let row = self.session.query_opt(sql, &[&day.partition()]).await?;
        let is_attached = row.map(|row| column(&row, "is_attached")).transpose()?.unwrap_or(false);
        if !is_attached {
            self.known_days.remove(day);
        }
        Ok(is_attached)
    }
}

const DOING: &str = "making history partitions";

/// The transaction's lock on making and dropping partitions.
pub(crate) const TAKE_LOCK: &str = "select pg_advisory_xact_lock(8391735915)";

/// Makes the partitions that are not there. Outside of a transaction one
/// string is one transaction; the lock in it makes rivals wait, and each
/// statement looks again, so they find it done.
async fn make(session: &Session, days: &[Day], written: Written) -> Result<(), StoreError> {
    let existing = partitions_existing(session).await?;
    let statements: String =
        days.iter().filter(|day| !existing.contains(day)).map(|day| make_statement(*day, written)).collect();
    if statements.is_empty() {
        return Ok(());
    }
    session.batch(DOING, &format!("{TAKE_LOCK}; {statements}")).await
}

/// Attaches a finished table instead of creating it as a partition: that needs
/// no exclusive lock on the history, so readers and writers go on meanwhile.
fn make_statement(day: Day, written: Written) -> String {
    let fillfactor = written.fillfactor(day);
    let (name, from, to) = (day.partition(), day.starts_at(), day.ends_at());
    format!(
        "do $make$ begin
            if to_regclass('{name}') is null then
                create table {name} (like vwap_history including defaults including constraints)
                    with (fillfactor = {fillfactor});
                alter table vwap_history attach partition {name} for values from ({from}) to ({to});
            end if;
        end $make$;"
    )
}

pub(crate) async fn partitions_existing(session: &Session) -> Result<BTreeSet<Day>, StoreError> {
    let rows = session.query(include_str!("../sql/partitions_existing.sql"), &[]).await?;
    let mut days = BTreeSet::new();
    for row in &rows {
        let name: String = column(row, "name")?;
        days.extend(Day::of_partition(&name));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_the_name_of_its_partition_say_the_same() {
        let day = Day::of(EpochMs::new(1_684_083_600_000));

        assert_eq!(day.partition(), "vwap_history_20230514");
        assert_eq!(Day::of_partition("vwap_history_20230514"), Some(day));
        assert_eq!(Day::of_partition("vwap_history_pkey"), None);
        assert_eq!(Day::of_partition("latest_vwap_history"), None);
        assert_eq!(Day::of(EpochMs::new(-1)).partition(), "vwap_history_19691231");
        assert_eq!(day.ends_at(), Day(day.0 + 1).starts_at());
    }
}
