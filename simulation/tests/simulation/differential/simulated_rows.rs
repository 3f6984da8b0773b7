//! What the simulated tables keep, in the words of the real columns.

use std::collections::BTreeMap;

use simulation::memory::Disk;
use simulation::memory::disk::TradeRow;
use store::Appended;
use tape::bound::{Statement, Unsaid};
use tape::{Sums, Ticker, Trade, TradeId};

use super::VENUE;
use super::rows::Rows;

/// One row, column by column.
#[derive(Default)]
struct Row(BTreeMap<String, String>);

impl Row {
    fn of(ticker: impl ToString) -> Self {
        Self::default().with("exchange", VENUE).with("ticker", ticker)
    }

    fn with(mut self, column: &str, value: impl ToString) -> Self {
        self.0.insert(column.to_owned(), value.to_string());
        self
    }

    fn maybe(self, column: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(column, value),
            None => self,
        }
    }

    fn sums(self, prefix: &str, sums: Sums) -> Self {
        self.maybe(&format!("{prefix}price"), sums.vwap())
            .with(&format!("{prefix}volume"), sums.volume)
            .with(&format!("{prefix}notional"), sums.notional)
            .with(&format!("{prefix}trades"), sums.trades)
    }

    fn side(self, side: &str, trade: Option<&Trade>) -> Self {
        self.maybe(&format!("{side}_ts"), trade.map(|trade| trade.traded_at))
            .maybe(&format!("{side}_price"), trade.map(|trade| trade.price))
            .maybe(&format!("{side}_quantity"), trade.map(|trade| trade.quantity))
    }

    fn line(self) -> String {
        let columns: Vec<String> = self.0.into_iter().map(|(column, value)| format!("{column}={value}")).collect();
        columns.join(" ")
    }
}

/// All rows of all tables.
pub fn all(disk: &Disk) -> Rows {
    let mut rows = Rows::new();
    let mut keep = |table: &str, lines: Vec<Row>| {
        let mut lines: Vec<String> = lines.into_iter().map(Row::line).collect();
        lines.sort();
        rows.insert(table.to_owned(), lines);
    };
    keep("transactions", disk.trades.iter().map(|row| trade(row).with("is_validated", row.1.is_validated)).collect());
    keep("unplaced_trades", disk.unplaced.iter().map(trade).collect());
    keep("tickers_validation_timestamp", tickers(disk));
    keep("vwap_history", figures(disk));
    keep("latest_vwap_history", latest(disk));
    keep("restatements", restatements(disk));
    keep("chain_heads", chain_heads(disk));
    keep("trade_corrections", corrections(disk));
    keep("feed_faults", faults(disk));
    keep("feed_counts", counts(disk));
    keep("rejections", rejections(disk));
    keep("incidents", incidents(disk));
    keep("bound_evidence", bound_evidence(disk));
    keep("bound_outcomes", bound_outcomes(disk));
    rows
}

fn trade(((ticker, id), row): (&(Ticker, TradeId), &TradeRow)) -> Row {
    Row::of(ticker)
        .with("tradeid", id)
        .with("ts", row.at)
        .with("price", row.price)
        .with("quantity", row.quantity)
        .maybe("received_at", row.received_at)
        .maybe("suspicion", row.suspicion.map(|suspicion| suspicion.as_str()))
}

fn tickers(disk: &Disk) -> Vec<Row> {
    let rows = disk.tickers.iter().map(|(ticker, row)| {
        Row::of(ticker)
            .with("validated_until", row.watermark.settled_until())
            .maybe("position_tradeid", row.watermark.ask_after())
            .with("tape_from", row.tape_from)
            .maybe("market_time", row.market_time)
            .maybe("checked_at", row.checked_at)
            .maybe("time_to_final_p50_ms", row.time_to_final.map(|it| it.p50_ms))
            .maybe("time_to_final_p99_ms", row.time_to_final.map(|it| it.p99_ms))
            .maybe("time_to_final_marks", row.time_to_final.map(|it| it.marks))
    });
    rows.collect()
}

fn figures(disk: &Disk) -> Vec<Row> {
    let rows = disk.figures.iter().map(|((ticker, interval, mark), row)| {
        assert_eq!(row.price, row.sums.vwap(), "a figure's price is that of its sums");
        Row::of(ticker)
            .with("interval", interval)
            .with("ts", mark)
            .sums("", row.sums)
            .with("confirmed_trades", row.confirmed_trades)
            .with("quarantined_trades", row.quarantined_trades)
            .with("is_validated", row.final_at.is_some())
            .with("revision", row.revision)
            .maybe("provisional_price", row.provisional.and_then(|before| before.0))
            .maybe("provisional_trades", row.provisional.map(|before| before.1))
            .maybe("provisional_tail_ms", row.bound.map(|said| said.tail_ms))
            .maybe("provisional_class", row.bound.map(|said| said.class.number()))
            .maybe("provisional_bound_bps", bound_of(row.bound))
            .maybe("provisional_unsaid", unsaid_of(row.bound))
            .with("calculated_at", row.calculated_at)
            .maybe("final_at", row.final_at)
            .maybe("entry", row.chained.map(|chained| chained.head.entry))
            .maybe("link", row.chained.map(|chained| chained.head.link))
            .maybe("final_watermark", row.chained.map(|chained| chained.final_watermark))
    });
    rows.collect()
}

