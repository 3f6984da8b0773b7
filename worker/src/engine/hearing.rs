//! A batch of what the socket said: one transaction, whatever it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use market::Said;
use store::{Channel, CountDelta, Refused};
use tape::fault::is_late;
use tape::{Arrival, EpochMs, Fault, FaultKind, Heard, Known, Rejection, Suspicion, Ticker, TradeId, trade};

use super::suspecting::{count_contradicted, count_new_suspects};
use super::{Engine, SessionError};
use crate::tables::{Tables, TablesTxn};

/// Refused frames kept per batch; the others are counted only.
const REFUSED_KEPT_PER_BATCH: usize = 100;

impl<T: Tables> Engine<T> {
    /// Writes a batch of heard trades and refused frames, and counts what is
    /// new towards the next mark.
    ///
    /// # Errors
    /// Whatever the store says; nothing of the batch is written then.
    pub async fn hear(&mut self, said: Vec<Said>) -> Result<(), SessionError> {
        let (heard, refused) = self.pass_the_door(said);
        self.discover_unknown(&heard).await?;
        let (heard, unfollowed): (Vec<Heard>, Vec<Heard>) =
            heard.into_iter().partition(|heard| self.books.contains_key(&heard.trade.ticker));
        self.metrics.unfollowed.inc_by(unfollowed.len() as u64);
        let (mut firsts, copies) = split_copies(heard);
        self.suspect(&mut firsts);
        let (fresh, stale): (Vec<Heard>, Vec<Heard>) =
            firsts.into_iter().partition(|heard| self.settled_until(&heard.trade.ticker) < heard.trade.traded_at);

        let txn = self.tables.begin_relaxed().await?;
        let (new, others) = if self.newness.is_likely(&fresh) && txn.trades_copy_heard(&fresh).await? {
            (fresh, Vec::new())
        } else {
            let inserted: HashSet<(Ticker, TradeId)> = txn.trades_insert_heard(&fresh).await?.into_iter().collect();
            self.newness.learn(inserted.len() == fresh.len());
            fresh.into_iter().partition(|heard| inserted.contains(&key(heard)))
        };
        let others: Vec<Heard> = others.into_iter().chain(stale).collect();
        let keys: Vec<(Ticker, TradeId)> = others.iter().map(key).collect();
        let known = if keys.is_empty() { Vec::new() } else { txn.trades_known(&keys).await? };
        let late_after_ms = self.settings.late_after_ms;
        let sorted = sort_arrivals(others, copies, &known, late_after_ms, |ticker| self.settled_until(ticker));

        let aside: HashSet<(Ticker, TradeId)> =
            txn.trades_insert_unplaced(&sorted.unplaced).await?.into_iter().collect();
        txn.trades_mark_heard(&sorted.late).await?;
        let late_keys: Vec<(Ticker, TradeId)> = sorted.late.iter().map(key).collect();
        let withdrawn: HashSet<(Ticker, TradeId)> = if late_keys.is_empty() {
            HashSet::new()
        } else {
            txn.missing_withdraw(&late_keys).await?.into_iter().collect()
        };
        txn.faults_insert(&sorted.faults, self.clock.wall()).await?;
        let newly_aside = sorted.unplaced.iter().filter(|heard| aside.contains(&key(heard)));
        let mut counts = count_arrivals(&sorted, &withdrawn, &refused);
        counts.extend(count_new_suspects(new.iter().chain(newly_aside.clone())));
        counts.extend(count_contradicted(sorted.altered()));
        txn.counts_add(&counts).await?;
        txn.rejections_insert(&refused[..refused.len().min(REFUSED_KEPT_PER_BATCH)]).await?;
        txn.commit().await?;

        self.books.hear(&new);
        self.metrics.heard_committed(&new, self.clock.wall());
        self.metrics.suspected(new.iter().chain(newly_aside).filter_map(|heard| heard.suspicion));
        self.metrics.suspected(sorted.altered().map(|_| Suspicion::Contradicted));
        Ok(())
    }

    /// Refuses trades whose time cannot be.
    fn pass_the_door(&self, said: Vec<Said>) -> (Vec<Heard>, Vec<Refused>) {
        let now = self.clock.now().unwrap_or_else(|| self.clock.wall());
        let latest = now.plus_ms(self.settings.patience.allowed_skew_ms);
        let oldest = self.settings.retention_ms.map_or(EpochMs::new(0), |retention_ms| now.minus_ms(retention_ms));
        let mut heard = Vec::with_capacity(said.len());
        let mut refused = Vec::new();
        for said in said {
            match said {
                Said::Trade(this) => match trade::check_time(this.trade.traded_at, oldest, latest) {
                    Ok(()) => heard.push(this),
                    Err(rejection) => refused.push(refused_trade(&this, &rejection)),
                },
                Said::Rejected { rejection, ticker, frame, received_at } => {
                    refused.push(Refused {
                        channel: Channel::Socket,
                        ticker,
                        kind: rejection.kind(),
                        reason: rejection.to_string(),
                        frame,
                        received_at,
                    });
                }
            }
        }
        (heard, refused)
    }

