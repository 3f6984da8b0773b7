//! Figures, the latest of each ticker, and the ends of the chains.

use std::collections::BTreeMap;

use store::{ChainStep, Figure, MarkSpan, Pieces, StoreError};
use tape::{EpochMs, Interval, Mark, Ticker};

use super::checks;
use super::disk::{FigureRow, LatestRow};
use super::server::refused;
use super::txn::Txn;
use super::view::View;

impl Txn {
    pub(super) async fn figures_copy_final(
        &self,
        span: &MarkSpan,
        pieces: &mut dyn Pieces,
        final_at: EpochMs,
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        self.step("figures_copy_final", 1).await?;
        let is_held = {
            let (state, mut writes) = self.sight();
            let view = View { held: &state.disk.figures, own: &mut writes.figures };
            let marks = std::iter::successors(Some(span.first), |mark| Some(mark.next()));
            let mut marks = marks.take_while(|mark| *mark <= span.last);
            marks.any(|mark| view.get(&(span.ticker.clone(), span.interval, mark)).is_some())
        };
        if is_held {
            return Ok(false);
        }
        while let Some(piece) = pieces.next_piece() {
            self.figures_insert_final(piece, final_at).await?;
        }
        meanwhile();
        Ok(true)
    }

    pub(super) async fn figures_insert_final(&self, figures: &[Figure], final_at: EpochMs) -> Result<u64, StoreError> {
        self.step("figures_insert_final", figures.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.figures, own: &mut writes.figures };
        let mut differing = 0;
        for (key, figure) in by_key(figures) {
            let chained = figure.chained;
            let exact = FigureRow { quarantined_trades: 0, bound: None, ..row(figure, final_at) };
            let said = FigureRow { final_at: Some(final_at), chained, ..exact };
            self.checks("making figures final", checks::figure(figure.mark, &said))?;
            match view.get(&key) {
                None => view.put(key, said),
                Some(held) if held.final_at.is_some() => differing += u64::from(held.sums != figure.sums),
                Some(held) => {
                    let provisional = Some((held.price, held.sums.trades));
                    let (calculated_at, bound) = (held.calculated_at, held.bound);
                    view.put(key, FigureRow { provisional, calculated_at, bound, ..said });
                }
            }
        }
        Ok(differing)
    }

    pub(super) async fn figures_insert_provisional(
        &self,
        figures: &[Figure],
        calculated_at: EpochMs,
    ) -> Result<(), StoreError> {
        self.step("figures_insert_provisional", figures.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.figures, own: &mut writes.figures };
        for (key, figure) in by_key(figures) {
            let said = row(figure, calculated_at);
            self.checks("writing provisional figures", checks::figure(figure.mark, &said))?;
            let held = view.get(&key);
            let is_news = held.is_none_or(|held| {
                let is_same = held.sums == figure.sums
                    && held.confirmed_trades == figure.confirmed_trades
                    && held.quarantined_trades == figure.quarantined_trades;
                held.final_at.is_none() && !is_same
            });
            if is_news {
                view.put(key, said);
            }
        }
        Ok(())
    }

    pub(super) async fn latest_upsert(
        &self,
        figures: &[Figure],
        is_final: bool,
        calculated_at: EpochMs,
    ) -> Result<u64, StoreError> {
        self.step("latest_upsert", figures.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.latest, own: &mut writes.latest };
        let mut newest: BTreeMap<(Ticker, Interval), &Figure> = BTreeMap::new();
        for figure in figures {
            let newest = newest.entry((figure.ticker.clone(), figure.interval)).or_insert(figure);
            if newest.mark < figure.mark {
                *newest = figure;
            }
        }
        let mut changed = 0;
        for (key, figure) in newest {
            let held = view.get(&key);
            let (mark, sums) = (figure.mark, figure.sums);
            let gives_way = held.is_none_or(|held| held.mark < mark || is_final && held.mark == mark && !held.is_final);
            // A final figure is exact; how often what was said before held, stays.
            let bound = figure.bound.filter(|_| !is_final);
            let day = match bound {
                Some(said) => Some((said.coverage, said.day)),
                None => held.filter(|_| is_final).and_then(|held| held.day),
            };
            let (confirmed_trades, quarantined_trades) = (figure.confirmed_trades, figure.quarantined_trades);
            let latest =
                LatestRow { mark, sums, confirmed_trades, quarantined_trades, is_final, calculated_at, bound, day };
            self.checks("making figures the latest", checks::latest(&latest))?;
            if gives_way {
                view.put(key, latest);
                changed += 1;
            }
        }
        Ok(changed)
    }

    pub(super) async fn chain_advance(&self, steps: &[ChainStep]) -> Result<(), StoreError> {
        self.step("chain_advance", steps.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.chain_heads, own: &mut writes.chain_heads };
        for ChainStep { ticker, interval, from, to } in steps.iter().filter(|step| step.from.entry < step.to.entry) {
            let key = (ticker.clone(), *interval);
            let is_there = match view.get(&key) {
                None => from.entry == 0,
                Some(held) => from.entry > 0 && held == from,
            };
            if !is_there {
                self.fail();
                return Err(refused("appending to chains", format!("the chain of {ticker} ends elsewhere")));
            }
            view.put(key, *to);
        }
        Ok(())
    }
}

fn by_key(figures: &[Figure]) -> BTreeMap<(Ticker, Interval, Mark), &Figure> {
    let mut by_key = BTreeMap::new();
    for figure in figures {
        by_key.entry((figure.ticker.clone(), figure.interval, figure.mark)).or_insert(figure);
    }
    by_key
}

fn row(figure: &Figure, calculated_at: EpochMs) -> FigureRow {
    FigureRow {
        price: figure.sums.vwap(),
        sums: figure.sums,
        confirmed_trades: figure.confirmed_trades,
        quarantined_trades: figure.quarantined_trades,
        provisional: None,
        calculated_at,
        final_at: None,
        chained: None,
        revision: 0,
        bound: figure.bound,
    }
}