fn latest(disk: &Disk) -> Vec<Row> {
    let rows = disk.latest.iter().map(|((ticker, interval), row)| {
        let lacking = row.bound.and_then(|said| match said.bound {
            Err(Unsaid::NotEnoughEvidence { marks, needed }) => Some((marks, needed)),
            _ => None,
        });
        Row::of(ticker)
            .with("interval", interval)
            .with("ts", row.mark)
            .sums("", row.sums)
            .with("confirmed_trades", row.confirmed_trades)
            .with("quarantined_trades", row.quarantined_trades)
            .with("is_validated", row.is_final)
            .with("calculated_at", row.calculated_at)
            .maybe("bound_tail_ms", row.bound.map(|said| said.tail_ms))
            .maybe("bound_bps", bound_of(row.bound))
            .maybe("bound_unsaid", unsaid_of(row.bound))
            .maybe("bound_marks", lacking.map(|lacking| lacking.0))
            .maybe("bound_marks_needed", lacking.map(|lacking| lacking.1))
            .maybe("bound_level", row.bound.map(|said| said.level.billionths()))
            .maybe("bound_coverage", row.day.map(|(coverage, _)| coverage.share()))
            .maybe("bound_kept", row.day.map(|(_, day)| day.kept))
            .maybe("bound_broken", row.day.map(|(_, day)| day.broken))
    });
    rows.collect()
}

fn bound_of(said: Option<Statement>) -> Option<String> {
    said.and_then(|said| said.bound.ok()).map(|bound| bound.basis_points().to_string())
}

fn unsaid_of(said: Option<Statement>) -> Option<&'static str> {
    said.and_then(|said| said.bound.err()).map(Unsaid::as_str)
}

fn restatements(disk: &Disk) -> Vec<Row> {
    let rows = disk.restatements.iter().map(|((ticker, interval, mark, revision), row)| {
        let appended = |part: fn(Appended) -> String| row.appended.map(part);
        Row::of(ticker)
            .with("interval", interval)
            .with("ts", mark)
            .with("revision", revision)
            .with("reason", &row.reason)
            .sums("old_", row.old)
            .sums("new_", row.new)
            .with("restated_at", row.restated_at)
            .maybe("entry", appended(|it| it.head.entry.to_string()))
            .maybe("link", appended(|it| it.head.link.to_string()))
            .maybe("previous_link", appended(|it| it.previous_link.to_string()))
            .maybe("old_second_digest", appended(|it| it.old_second_digest.to_string()))
            .maybe("new_second_digest", appended(|it| it.new_second_digest.to_string()))
    });
    rows.collect()
}

fn chain_heads(disk: &Disk) -> Vec<Row> {
    let rows = disk.chain_heads.iter().map(|((ticker, interval), head)| {
        Row::of(ticker).with("interval", interval).with("entry", head.entry).with("link", head.link)
    });
    rows.collect()
}

fn corrections(disk: &Disk) -> Vec<Row> {
    let rows = disk.corrections.values().map(|row| {
        let (was, now) = (row.finding.was(), row.finding.now());
        let (ticker, id) = row.finding.name();
        Row::of(ticker)
            .with("tradeid", id)
            .with("kind", row.finding.kind().as_str())
            .maybe("ts", now.or(was).map(|trade| trade.traded_at))
            .side("old", was)
            .side("new", now)
            .with("reason", &row.finding)
            .with("restated", row.restated)
            .with("found_at", row.found_at)
    });
    rows.collect()
}

fn faults(disk: &Disk) -> Vec<Row> {
    let rows = disk.faults.iter().map(|(((ticker, id), _), row)| {
        Row::of(ticker)
            .with("tradeid", id)
            .with("kind", row.fault.kind.as_str())
            .with("ts", row.fault.at)
            .side("heard", row.fault.heard.as_ref())
            .side("true", row.fault.truth.as_ref())
            .maybe("received_at", row.fault.received_at)
            .with("found_at", row.found_at)
    });
    rows.collect()
}

fn counts(disk: &Disk) -> Vec<Row> {
    let rows = disk.counts.iter().map(|((ticker, minute, kind), trades)| {
        Row::of(ticker).with("minute", minute).with("kind", kind).with("trades", trades)
    });
    rows.collect()
}

fn rejections(disk: &Disk) -> Vec<Row> {
    let rows = disk.rejections.values().map(|row| {
        Row::of(row.ticker.as_ref().map_or("", |ticker| ticker.as_str()))
            .with("channel", row.channel.as_str())
            .with("kind", row.kind.as_str())
            .with("reason", &row.reason)
            .with("frame", &row.frame)
            .with("received_at", row.received_at)
    });
    rows.collect()
}

fn incidents(disk: &Disk) -> Vec<Row> {
    let rows = disk.incidents.iter().map(|((ticker, kind, from), row)| {
        Row::of(ticker)
            .with("kind", kind)
            .with("from_ts", from)
            .with("to_ts", row.to)
            .with("detail", &row.detail)
            .with("found_at", row.found_at)
    });
    rows.collect()
}

fn bound_evidence(disk: &Disk) -> Vec<Row> {
    let rows = disk.bound_evidence.iter().map(|((ticker, interval, hour, class, error), marks)| {
        Row::of(ticker)
            .with("interval", interval)
            .with("hour", hour.number())
            .with("class", class.number())
            .with("error_bin", error.number())
            .with("marks", marks)
    });
    rows.collect()
}

fn bound_outcomes(disk: &Disk) -> Vec<Row> {
    let rows = disk.bound_outcomes.iter().map(|((ticker, interval, hour, class), (outcomes, level))| {
        Row::of(ticker)
            .with("interval", interval)
            .with("hour", hour.number())
            .with("class", class.number())
            .with("kept", outcomes.kept)
            .with("broken", outcomes.broken)
            .with("unsaid", outcomes.unsaid)
            .with("level", level)
    });
    rows.collect()
}
