//! Tables as days have filled them, or as an hour has.

use anyhow::Context as _;

use super::TICKERS;
use crate::Bench;
use crate::filled::Filled;
use crate::table::Row;

/// What is in the tables, up to now.
#[derive(Debug, Clone, Copy)]
pub struct Filling {
    /// Trades a day.
    pub trades_a_day: i64,
    /// For how long.
    pub trades_ms: i64,
    /// From one mark with a figure to the next.
    pub every_ms: i64,
    /// For how long.
    pub figures_ms: i64,
}

/// What every figure says its price is.
pub const PRICE: &str = "27000.125";

pub const DAY_MS: i64 = 86_400_000;

impl Filling {
    /// What is in tables that have grown.
    pub fn grown(bench: &Bench) -> Self {
        Self {
            trades_a_day: if bench.quick { 40_000 } else { 4_000_000 },
            trades_ms: 6 * DAY_MS,
            every_ms: if bench.quick { 100_000 } else { 1_000 },
            figures_ms: 6 * DAY_MS,
        }
    }

    /// What a table says of it.
    pub fn told(self) -> Row {
        let size = format!("{} trades and {} figures in the tables", self.trades(), self.figures());
        Row::told("grown tables", size, "-".to_owned())
    }

    /// Trades over all tickers.
    pub fn trades(self) -> i64 {
        self.trades_a_day * self.trades_ms / DAY_MS
    }

    /// Figures over all tickers.
    pub fn figures(self) -> i64 {
        self.figures_ms / self.every_ms * TICKERS as i64
    }

    /// A database with that in its tables, vacuumed, and until when they reach.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn fill(self) -> anyhow::Result<(Filled, i64)> {
        let filled = Filled::as_shipped().await?;
        let client = filled.client().await?;
        for statement in self.script() {
            client.batch_execute(&statement).await.context("could not fill the tables")?;
        }
        let until_ms = client.query_one("select ms from now_was", &[]).await?.get(0);
        Ok((filled, until_ms))
    }

    fn script(self) -> Vec<String> {
        let Self { trades_a_day, trades_ms, every_ms, figures_ms } = self;
        let last = TICKERS - 1;
        let mut script = vec![format!(
            "set synchronous_commit = off;
            create table now_was as
            select (extract(epoch from now()) * 1000)::bigint / 1000 * 1000 as ms;
            insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from, checked_at)
            select 'generic', 'T' || ticker, ms, ms - {kept_ms}, ms
            from generate_series(0, {last}) as ticker, now_was;",
            // The windows of the first marks too: what is missing in one is told.
            kept_ms = figures_ms.max(trades_ms) + 300_000,
        )];
        let of_each = trades_a_day / TICKERS as i64;
        let apart_ms = DAY_MS / of_each;
        for day_ms in (0..trades_ms).step_by(DAY_MS as usize) {
            let from = day_ms / apart_ms;
            let until = trades_ms.min(day_ms + DAY_MS) / apart_ms - 1;
            script.push(format!(
                "insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
                select 'generic', 'T' || ticker, 'old-' || trade, ms - trade * {apart_ms}, 27000 + trade % 977 * 0.01,
                    0.00012345 * (1 + trade % 89), true
                from generate_series(0, {last}) as ticker, generate_series({from}, {until}) as trade, now_was"
            ));
        }
        for day in 0..=figures_ms / DAY_MS + 1 {
            // As the worker makes days it writes while they go on: half of a page is for figures that become final.
            script.push(format!(
                "do $$
                declare midnight bigint := (select ms / {DAY_MS} - {day} from now_was) * {DAY_MS};
                begin
                    execute format('create table vwap_history_%s partition of vwap_history for values from (%s) to (%s) with (fillfactor = 50)',
                        to_char(to_timestamp(midnight / 1000) at time zone 'UTC', 'YYYYMMDD'), midnight, midnight + {DAY_MS});
                end $$"
            ));
            script.push(format!(
                "insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
                    confirmed_trades, is_validated, calculated_at, final_at)
                select 'generic', 'T' || ticker, 300000, mark, {PRICE}, 2, 54000.25, 1, 1, true, 1, 1
                from now_was, generate_series(0, {last}) as ticker,
                    generate_series((ms / {DAY_MS} - {day}) * {DAY_MS}, (ms / {DAY_MS} - {day} + 1) * {DAY_MS} - 1, {every_ms}) as mark
                where mark <= ms and mark > ms - {figures_ms}"
            ));
        }
        // Tables that grew in days were vacuumed long ago, and not while somebody measures.
        script.extend(["vacuum analyze", "checkpoint"].map(str::to_owned));
        script
    }
}
