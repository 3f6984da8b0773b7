//! Random operations, one after the other, and every answer.

use std::fmt::Debug;

use store::{Advance, AskedHoldings, ChainStep, StoreError};
use tape::bound::Hour;
use tape::{Digest, Head, Watermark};
use testkit::{at, ticker};
use worker::tables::{Tables, TablesTxn};

use super::draw::{Draw, UNFOLLOWED};
use super::operations::{Trait, operations_of};

/// Operations outside of transactions, of which some begin one.
const STEPS: usize = 130;

/// Operations of one transaction at most.
const TOGETHER: i64 = 9;

/// An operation, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Its name.
    pub operation: String,
    /// What it returned; of an error, what it means.
    pub answer: String,
}

/// What is done, drawn from a seed.
pub struct Script {
    draw: Draw,
    outside: Vec<String>,
    within: Vec<String>,
    played: Vec<Played>,
}

impl Script {
    /// The script of a seed.
    pub fn of(seed: u64) -> Self {
        let (outside, within) = (operations_of(Trait::Tables), operations_of(Trait::TablesTxn));
        Self { draw: Draw::of(seed), outside, within, played: Vec::new() }
    }

    /// Plays it, and returns every answer. Near its end the leader is deposed.
    pub async fn play<T: Tables>(mut self, tables: &T, depose: impl AsyncFn()) -> Vec<Played> {
        for step in 0..STEPS {
            if step == STEPS * 19 / 20 {
                depose().await;
            }
            // Whatever else is drawn, transactions are what it is about.
            let operation = match self.draw.between(0, 2) {
                0 => (*self.draw.pick(&["begin", "begin_relaxed"])).to_owned(),
                _ => self.draw.pick(&self.outside.clone()).clone(),
            };
            match operation.as_str() {
                "begin" => self.begun(&operation, tables, tables.begin().await).await,
                "begin_relaxed" => self.begun(&operation, tables, tables.begin_relaxed().await).await,
                "ticker_ensure" => {
                    let mut begins = self.draw.some(|draw| (draw.ticker(), at(draw.between(1_000, 2_500))));
                    begins.retain(|(ticker, _)| ticker.as_str() != UNFOLLOWED);
                    let answer = told(tables.ticker_ensure(&begins).await);
                    self.keep(&operation, answer.unwrap_or_else(|refused| refused));
                }
                _ => self.read(&operation, tables).await,
            }
        }
        self.played
    }

    async fn begun<T: Tables>(&mut self, operation: &str, tables: &T, begun: Result<T::Txn, StoreError>) {
        let txn = match begun {
            Ok(txn) => txn,
            Err(error) => return self.keep(operation, meaning(&error)),
        };
        self.keep(operation, "()".to_owned());
        for _ in 0..self.draw.between(1, TOGETHER) {
            let operation = self.draw.pick(&self.within.clone()).clone();
            if operation == "commit" {
                continue;
            }
            if !self.operate(&operation, tables, &txn).await {
                // Nothing of it can be committed any more, in neither kind of tables.
                return self.end(txn).await;
            }
            if self.draw.per_mille(200) {
                let operation =
                    self.draw.pick(&["watermarks", "window_buckets", "chain_heads", "bounds_kept"]).to_string();
                self.read(&operation, tables).await;
            }
        }
        if self.draw.per_mille(750) {
            self.end(txn).await;
        }
    }

    async fn end(&mut self, txn: impl TablesTxn) {
        let ended = told(txn.commit().await);
        self.keep("commit", ended.unwrap_or_else(|refused| refused));
    }

    /// What anybody sees, a transaction of the leader being open or not.
    async fn read<T: Tables>(&mut self, operation: &str, tables: &T) {
        let after = [(ticker("B"), at(0)), (ticker("A"), self.draw.instant()), (ticker(UNFOLLOWED), at(3_000))];
        let answer = match operation {
            "venue" => Ok(tables.venue().to_owned()),
            "is_leading" => Ok(tables.is_leading().to_string()),
            "check" => told(tables.check().await),
            "watermarks" => told(sorted(tables.watermarks().await)),
            "window_buckets" => {
                let read = tables.window_buckets(&after).await;
                told(sorted(read.map(|buckets| buckets.into_iter().collect())))
            }
            "trades_unfinished" => {
                let read = tables.trades_unfinished(&after).await;
                told(sorted(read.map(|trades| trades.into_values().flatten().collect())))
            }
            "chain_heads" => {
                let interval = self.draw.interval();
                told(sorted(tables.chain_heads(interval).await))
            }
            "bounds_kept" => {
                let (interval, from) = (self.draw.interval(), Hour::from_number(self.draw.between(0, 3)));
                told(tables.bounds_kept(interval, from).await)
            }
            _ => panic!("the script does not know how to ask {operation}"),
        };
        self.keep(operation, answer.unwrap_or_else(|refused| refused));
    }