    async fn discover_unknown(&mut self, heard: &[Heard]) -> Result<(), SessionError> {
        // In order: when there is no room for all, it must not be chance which are followed.
        let unknown: BTreeSet<&Ticker> =
            heard.iter().map(|heard| &heard.trade.ticker).filter(|ticker| !self.books.contains_key(ticker)).collect();
        let is_full = self.books.len() >= self.settings.max_tickers;
        if unknown.is_empty() || is_full {
            return Ok(());
        }
        let unknown: Vec<Ticker> = unknown.into_iter().cloned().collect();
        self.discover(&unknown).await
    }

    fn settled_until(&self, ticker: &Ticker) -> EpochMs {
        // Only tickers with a book are asked for.
        self.books.get(ticker).map_or(EpochMs::MAX, |book| book.watermark().settled_until())
    }
}

/// Whether the trades of a batch are all new: adding them at once is cheap then,
/// and in vain else.
#[derive(Debug, Default)]
pub(super) struct Newness {
    /// Batches to go until it is likely again.
    doubted_for: u32,
}

impl Newness {
    /// Smaller batches gain nothing.
    const WORTH_TRYING: usize = 50;

    /// A socket that repeats one trade repeats others.
    const DOUBTED_FOR: u32 = 20;

    fn is_likely(&self, batch: &[Heard]) -> bool {
        self.doubted_for == 0 && Self::WORTH_TRYING <= batch.len()
    }

    fn learn(&mut self, all_were_new: bool) {
        self.doubted_for = if all_were_new { self.doubted_for.saturating_sub(1) } else { Self::DOUBTED_FOR };
    }
}

/// What a batch comes to, beside the trades that are simply new.
#[derive(Default)]
struct Sorted {
    unplaced: Vec<Heard>,
    /// Those that REST had confirmed before we took them in.
    late: Vec<Heard>,
    /// When each of these was really made.
    late_made_at: Vec<EpochMs>,
    faults: Vec<Fault>,
}

impl Sorted {
    /// Those that REST had confirmed before with other values.
    fn altered(&self) -> impl Iterator<Item = &Heard> {
        self.late.iter().filter(|heard| heard.suspicion == Some(Suspicion::Contradicted))
    }
}

fn key(heard: &Heard) -> (Ticker, TradeId) {
    (heard.trade.ticker.clone(), heard.trade.id.clone())
}

/// The first copy of each trade, and the others.
fn split_copies(heard: Vec<Heard>) -> (Vec<Heard>, Vec<Heard>) {
    let mut seen = HashSet::with_capacity(heard.len());
    heard.into_iter().partition(|heard| seen.insert(key(heard)))
}

fn sort_arrivals(
    others: Vec<Heard>,
    copies: Vec<Heard>,
    known: &[Known],
    late_after_ms: i64,
    settled_until: impl Fn(&Ticker) -> EpochMs,
) -> Sorted {
    let known: HashMap<(&Ticker, &TradeId), &Known> =
        known.iter().map(|known| ((&known.trade.ticker, &known.trade.id), known)).collect();
    let mut sorted = Sorted::default();
    for mut heard in others {
        let held = known.get(&(&heard.trade.ticker, &heard.trade.id)).copied();
        let truth = held.map(|held| held.trade.clone());
        let mut fault = |kind, heard: &Heard, truth| {
            sorted.faults.extend(Fault::new(kind, Some(heard.trade.clone()), truth, Some(heard.received_at)));
        };
        match Arrival::of(&heard.trade, held, settled_until(&heard.trade.ticker)) {
            Arrival::New | Arrival::Unplaced => sorted.unplaced.push(heard),
            Arrival::Duplicate => fault(FaultKind::Duplicate, &heard, None),
            arrival @ (Arrival::LateCopy | Arrival::LateAltered) => {
                let made_at = truth.as_ref().map_or(heard.trade.traded_at, |truth| truth.traded_at);
                // It may have waited here for us, and REST was quicker: that is no fault of the socket.
                if is_late(made_at, heard.received_at, late_after_ms) {
                    fault(FaultKind::Late, &heard, truth.clone());
                }
                heard.suspicion = None;
                if arrival == Arrival::LateAltered {
                    fault(FaultKind::Altered, &heard, truth);
                    heard.suspicion = Some(Suspicion::Contradicted);
                }
                sorted.late.push(heard);
                sorted.late_made_at.push(made_at);
            }
        }
    }
    for copy in copies {
        sorted.faults.extend(Fault::new(FaultKind::Duplicate, Some(copy.trade), None, Some(copy.received_at)));
    }
    sorted
}

/// Counts per minute. A trade that was counted as missing (or as never
/// listened for) and comes after all is moved to what it turned out to be.
fn count_arrivals(sorted: &Sorted, withdrawn: &HashSet<(Ticker, TradeId)>, refused: &[Refused]) -> Vec<CountDelta> {
    let mut counts = Counts::default();
    for fault in &sorted.faults {
        counts.add(&fault.ticker, fault.at, fault.kind.as_str(), 1);
    }
    for (heard, made_at) in sorted.late.iter().zip(&sorted.late_made_at) {
        let ticker = &heard.trade.ticker;
        let was_counted_as =
            if withdrawn.contains(&key(heard)) { FaultKind::Missing.as_str() } else { store::COUNT_UNHEARD };
        counts.add(ticker, *made_at, was_counted_as, -1);
        if heard.suspicion != Some(Suspicion::Contradicted) {
            counts.add(ticker, *made_at, store::COUNT_MATCHED, 1);
        }
    }
    for refused in refused {
        counts.add_refused(refused);
    }
    counts.into_deltas()
}

