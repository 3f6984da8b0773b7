//! How wrong provisional figures may be: what was said of it with each, how
//! often that held, and the evidence from which it is said.

use std::collections::{BTreeMap, HashSet};

use tape::bound::{Class, Deviation, ErrorBin, Hour, Lesson, Outcomes, SaidBefore, Statement, Unsaid};
use tape::{EpochMs, Fixed, Interval, Mark, Ticker};

use crate::figures::Figure;
use crate::numeric::Numeric;
use crate::row::{column, count, instant, ticker};
use crate::txn::WriteTxn;
use crate::{Store, StoreError};

/// How many rows of old evidence one statement deletes at most.
const TRIMMED_AT_ONCE: i64 = 20_000;

/// Errors of one class in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundEvidence {
    /// The ticker.
    pub ticker: Ticker,
    /// The hour of the marks.
    pub hour: Hour,
    /// What was unconfirmed when the figures were said.
    pub class: Class,
    /// How many marks were how wrong.
    pub errors: Vec<(ErrorBin, u32)>,
}

/// Outcomes of one class in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundOutcomes {
    /// The ticker.
    pub ticker: Ticker,
    /// The hour of the marks.
    pub hour: Hour,
    /// What was unconfirmed when the figures were said.
    pub class: Class,
    /// How often what was said held.
    pub outcomes: Outcomes,
    /// The level after the last of them, in billionths.
    pub level: i64,
}

/// What is kept of one interval's bounds, from an hour on; outcomes oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoundsKept {
    /// The evidence.
    pub evidence: Vec<BoundEvidence>,
    /// The outcomes.
    pub outcomes: Vec<BoundOutcomes>,
}

impl Store {
    /// What is kept of the bounds of a venue's figures from an hour on.
    ///
    /// # Errors
    /// When the database cannot be asked, or holds what is no evidence.
    pub async fn bounds_kept(&self, venue: &str, interval: Interval, from: Hour) -> Result<BoundsKept, StoreError> {
        let session = self.session().await?;
        let params: crate::session::Params<'_> = &[&venue, &interval.ms(), &from.number()];
        let mut kept = BoundsKept::default();
        for row in &session.query(include_str!("../sql/bound_evidence.sql"), params).await? {
            let (bins, marks): (Vec<i16>, Vec<i64>) = (column(row, "error_bins")?, column(row, "marks")?);
            let errors = bins.into_iter().zip(marks).map(|(bin, marks)| {
                let bin = ErrorBin::from_number(bin).ok_or_else(|| unreadable("error_bin", "no bin of errors"))?;
                Ok((bin, u32::try_from(marks).unwrap_or(u32::MAX)))
            });
            kept.evidence.push(BoundEvidence {
                ticker: ticker(row, "ticker")?,
                hour: Hour::from_number(column(row, "hour")?),
                class: class(column(row, "class")?)?,
                errors: errors.collect::<Result<_, StoreError>>()?,
            });
        }
        for row in &session.query(include_str!("../sql/bound_outcomes.sql"), params).await? {
            kept.outcomes.push(BoundOutcomes {
                ticker: ticker(row, "ticker")?,
                hour: Hour::from_number(column(row, "hour")?),
                class: class(column(row, "class")?)?,
                outcomes: Outcomes {
                    kept: count(row, "kept")?,
                    broken: count(row, "broken")?,
                    unsaid: count(row, "unsaid")?,
                },
                level: column(row, "level")?,
            });
        }
        Ok(kept)
    }

    /// Lets go of some evidence that no longer counts at an instant. Returns how
    /// many rows that were; none when there is nothing left to do.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bounds_trim(&self, venue: &str, now: EpochMs) -> Result<u64, StoreError> {
        let session = self.session().await?;
        let sql = include_str!("../sql/retain_bound_evidence.sql");
        session.execute(sql, &[&venue, &now.ms(), &TRIMMED_AT_ONCE]).await
    }
}

impl WriteTxn {
    /// What is said of marks that are provisional still, where a price is.
    ///
    /// # Errors
    /// When the database cannot be asked, or holds what cannot have been said.
    pub async fn bounds_said(
        &self,
        interval: Interval,
        marks: &[(Ticker, Mark)],
    ) -> Result<Vec<(Ticker, Mark, SaidBefore)>, StoreError> {
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        let asked = || marks.iter().map(|(ticker, mark)| (ticker.as_str(), mark.at().ms()));
        let mut spans: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for (ticker, at) in asked() {
            let span = spans.entry(ticker).or_insert((at, at));
            *span = (span.0.min(at), span.1.max(at));
        }
        let (tickers, spans): (Vec<&str>, Vec<(i64, i64)>) = spans.into_iter().unzip();
        let (first, last): (Vec<i64>, Vec<i64>) = spans.into_iter().unzip();
        let sql = include_str!("../sql/bounds_said.sql");
        let (earliest, latest) = (first.iter().min(), last.iter().max());
        let params: crate::session::Params<'_> =
            &[&self.venue, &interval.ms(), &tickers, &first, &last, &earliest, &latest];
        let rows = self.session.query(sql, params).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let asked: HashSet<(&str, i64)> = asked().collect();
        let mut said = Vec::with_capacity(rows.len());
        for row in &rows {
            let (ticker, mark) = (ticker(row, "ticker")?, Mark::at_or_before(instant(row, "ts")?));
            if !asked.contains(&(ticker.as_str(), mark.at().ms())) {
                continue;
            }
            let price: Option<Numeric<24>> = column(row, "price")?;
            let unsaid: Option<String> = column(row, "provisional_unsaid")?;
            let bound = match deviation(column(row, "provisional_bound_bps")?)? {
                Some(bound) => Ok(bound),
                None if unsaid.as_deref() == Some(Unsaid::NoFiniteBound.as_str()) => Err(Unsaid::NoFiniteBound),
                // How many marks there were then teaches nothing.
                None => Err(Unsaid::NotEnoughEvidence { marks: 0, needed: 0 }),
            };
            let class = class(column(row, "provisional_class")?)?;
            let before = SaidBefore { price: price.map(|price| price.0), class, bound };
            said.push((ticker, mark, before));
        }
        Ok(said)
    }