    /// One operation of a transaction. Returns whether it was done.
    #[expect(clippy::too_many_lines, reason = "a list of all operations")]
    async fn operate<T: Tables>(&mut self, name: &str, tables: &T, txn: &T::Txn) -> bool {
        let draw = &mut self.draw;
        let (now, interval) = (at(draw.between(0, 90_000)), draw.interval());
        let answer = match name {
            "trades_known" => {
                let names = draw.some(Draw::name);
                told(sorted(txn.trades_known(&names).await))
            }
            "trades_heard_until" => {
                let reaches = draw.some(|draw| (draw.ticker(), draw.instant()));
                told(sorted(txn.trades_heard_until(&reaches).await))
            }
            "trades_copy_heard" => {
                let heard = draw.some(Draw::heard);
                told(txn.trades_copy_heard(&heard).await)
            }
            "trades_insert_heard" => {
                let heard = draw.some(Draw::heard);
                told(sorted(txn.trades_insert_heard(&heard).await))
            }
            "trades_insert_unplaced" => {
                let heard = draw.some(Draw::heard);
                told(sorted(txn.trades_insert_unplaced(&heard).await))
            }
            "trades_mark_heard" => {
                let heard = draw.some(Draw::heard);
                told(txn.trades_mark_heard(&heard).await)
            }
            "trades_copy_confirmed" => {
                let trades = draw.some(Draw::trade);
                told(txn.trades_copy_confirmed(&trades.iter().collect::<Vec<_>>(), || ()).await)
            }
            "trades_confirm" => {
                let confirmations = draw.some(Draw::confirmation);
                told(txn.trades_confirm(&confirmations).await)
            }
            "trades_correct" => {
                let trades = draw.some(Draw::trade);
                told(txn.trades_correct(&trades).await)
            }
            "trades_remove_heard" => {
                let names = draw.some(Draw::name);
                told(txn.trades_remove_heard(&names).await)
            }
            "trades_unplace" => {
                let known = draw.some(Draw::known);
                told(txn.trades_unplace(&known).await)
            }
            "faults_insert" => {
                let faults = draw.some(Draw::fault);
                told(txn.faults_insert(&faults, now).await)
            }
            "missing_withdraw" => {
                let names = draw.some(Draw::name);
                told(sorted(txn.missing_withdraw(&names).await))
            }
            "counts_add" => {
                let deltas = draw.some(Draw::delta);
                told(txn.counts_add(&deltas).await)
            }
            "rejections_insert" => {
                let refused = draw.some(Draw::refused);
                told(txn.rejections_insert(&refused).await)
            }
            "incidents_insert" => {
                let incidents = draw.some(Draw::incident);
                told(txn.incidents_insert(&incidents, now).await)
            }
            "bounds_said" => {
                let marks = draw.some(|draw| (draw.ticker(), draw.mark()));
                told(sorted(txn.bounds_said(interval, &marks).await))
            }
            "bounds_learn" => {
                let lessons = draw.some(Draw::lesson);
                told(txn.bounds_learn(interval, &lessons).await)
            }
            "figures_copy_final" => {
                let (span, mut made) = draw.made();
                told(txn.figures_copy_final(&span, &mut made, now, || ()).await)
            }
            "figures_insert_final" => {
                let figures = draw.some(Draw::settled);
                told(txn.figures_insert_final(&figures, now).await)
            }
            "chain_advance" => told(self.chain(tables, txn).await),
            "figures_insert_provisional" => {
                let figures = draw.some(Draw::provisional);
                told(txn.figures_insert_provisional(&figures, now).await)
            }
            "latest_upsert" => {
                let is_final = draw.per_mille(400);
                let figures = draw.some(if is_final { Draw::settled } else { Draw::provisional });
                told(txn.latest_upsert(&figures, is_final, now).await)
            }
            "holdings_hold" => {
                let (ticker, names) = (draw.ticker(), draw.some(Draw::id));
                let (after, until) = (draw.instant(), draw.instant());
                let asked = AskedHoldings { ticker: &ticker, after, until, names: &names };
                told(txn.holdings_hold(asked).await)
            }
            "trades_confirmed" => {
                let (ticker, after, until) = (draw.ticker(), draw.instant(), draw.instant());
                told(sorted(txn.trades_confirmed(&ticker, after, until).await))
            }
            "finals_held" => {
                let (ticker, first, last) = (draw.ticker(), draw.mark(), draw.mark());
                told(txn.finals_held(&ticker, interval, first, last).await)
            }
            "trades_withdraw" => {
                let names = draw.some(Draw::name);
                told(txn.trades_withdraw(&names).await)
            }
            "figures_restate" => {
                let restatements = draw.some(Draw::restatement);
                told(txn.figures_restate(&restatements, now).await)
            }
            "corrections_insert" => {
                let (findings, restated) = (draw.some(Draw::finding), draw.between(0, 99).unsigned_abs());
                told(txn.corrections_insert(&findings, restated, now).await)
            }
            "watermarks_advance" => told(self.advance(tables, txn).await),
            _ => panic!("the script does not know how to play {name}"),
        };
        let is_done = answer.is_ok();
        self.keep(name, answer.unwrap_or_else(|refused| refused));
        is_done
    }