fn refused_trade(heard: &Heard, rejection: &Rejection) -> Refused {
    let trade = &heard.trade;
    Refused {
        channel: Channel::Socket,
        ticker: Some(trade.ticker.clone()),
        kind: rejection.kind(),
        reason: rejection.to_string(),
        frame: format!(
            "ticker {} tradeid {} ts {} price {} quantity {}",
            trade.ticker, trade.id, trade.traded_at, trade.price, trade.quantity
        ),
        received_at: heard.received_at,
    }
}

/// Counts to add up, one per ticker, minute and kind.
#[derive(Debug, Default)]
pub(super) struct Counts {
    added: BTreeMap<(String, i64, String), i64>,
    /// What is being added to: the next is nearly always counted with the last.
    last: Option<((Ticker, i64, String), i64)>,
}

impl Counts {
    pub(super) fn add(&mut self, ticker: &Ticker, at: EpochMs, kind: &str, delta: i64) {
        let minute = minute(at);
        match &mut self.last {
            Some((key, sum)) if key.1 == minute && key.2 == kind && key.0 == *ticker => *sum += delta,
            _ => {
                self.put_down();
                self.last = Some(((ticker.clone(), minute, kind.to_owned()), delta));
            }
        }
    }

    fn put_down(&mut self) {
        if let Some(((ticker, minute, kind), sum)) = self.last.take() {
            *self.added.entry((ticker.to_string(), minute, kind)).or_default() += sum;
        }
    }

    pub(super) fn add_refused(&mut self, refused: &Refused) {
        let ticker = refused.ticker.as_ref().map(Ticker::to_string).unwrap_or_default();
        let kind = match refused.channel {
            Channel::Socket => format!("rejected_{}", refused.kind.as_str()),
            Channel::Rest => format!("rest_rejected_{}", refused.kind.as_str()),
        };
        *self.added.entry((ticker, minute(refused.received_at), kind)).or_default() += 1;
    }

    pub(super) fn into_deltas(mut self) -> Vec<CountDelta> {
        self.put_down();
        let deltas = self.added.into_iter().filter(|(_, delta)| *delta != 0);
        deltas
            .map(|((ticker, minute, kind), delta)| CountDelta { ticker, minute: EpochMs::new(minute), kind, delta })
            .collect()
    }
}

fn minute(at: EpochMs) -> i64 {
    at.ms().div_euclid(60_000) * 60_000
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tape::Standing;
    use testkit::{heard, trade};

    use super::*;

    const MADE_AT: i64 = 1_684_083_600_123;

    /// What a copy comes to that says `price`, was received so much after the
    /// trade was made, and taken in when REST had confirmed it.
    fn confirmed_before(price: &str, received_after_ms: i64) -> (Vec<FaultKind>, BTreeMap<String, i64>) {
        let truth = trade("BTC", "a", MADE_AT, "1", "1");
        let known = Known { trade: truth, standing: Standing::Confirmed { was_heard: false } };
        let copy = heard(trade("BTC", "a", MADE_AT, price, "1"), MADE_AT + received_after_ms);
        let withdrawn = HashSet::from([key(&copy)]);
        let sorted = sort_arrivals(vec![copy], Vec::new(), &[known], 1_000, |_| EpochMs::new(MADE_AT));
        let counts = count_arrivals(&sorted, &withdrawn, &[]).into_iter().map(|count| (count.kind, count.delta));
        (sorted.faults.iter().map(|fault| fault.kind).collect(), counts.collect())
    }

    fn counts(counts: &[(&str, i64)]) -> BTreeMap<String, i64> {
        counts.iter().map(|(kind, delta)| ((*kind).to_owned(), *delta)).collect()
    }

    #[test]
    fn a_copy_that_waited_here_while_rest_confirmed_it_is_not_late_for_that() {
        let in_time = (vec![], counts(&[("missing", -1), ("matched", 1)]));
        assert_eq!(confirmed_before("1", 1_000), in_time);
        let late = (vec![FaultKind::Late], counts(&[("missing", -1), ("matched", 1), ("late", 1)]));
        assert_eq!(confirmed_before("1", 1_001), late);
    }

    #[test]
    fn a_copy_with_other_values_is_altered_whether_it_is_late_or_not() {
        let in_time = (vec![FaultKind::Altered], counts(&[("missing", -1), ("altered", 1)]));
        assert_eq!(confirmed_before("2", 1_000), in_time);
        let late = counts(&[("missing", -1), ("altered", 1), ("late", 1)]);
        assert_eq!(confirmed_before("2", 1_001), (vec![FaultKind::Late, FaultKind::Altered], late));
    }
}