    /// Keeps what final figures taught, in the order in which it was learned.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn bounds_learn(&self, interval: Interval, lessons: &[(Ticker, Lesson)]) -> Result<(), StoreError> {
        if lessons.is_empty() {
            return Ok(());
        }
        let mut evidence: BTreeMap<(&Ticker, Hour, Class, ErrorBin), i64> = BTreeMap::new();
        let mut outcomes: BTreeMap<(&Ticker, Hour, Class), (Outcomes, i64)> = BTreeMap::new();
        for (ticker, lesson) in lessons {
            *evidence.entry((ticker, lesson.hour, lesson.class, lesson.error)).or_default() += 1;
            let entry = outcomes.entry((ticker, lesson.hour, lesson.class)).or_default();
            *entry = (entry.0.plus(lesson.outcome), lesson.level.billionths());
        }
        let tickers: Vec<&str> = evidence.keys().map(|key| key.0.as_str()).collect();
        let hours: Vec<i64> = evidence.keys().map(|key| key.1.number()).collect();
        let classes: Vec<i16> = evidence.keys().map(|key| key.2.number()).collect();
        let bins: Vec<i16> = evidence.keys().map(|key| key.3.number()).collect();
        let marks: Vec<i64> = evidence.into_values().collect();
        let sql = include_str!("../sql/bound_evidence_add.sql");
        let params: crate::session::Params<'_> =
            &[&self.venue, &interval.ms(), &tickers, &hours, &classes, &bins, &marks];
        self.session.execute(sql, params).await?;

        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let tickers: Vec<&str> = outcomes.keys().map(|key| key.0.as_str()).collect();
        let hours: Vec<i64> = outcomes.keys().map(|key| key.1.number()).collect();
        let classes: Vec<i16> = outcomes.keys().map(|key| key.2.number()).collect();
        let kept: Vec<i64> = outcomes.values().map(|it| number(it.0.kept)).collect();
        let broken: Vec<i64> = outcomes.values().map(|it| number(it.0.broken)).collect();
        let unsaid: Vec<i64> = outcomes.values().map(|it| number(it.0.unsaid)).collect();
        let levels: Vec<i64> = outcomes.values().map(|it| it.1).collect();
        let sql = include_str!("../sql/bound_outcomes_add.sql");
        let params: crate::session::Params<'_> =
            &[&self.venue, &interval.ms(), &tickers, &hours, &classes, &kept, &broken, &unsaid, &levels];
        self.session.execute(sql, params).await?;
        Ok(())
    }
}

/// What is said of some figures, as columns; nulls where nothing is.
#[derive(Default)]
pub(crate) struct StatementColumns {
    pub tails: Vec<Option<i64>>,
    pub classes: Vec<Option<i16>>,
    pub bounds: Vec<Option<Numeric<6>>>,
    pub unsaid: Vec<Option<&'static str>>,
    pub marks: Vec<Option<i64>>,
    pub marks_needed: Vec<Option<i64>>,
    pub coverages: Vec<Option<Numeric<9>>>,
    pub levels: Vec<Option<i64>>,
    pub kept: Vec<Option<i64>>,
    pub broken: Vec<Option<i64>>,
}

impl StatementColumns {
    pub fn new(figures: &[&Figure]) -> Self {
        let mut columns = Self::default();
        for statement in figures.iter().map(|figure| figure.bound.as_ref()) {
            columns.push(statement);
        }
        columns
    }

    fn push(&mut self, statement: Option<&Statement>) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let unsaid = statement.and_then(|said| said.bound.err());
        let evidence = match unsaid {
            Some(Unsaid::NotEnoughEvidence { marks, needed }) => Some((number(marks), number(needed))),
            _ => None,
        };
        self.tails.push(statement.map(|said| said.tail_ms));
        self.classes.push(statement.map(|said| said.class.number()));
        self.bounds.push(statement.and_then(|said| said.bound.ok()).map(|bound| Numeric(bound.basis_points())));
        self.unsaid.push(unsaid.map(Unsaid::as_str));
        self.marks.push(evidence.map(|(marks, _)| marks));
        self.marks_needed.push(evidence.map(|(_, needed)| needed));
        self.coverages.push(statement.map(|said| Numeric(said.coverage.share())));
        self.levels.push(statement.map(|said| said.level.billionths()));
        self.kept.push(statement.map(|said| number(said.day.kept)));
        self.broken.push(statement.map(|said| number(said.day.broken)));
    }
}

/// A bound in basis points, as its column has it.
pub(crate) fn deviation(bps: Option<Numeric<6>>) -> Result<Option<Deviation>, StoreError> {
    let read = |bps: Fixed<6>| Deviation::from_basis_points(bps).ok_or_else(|| unreadable("bound_bps", "out of range"));
    bps.map(|bps| read(bps.0)).transpose()
}

fn class(number: i16) -> Result<Class, StoreError> {
    Class::from_number(number).ok_or_else(|| unreadable("class", "no class"))
}

fn unreadable(column: &str, why: &'static str) -> StoreError {
    StoreError::unreadable(column, why)
}
