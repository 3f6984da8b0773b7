//! Figures as one list per column, in the order they are given.

use postgres_types::Type;
use tape::Digest;

use super::{Appended, Figure, Restatement};
use crate::chain::entry_number;
use crate::copying::Column;
use crate::numeric::Numeric;

/// What every figure has.
#[derive(Default)]
pub(super) struct FigureColumns<'a> {
    pub(super) tickers: Vec<&'a str>,
    pub(super) intervals: Vec<i64>,
    pub(super) marks: Vec<i64>,
    pub(super) prices: Vec<Option<Numeric<24>>>,
    pub(super) volumes: Vec<Numeric<18>>,
    pub(super) notionals: Vec<Numeric<36>>,
    pub(super) trades: Vec<i64>,
    pub(super) confirmed_trades: Vec<i64>,
    pub(super) quarantined_trades: Vec<i64>,
}

impl<'a> FigureColumns<'a> {
    pub(super) fn new(figures: &[&'a Figure]) -> Self {
        const FITS: &str = "fewer than 2^36 trades are ever summed";
        let mut columns = Self::default();
        for figure in figures.iter().copied() {
            let Figure { ticker, interval, mark, sums, confirmed_trades, quarantined_trades, .. } = figure;
            columns.tickers.push(ticker.as_str());
            columns.intervals.push(interval.ms());
            columns.marks.push(mark.at().ms());
            columns.prices.push(sums.vwap().map(Numeric));
            columns.volumes.push(Numeric(sums.volume));
            columns.notionals.push(Numeric(sums.notional));
            columns.trades.push(i64::try_from(sums.trades).expect(FITS));
            columns.confirmed_trades.push(i64::try_from(*confirmed_trades).expect(FITS));
            columns.quarantined_trades.push(i64::try_from(*quarantined_trades).expect(FITS));
        }
        columns
    }

    /// The columns that every figure has, from the exchange to the confirmed trades.
    pub(super) fn of_every_figure<'c>(&'c self, venue: &'c String) -> Vec<Column<'c>> {
        vec![
            Column::same(Type::TEXT, venue),
            Column::each(Type::TEXT, &self.tickers),
            Column::each(Type::INT8, &self.intervals),
            Column::each(Type::INT8, &self.marks),
            Column::each(Type::NUMERIC, &self.prices),
            Column::each(Type::NUMERIC, &self.volumes),
            Column::each(Type::NUMERIC, &self.notionals),
            Column::each(Type::INT8, &self.trades),
            Column::each(Type::INT8, &self.confirmed_trades),
        ]
    }
}

/// Where final figures stand in their chains.
pub(super) struct ChainedColumns<'a> {
    pub(super) entries: Vec<Option<i64>>,
    pub(super) links: Vec<Option<&'a [u8]>>,
    pub(super) watermarks: Vec<Option<i64>>,
}

impl<'a> ChainedColumns<'a> {
    pub(super) fn new(figures: &[&'a Figure]) -> Self {
        let chained = || figures.iter().map(|figure| figure.chained.as_ref());
        Self {
            entries: chained().map(|it| it.map(|it| entry_number(&it.head))).collect(),
            links: chained().map(|it| it.map(|it| &it.head.link.bytes()[..])).collect(),
            watermarks: chained().map(|it| it.map(|it| it.final_watermark.ms())).collect(),
        }
    }
}

/// What restatements append to the chain; nulls where they append nothing.
pub(super) struct AppendedColumns<'a> {
    pub(super) entries: Vec<Option<i64>>,
    pub(super) links: Vec<Option<&'a [u8]>>,
    pub(super) previous_links: Vec<Option<&'a [u8]>>,
    pub(super) old_digests: Vec<Option<&'a [u8]>>,
    pub(super) new_digests: Vec<Option<&'a [u8]>>,
}

impl<'a> AppendedColumns<'a> {
    pub(super) fn new(restatements: &[&'a Restatement]) -> Self {
        let appended = || restatements.iter().map(|it| it.appended.as_ref());
        let digests = |of: fn(&Appended) -> &Digest| appended().map(|it| it.map(|it| &of(it).bytes()[..])).collect();
        Self {
            entries: appended().map(|it| it.map(|it| entry_number(&it.head))).collect(),
            links: digests(|it| &it.head.link),
            previous_links: digests(|it| &it.previous_link),
            old_digests: digests(|it| &it.old_second_digest),
            new_digests: digests(|it| &it.new_second_digest),
        }
    }
}
