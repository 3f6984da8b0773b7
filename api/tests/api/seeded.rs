//! What a worker leaves in the tables, written by hand: trades, watermark,
//! figures and ledger.

use store::Store;
use tape::{Interval, Sums, Window};
use testkit::{TestDatabase, at, price, quantity};
use tokio_postgres::Client;

/// 2023-05-14T17:00:01.500Z: when the tests take place.
pub const NOW: i64 = 1_684_083_601_500;

/// 2023-05-14T17:00:00Z.
pub const MARK: i64 = 1_684_083_600_000;

/// Where the tape of a seeded ticker begins: 30 minutes before the mark.
pub const TAPE_FROM: i64 = MARK - 1_800_000;

/// How far a seeded ticker is confirmed: 10 seconds before the mark.
pub const SETTLED_UNTIL: i64 = MARK - 10_000;

/// One ticker of one venue, and the trades it was given.
pub struct Seeded {
    pub client: Client,
    store: Store,
    venue: String,
    ticker: String,
    settled_until: i64,
    trades: Vec<(i64, String, String)>,
}

impl Seeded {
    /// A ticker of which everything up to [`SETTLED_UNTIL`] is confirmed.
    pub async fn new(database: &TestDatabase, venue: &str, ticker: &str) -> Self {
        Self::settled(database, venue, ticker, TAPE_FROM, SETTLED_UNTIL).await
    }

    /// A ticker with its tape and watermark.
    pub async fn settled(database: &TestDatabase, venue: &str, ticker: &str, tape_from: i64, until: i64) -> Self {
        let client = database.client().await;
        let statement = "insert into tickers_validation_timestamp
            (exchange, ticker, validated_until, tape_from, market_time, checked_at) values ($1, $2, $3, $4, $3, $3)";
        client.execute(statement, &[&venue, &ticker, &until, &tape_from]).await.expect("a new ticker");
        Self {
            client,
            store: database.store(),
            venue: venue.to_owned(),
            ticker: ticker.to_owned(),
            settled_until: until,
            trades: Vec::new(),
        }
    }

    /// Adds a trade: confirmed up to the watermark, heard after it.
    pub async fn trade(&mut self, id: &str, traded_at: i64, price: &str, quantity: &str) {
        let is_confirmed = traded_at <= self.settled_until;
        let statement = "insert into transactions
            (exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at)
            values ($1, $2, $3, $4, $5::text::numeric, $6::text::numeric, $7, $4)";
        let (venue, ticker) = (&self.venue, &self.ticker);
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [venue, ticker, &id, &traded_at, &price, &quantity, &is_confirmed];
        self.client.execute(statement, &row).await.expect("a new trade");
        self.trades.push((traded_at, price.to_owned(), quantity.to_owned()));
    }

    /// The sums of a window, by a plain scan.
    pub fn sums(&self, closes_at: i64, interval_ms: i64) -> Sums {
        let interval = Interval::from_ms(interval_ms).expect("in bounds");
        let window = Window::closing_at(at(closes_at), interval);
        let inside = self.trades.iter().filter(|trade| window.contains(at(trade.0)));
        inside.map(|trade| Sums::of(price(&trade.1), quantity(&trade.2))).sum()
    }

