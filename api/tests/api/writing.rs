//! A worker's transactions, as its engine writes them.

use std::time::Duration;

use store::{Advance, Figure, Leadership, Restatement, Store};
use tape::{Interval, Mark, Sums, Ticker, Watermark};
use testkit::{TestDatabase, at, eventually, price, quantity, ticker};

pub const VENUE: &str = "generic";

/// Where the tape of a written ticker begins.
pub const BEGINS: i64 = 1_684_083_600_000;

/// A leading worker of one interval.
pub struct Writer {
    pub store: Store,
    pub leadership: Leadership,
    interval: Interval,
}

impl Writer {
    /// Leads the venue, and follows tickers from the beginning of their tape.
    pub async fn new(database: &TestDatabase, interval_ms: i64, tickers: &[&str]) -> Self {
        Self::of(database, VENUE, interval_ms, tickers).await
    }

    /// [`Writer::new`] of another venue.
    pub async fn of(database: &TestDatabase, venue: &str, interval_ms: i64, tickers: &[&str]) -> Self {
        let writer = Self::leading_of(database, venue, interval_ms).await;
        let begins: Vec<_> = tickers.iter().map(|name| (ticker(name), at(BEGINS))).collect();
        writer.store.ticker_ensure(venue, &begins).await.expect("written");
        writer
    }

    /// Leads the venue as soon as nobody else does.
    pub async fn leading(database: &TestDatabase, interval_ms: i64) -> Self {
        Self::leading_of(database, VENUE, interval_ms).await
    }

    async fn leading_of(database: &TestDatabase, venue: &str, interval_ms: i64) -> Self {
        let store = database.store();
        let leadership = eventually("the venue to be led by nobody", Duration::from_secs(20), || async {
            store.lead(venue).await.expect("an answer")
        })
        .await;
        Self { store, leadership, interval: Interval::from_ms(interval_ms).expect("in bounds") }
    }

    /// A figure at the mark so many seconds after the beginning, of one trade.
    pub fn figure(&self, name: &str, second: i64, traded: &str) -> Figure {
        let sums = Sums::of(price(traded), quantity("2"));
        Figure {
            ticker: ticker(name),
            interval: self.interval,
            mark: mark(second),
            sums,
            confirmed_trades: 0,
            quarantined_trades: 0,
            chained: None,
            bound: None,
        }
    }

    /// Says the provisional figures of a mark; the commit does not wait for the disk.
    pub async fn say(&self, figures: &[Figure]) {
        let txn = self.store.begin_relaxed(&self.leadership).await.expect("we lead");
        txn.figures_insert_provisional(figures, at(1)).await.expect("written");
        txn.latest_upsert(figures, false, at(1)).await.expect("written");
        txn.commit().await.expect("committed");
    }

    /// Makes figures final, and moves the watermark of each ticker to the mark.
    pub async fn settle(&self, figures: &[Figure], from: i64, to: i64) {
        let figures: Vec<Figure> =
            figures.iter().map(|it| Figure { confirmed_trades: it.sums.trades, ..it.clone() }).collect();
        let advance = |figure: &Figure| advance(&figure.ticker, from, to);
        let txn = self.store.begin(&self.leadership).await.expect("we lead");
        txn.figures_insert_final(&figures, at(2)).await.expect("written");
        txn.latest_upsert(&figures, true, at(2)).await.expect("written");
        txn.watermarks_advance(&figures.iter().map(advance).collect::<Vec<_>>(), at(2)).await.expect("moved");
        txn.commit().await.expect("committed");
    }

    /// Restates a final figure to what it is given.
    pub async fn restate(&self, figure: Figure) {
        let figure = Figure { confirmed_trades: figure.sums.trades, ..figure };
        let reason = "the exchange corrected a trade".to_owned();
        let txn = self.store.begin(&self.leadership).await.expect("we lead");
        let restatement = Restatement { figure, reason, appended: None };
        assert_eq!(txn.figures_restate(&[restatement], at(3)).await.expect("written"), 1);
        txn.commit().await.expect("committed");
    }
}

pub fn mark(second: i64) -> Mark {
    Mark::at_or_before(at(BEGINS + second * 1_000))
}

fn advance(of: &Ticker, from: i64, to: i64) -> Advance {
    let through = |second: i64| Watermark::Through(at(BEGINS + second * 1_000));
    Advance {
        ticker: of.clone(),
        from: through(from),
        to: through(to),
        market_time: at(BEGINS + to * 1_000),
        time_to_final: None,
    }
}