    /// Mostly from where the watermark is committed; an earlier step of the same
    /// transaction, or chance, has it elsewhere.
    async fn advance<T: Tables>(&mut self, tables: &T, txn: &T::Txn) -> Result<(), StoreError> {
        let draw = &mut self.draw;
        let mut advances = Vec::new();
        for held in tables.watermarks().await.expect("read") {
            let until = held.watermark.settled_until();
            let to = match draw.between(0, 9) {
                0..=2 => Watermark::Within { at: until.plus_ms(1), last: draw.id() },
                3..=5 => held.watermark.clone(),
                6 => Watermark::Through(until.minus_ms(draw.between(0, 3))),
                _ => Watermark::Through(until.plus_ms(draw.between(1, 900))),
            };
            let elsewhere = Watermark::Through(until.minus_ms(7));
            let from = if draw.per_mille(60) { elsewhere } else { held.watermark };
            if draw.per_mille(700) {
                let (market_time, time_to_final) = (draw.instant(), draw.time_to_final());
                advances.push(Advance { ticker: held.ticker, from, to, market_time, time_to_final });
            }
        }
        let checked_at = draw.instant();
        txn.watermarks_advance(&advances, checked_at).await
    }

    async fn chain<T: Tables>(&mut self, tables: &T, txn: &T::Txn) -> Result<(), StoreError> {
        let draw = &mut self.draw;
        let interval = draw.interval();
        let heads = tables.chain_heads(interval).await.expect("read");
        let link = |text: &str| Digest::of(text.as_bytes());
        let mut steps = Vec::new();
        for ticker in [ticker("B"), ticker("A")] {
            let held = heads.iter().find(|(of, _)| *of == ticker).map(|(_, head)| *head);
            let elsewhere = Head { entry: draw.between(0, 2).unsigned_abs(), link: link("elsewhere") };
            let begins = Head { entry: 0, link: link("genesis") };
            let from = if draw.per_mille(60) { elsewhere } else { held.unwrap_or(begins) };
            let entry = from.entry + draw.between(0, 3).unsigned_abs();
            let to = Head { entry, link: link(&draw.between(0, 9).to_string()) };
            if draw.per_mille(700) {
                steps.push(ChainStep { ticker, interval, from, to });
            }
        }
        txn.chain_advance(&steps).await
    }

    fn keep(&mut self, operation: &str, answer: String) {
        self.played.push(Played { operation: operation.to_owned(), answer });
    }
}

/// An answer in words; of an error, what it means.
fn told<R: Debug>(answer: Result<R, StoreError>) -> Result<String, String> {
    answer.map(|answer| format!("{answer:?}")).map_err(|error| meaning(&error))
}

/// Rows that come in no order.
fn sorted<R: Debug>(answer: Result<Vec<R>, StoreError>) -> Result<Vec<String>, StoreError> {
    answer.map(|rows| {
        let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        rows
    })
}

/// What an error means; the words of its source are each kind of tables' own.
fn meaning(error: &StoreError) -> String {
    let is_told_exactly = matches!(error, StoreError::Deposed { .. } | StoreError::Conflict { .. });
    let shown = format!("{error:?}");
    if is_told_exactly { shown } else { shown.split([' ', '{']).next().unwrap_or_default().to_owned() }
}