    /// Calculates the five-minute figures of every mark from one to another, as a worker does.
    pub async fn figures(&self, first: i64, last: i64) {
        self.store.history_partitions_ensure(at(first), at(last)).await.expect("partitions");
        let statement = "insert into vwap_history
            (exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, is_validated,
             provisional_price, provisional_trades, calculated_at, final_at)
            values ($1, $2, 300000, $3, $4::text::numeric, $5::text::numeric, $6::text::numeric, $7, $8, $9,
                $10::text::numeric, $7, $3, $11)";
        for mark in (first..=last).step_by(1_000) {
            let sums = self.sums(mark, 300_000);
            let price = sums.vwap().map(|price| price.to_string());
            let is_final = mark <= self.settled_until;
            let confirmed =
                if is_final { sums.trades } else { self.sums(self.settled_until, 300_000).trades.min(sums.trades) };
            let (trades, confirmed) = (count(sums.trades), count(confirmed));
            let (volume, notional) = (sums.volume.to_string(), sums.notional.to_string());
            let (said_before, final_at) = (price.clone().filter(|_| is_final), is_final.then_some(mark + 12_000));
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 11] = [
                &self.venue,
                &self.ticker,
                &mark,
                &price,
                &volume,
                &notional,
                &trades,
                &confirmed,
                &is_final,
                &said_before,
                &final_at,
            ];
            self.client.execute(statement, &row).await.expect("a new figure");
        }
        let newest = "insert into latest_vwap_history
            (exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, is_validated, calculated_at)
            select exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, is_validated, calculated_at
            from vwap_history where exchange = $1 and ticker = $2 and interval = 300000 and ts = $3
            on conflict (exchange, ticker, interval) do update set ts = excluded.ts";
        self.client.execute(newest, &[&self.venue, &self.ticker, &last]).await.expect("the newest figure");
    }

    /// Notes when REST last answered, and how long marks took to become final.
    pub async fn measured(&self, checked_at: i64, p50: i64, p99: i64, marks: i32) {
        let statement = "update tickers_validation_timestamp
            set checked_at = $3, time_to_final_p50_ms = $4, time_to_final_p99_ms = $5, time_to_final_marks = $6
            where exchange = $1 and ticker = $2";
        let (venue, ticker) = (&self.venue, &self.ticker);
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [venue, ticker, &checked_at, &p50, &p99, &marks];
        self.client.execute(statement, &row).await.expect("an update");
    }

    /// Records a settled trade that the exchange withdrew.
    pub async fn withdrawn(&self, id: &str, traded_at: i64, price: &str, quantity: &str) {
        let statement = "insert into trade_corrections
            (exchange, ticker, tradeid, kind, ts, old_ts, old_price, old_quantity, reason, restated, found_at)
            values ($1, $2, $3, 'withdrawn', $4, $4, $5::text::numeric, $6::text::numeric, 'the exchange withdrew it', 1, $4)";
        let (venue, ticker) = (&self.venue, &self.ticker);
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [venue, ticker, &id, &traded_at, &price, &quantity];
        self.client.execute(statement, &row).await.expect("a correction");
    }

    /// Says how wrong the provisional figures may be, or that nobody knows yet.
    pub async fn bounded(&self, bps: Option<&str>) {
        let unsaid = if bps.is_none() { Some("not_enough_evidence") } else { None };
        let said = "update vwap_history
            set provisional_tail_ms = ts - $3::bigint, provisional_class = 88,
                provisional_bound_bps = $4::text::numeric, provisional_unsaid = $5
            where exchange = $1 and ticker = $2 and not is_validated";
        let (venue, ticker, until) = (&self.venue, &self.ticker, &self.settled_until);
        self.client.execute(said, &[venue, ticker, until, &bps, &unsaid]).await.expect("bounds");
        let newest = "update latest_vwap_history
            set bound_tail_ms = ts - $3::bigint, bound_bps = $4::text::numeric, bound_unsaid = $5,
                bound_marks = case when $4::text is null then 412 end,
                bound_marks_needed = case when $4::text is null then 1000 end,
                bound_coverage = 0.99, bound_level = 7500000,
                bound_kept = case when $4::text is null then 0 else 85403 end,
                bound_broken = case when $4::text is null then 0 else 597 end
            where exchange = $1 and ticker = $2";
        self.client.execute(newest, &[venue, ticker, until, &bps, &unsaid]).await.expect("a bound");
    }

    /// Counts how often bounds held in the hour of an instant.
    pub async fn bounds_held(&self, at: i64, kept: i64, broken: i64, unsaid: i64) {
        let statement = "insert into bound_outcomes
            (exchange, ticker, interval, hour, class, kept, broken, unsaid, level)
            values ($1, $2, 300000, $3, 88, $4, $5, $6, 7500000)";
        let (venue, ticker, hour) = (&self.venue, &self.ticker, at / 3_600_000);
        self.client.execute(statement, &[venue, ticker, &hour, &kept, &broken, &unsaid]).await.expect("outcomes");
    }

    /// Tells whoever listens that something changed.
    pub async fn announce(&self) {
        self.client.batch_execute("notify truetape_figures").await.expect("told");
    }

    /// Records an incident.
    pub async fn incident(&self, kind: &str, from: i64, to: i64, detail: &str) {
        let statement = "insert into incidents (exchange, ticker, kind, from_ts, to_ts, detail, found_at)
            values ($1, $2, $3, $4, $5, $6, $5)";
        let (venue, ticker) = (&self.venue, &self.ticker);
        self.client.execute(statement, &[venue, ticker, &kind, &from, &to, &detail]).await.expect("a new incident");
        self.announce().await;
    }

    /// Counts what the socket brought in a minute.
    pub async fn counted(&self, ticker: &str, minute: i64, kind: &str, trades: i64) {
        let statement = "insert into feed_counts (exchange, ticker, minute, kind, trades) values ($1, $2, $3, $4, $5)";
        self.client.execute(statement, &[&self.venue, &ticker, &minute, &kind, &trades]).await.expect("a new count");
    }

    /// Records a fault: what was heard and what is true, as `(ts, price, quantity)`.
    pub async fn fault(
        &self,
        kind: &str,
        id: &str,
        heard: Option<(i64, &str, &str)>,
        truth: Option<(i64, &str, &str)>,
    ) {
        let statement = "insert into feed_faults
            (exchange, ticker, tradeid, kind, ts, heard_ts, heard_price, heard_quantity,
             true_ts, true_price, true_quantity, received_at, found_at)
            values ($1, $2, $3, $4, coalesce($8::bigint, $5::bigint), $5, $6::text::numeric, $7::text::numeric,
                $8, $9::text::numeric, $10::text::numeric, $5, coalesce($8::bigint, $5::bigint))";
        let (heard_at, heard_price, heard_quantity) = columns(heard);
        let (true_at, true_price, true_quantity) = columns(truth);
        let row: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
            &self.venue,
            &self.ticker,
            &id,
            &kind,
            &heard_at,
            &heard_price,
            &heard_quantity,
            &true_at,
            &true_price,
            &true_quantity,
        ];
        self.client.execute(statement, &row).await.expect("a new fault");
    }

    /// Restates a final figure to another price at the same volume.
    pub async fn restate(&self, mark: i64, new_price: &str) {
        let statement = "with old as (
                select * from vwap_history where exchange = $1 and ticker = $2 and interval = 300000 and ts = $3
            ), logged as (
                insert into restatements (exchange, ticker, interval, ts, revision, reason, old_price, old_volume,
                    old_notional, old_trades, new_price, new_volume, new_notional, new_trades, restated_at)
                select exchange, ticker, interval, ts, revision + 1, 'the exchange corrected a trade', price, volume,
                    notional, trades, $4::text::numeric, volume, volume * $4::text::numeric, trades, ts + 60000
                from old
            )
            update vwap_history as figure
            set price = $4::text::numeric, notional = figure.volume * $4::text::numeric, revision = figure.revision + 1
            where exchange = $1 and ticker = $2 and interval = 300000 and ts = $3";
        let (venue, ticker) = (&self.venue, &self.ticker);
        self.client.execute(statement, &[venue, ticker, &mark, &new_price]).await.expect("a restatement");
        self.announce().await;
    }
}

fn columns(side: Option<(i64, &str, &str)>) -> (Option<i64>, Option<String>, Option<String>) {
    match side {
        Some((at, price, quantity)) => (Some(at), Some(price.to_owned()), Some(quantity.to_owned())),
        None => (None, None, None),
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).expect("few trades")
}

/// A small market: BTC with trades on both sides of its watermark, and ETH on two venues.
pub async fn market(database: &TestDatabase) -> Seeded {
    let mut bitcoin = Seeded::new(database, "generic", "BTC").await;
    for (id, traded_at, price, quantity) in [
        ("b1", MARK - 420_000, "26990.5", "0.25"),
        ("b2", MARK - 299_999, "27001.125", "0.5"),
        ("b3", MARK - 120_000, "27000.12", "1.00000001"),
        ("b4", MARK - 30_500, "26998.75", "2"),
        ("b5", MARK - 10_000, "27003.3", "0.125"),
        ("b6", MARK - 4_200, "27004.01", "0.75"),
        ("b7", MARK, "27005.55", "0.1"),
    ] {
        bitcoin.trade(id, traded_at, price, quantity).await;
    }
    bitcoin.figures(MARK - 60_000, MARK + 1_000).await;
    bitcoin.measured(NOW - 300, 11_200, 12_400, 300).await;
    bitcoin.bounded(Some("1.25")).await;
    for venue in ["generic", "second"] {
        let mut ether = Seeded::new(database, venue, "ETH").await;
        ether.trade("e1", MARK - 90_000, "1800.1", "3").await;
        ether.figures(MARK - 20_000, MARK + 1_000).await;
        ether.bounded(None).await;
    }
    bitcoin
}

/// Adds what the worker found out about the socket, to the minute before the mark.
pub async fn ledger(bitcoin: &Seeded) {
    let minute = MARK - 60_000;
    for (kind, trades) in
        [("matched", 95), ("altered", 2), ("missing", 3), ("phantom", 1), ("duplicate", 4), ("late", 2)]
    {
        bitcoin.counted("BTC", minute, kind, trades).await;
    }
    bitcoin.counted("BTC", minute, "rejected_not_positive", 5).await;
    bitcoin.counted("", minute, "rejected_malformed", 6).await;
    bitcoin.counted("BTC", minute, "unheard", 50).await;
    bitcoin.counted("BTC", minute, "audited", 120).await;
    bitcoin.withdrawn("b0", MARK - 31_000, "26998.5", "1").await;
    bitcoin.counted("BTC", minute - 60_000, "matched", 1_000).await;
    let (truth, heard) = ((MARK - 30_500, "26998.75", "2"), (MARK - 30_500, "27098.75", "2"));
    bitcoin.fault("altered", "b4", Some(heard), Some(truth)).await;
    bitcoin.fault("missing", "b5", None, Some((MARK - 10_000, "27003.3", "0.125"))).await;
    bitcoin.fault("duplicate", "b4", Some(truth), Some(truth)).await;
    bitcoin.fault("phantom", "x1", Some((MARK - 5_000, "1", "1")), None).await;
    bitcoin
        .incident("unpageable", MARK - 400_000, MARK - 390_000, "A full page of one millisecond could not be passed.")
        .await;
    bitcoin.bounds_held(MARK - 3_600_000, 3_571, 29, 0).await;
    bitcoin.restate(MARK - 15_000, "27000").await;
}
