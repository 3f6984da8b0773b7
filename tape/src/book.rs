//! All that is held in memory of one ticker: how far it is confirmed, and the
//! running windows of what is settled, confirmed and heard.

use crate::{
    Band, Confirmation, Digest, EpochMs, Extremes, Heard, Known, Mark, Outcome, Rolling, Standing, Sums, Suspects,
    Suspicion, Trade, Unfinished, Verdict, Watermark,
};

/// The trades of one second: those confirmed and those only heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The second `(mark − 1 s, mark]`.
    pub second: Mark,
    /// The sums of the trades REST confirmed.
    pub confirmed: Sums,
    /// The sums of the trades only the socket brought, and nobody suspects.
    pub heard: Sums,
    /// The sums of the trades only the socket brought, and that are suspected.
    pub quarantined: Sums,
    /// The ends of the trades REST confirmed; none without any.
    pub extremes: Option<Extremes>,
}

/// What is said of one mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// When its window closes.
    pub mark: Mark,
    /// The exact sums of its window.
    pub sums: Sums,
    /// How many of its trades are confirmed.
    pub confirmed_trades: u64,
    /// How many suspects claim to belong to it and are left out.
    pub quarantined_trades: u64,
}

/// What is said for good of a mark the watermark passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The mark's final figure.
    pub said: Said,
    /// The digest of the trades in `(mark − 1 s, mark]`.
    pub second_digest: Digest,
}

/// One ticker's watermark and windows. It can always be rebuilt from the store.
#[derive(Debug, Clone)]
pub struct Book {
    watermark: Watermark,
    /// Confirmed trades, closing at the last settled mark: what final figures come from.
    settled: Rolling,
    /// Confirmed trades after the last settled mark, one by one.
    unfinished: Unfinished,
    /// Confirmed trades, closing at the last live mark.
    confirmed: Rolling,
    /// Heard trades beyond the watermark, closing at the last live mark.
    heard: Rolling,
    /// Suspects among those, kept apart.
    quarantined: Rolling,
    /// What was normal lately.
    band: Band,
}

/// The book and what was done to it disagree: it must be rebuilt from the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the windows in memory do not hold the trade {0}")]
pub struct Inconsistent(String);

impl Book {
    /// A book of windows of so many seconds, from the buckets after the instant
    /// it [reaches back to](Book::reaches_back_to), and the confirmed trades after
    /// [`Book::last_settled_mark`], which are in the buckets too. `live_at` is
    /// the last mark already spoken of.
    pub fn rebuild(
        watermark: Watermark,
        seconds: i64,
        live_at: Mark,
        buckets: &[Bucket],
        unfinished: Unfinished,
    ) -> Self {
        let settled_at = Self::last_settled_mark(&watermark);
        let mut book = Self {
            watermark,
            settled: Rolling::new(seconds, settled_at),
            unfinished,
            confirmed: Rolling::new(seconds, live_at),
            heard: Rolling::new(seconds, live_at),
            quarantined: Rolling::new(seconds, live_at),
            band: Band::default(),
        };
        for bucket in buckets {
            book.settled.add(bucket.second.at(), bucket.confirmed);
            book.confirmed.add(bucket.second.at(), bucket.confirmed);
            book.heard.add(bucket.second.at(), bucket.heard);
            book.quarantined.add(bucket.second.at(), bucket.quarantined);
            if let Some(extremes) = bucket.extremes {
                book.band.add(bucket.second.at().minus_ms(1), extremes);
            }
        }
        book.band.advance_to(book.watermark.settled_until());
        book
    }

    /// How far a rebuild must reach back: buckets after this instant are needed.
    pub fn reaches_back_to(watermark: &Watermark, seconds: i64, live_at: Mark) -> EpochMs {
        let windows = Self::last_settled_mark(watermark).min(live_at).minus_seconds(seconds).at();
        windows.min(Band::reaches_back_to(watermark.settled_until()))
    }

    /// The last mark that is final where everything up to the watermark is.
    pub fn last_settled_mark(watermark: &Watermark) -> Mark {
        Mark::at_or_before(watermark.settled_until())
    }

    /// How far the ticker is confirmed.
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// How many seconds with trades its fullest window holds.
    pub fn held_seconds(&self) -> usize {
        let windows = [&self.settled, &self.confirmed, &self.heard, &self.quarantined];
        windows.into_iter().map(Rolling::held_seconds).max().unwrap_or(0)
    }

    /// What is held against a heard trade that nobody knew. One that claims a
    /// settled time is contradicted: all trades of that time are confirmed.
    pub fn suspicion_of(&self, heard: &Heard, suspects: Suspects) -> Option<Suspicion> {
        let settled_until = self.watermark.settled_until();
        if heard.trade.traded_at <= settled_until {
            return Some(Suspicion::Contradicted);
        }
        suspects.judge(&heard.trade, heard.received_at, &self.band, settled_until)
    }

    /// Takes in a heard trade that nobody knew and that lies beyond the
    /// watermark. A suspect is counted, and kept out of every figure.
    pub fn hear(&mut self, trade: &Trade, suspicion: Option<Suspicion>) {
        self.heard_or_quarantined(suspicion).add(trade.traded_at, sums(trade));
    }

    /// Takes in what a page settled and returns the final figure of every mark
    /// the watermark passed, trades or none.
    ///
    /// # Errors
    /// [`Inconsistent`] when a trade to take out was never there.
    pub fn settle(&mut self, outcome: &Outcome) -> Result<Vec<Settled>, Inconsistent> {
        let was_settled_until = self.watermark.settled_until();
        for Confirmation { trade, verdict, received_at, suspicion } in &outcome.confirmations {
            match verdict {
                Verdict::Matched => self.unhear(trade, *suspicion, was_settled_until)?,
                Verdict::Altered { heard } => self.unhear(heard, *suspicion, was_settled_until)?,
                Verdict::Missing | Verdict::Unheard => {}
            }
            self.confirm(trade);
            let extremes = Extremes::of(trade.price, trade.quantity, trade.traded_at, *received_at);
            self.band.add(trade.traded_at, extremes);
        }
        for correction in &outcome.corrections {
            let was = &correction.was;
            let was_there = self.settled.remove(was.traded_at, sums(was))
                && self.unfinished.remove(was)
                && self.confirmed.remove(was.traded_at, sums(was));
            if !was_there {
                return Err(inconsistent(was));
            }
            self.confirm(&correction.now);
        }
        for known in outcome.phantoms.iter().chain(&outcome.unplaced) {
            if let Standing::Heard { suspicion, .. } = known.standing {
                self.unhear(&known.trade, suspicion, was_settled_until)?;
            }
        }
        self.watermark = outcome.watermark.clone();
        self.band.advance_to(self.watermark.settled_until());
        let settled_mark = Self::last_settled_mark(&self.watermark);
        let mut finals = Vec::new();
        while self.settled.closes_at() < settled_mark {
            let mark = self.settled.closes_at().next();
            let sums = self.settled.advance_to(mark);
            let said = Said { mark, sums, confirmed_trades: sums.trades, quarantined_trades: 0 };
            finals.push(Settled { said, second_digest: self.unfinished.finish(mark) });
        }
        Ok(finals)
    }

    /// Takes in a change of mind of REST about a settled trade: the confirmed
    /// trade `was` goes, `now` comes, and a copy that was only `heard` so far
    /// is replaced.
    ///
    /// # Errors
    /// [`Inconsistent`] when a trade to take out was never there.
    pub fn amend(
        &mut self,
        was: Option<&Trade>,
        now: Option<&Trade>,
        heard: Option<&Known>,
    ) -> Result<(), Inconsistent> {
        if let Some(was) = was {
            let was_there = self.settled.remove(was.traded_at, sums(was))
                && (self.is_finished(was) || self.unfinished.remove(was))
                && self.confirmed.remove(was.traded_at, sums(was));
            if !was_there {
                return Err(inconsistent(was));
            }
        }
        if let Some(Known { trade, standing: Standing::Heard { suspicion, .. } }) = heard {
            self.unhear(trade, *suspicion, self.watermark.settled_until())?;
        }
        if let Some(now) = now {
            self.confirm(now);
        }
        Ok(())
    }

    /// The provisional figure of a mark: confirmed trades up to the watermark
    /// and heard trades after it. None when the mark is settled already.
    pub fn provisional_at(&mut self, mark: Mark) -> Option<Said> {
        let confirmed = self.confirmed.advance_to(mark);
        let heard = self.heard.advance_to(mark);
        let quarantined_trades = self.quarantined.advance_to(mark).trades;
        let is_settled = mark.at() <= self.watermark.settled_until();
        if is_settled {
            return None;
        }
        let (sums, confirmed_trades) = (confirmed.plus(heard), confirmed.trades);
        Some(Said { mark, sums, confirmed_trades, quarantined_trades })
    }

    /// Whether the trade's second is settled, so that nobody asks for it again.
    fn is_finished(&self, trade: &Trade) -> bool {
        trade.traded_at <= self.settled.closes_at().at()
    }

    /// The sums of the trades of the live window that only the socket brought.
    pub fn heard_sums(&self) -> Sums {
        self.heard.sums()
    }

    fn confirm(&mut self, trade: &Trade) {
        self.settled.add(trade.traded_at, sums(trade));
        if !self.is_finished(trade) {
            self.unfinished.add(trade);
        }
        self.confirmed.add(trade.traded_at, sums(trade));
    }

    /// Takes a heard trade out of where it was counted. One that claims a
    /// settled time never was anywhere.
    fn unhear(
        &mut self,
        trade: &Trade,
        suspicion: Option<Suspicion>,
        was_settled_until: EpochMs,
    ) -> Result<(), Inconsistent> {
        let was_counted = was_settled_until < trade.traded_at;
        if was_counted && !self.heard_or_quarantined(suspicion).remove(trade.traded_at, sums(trade)) {
            return Err(inconsistent(trade));
        }
        Ok(())
    }

    fn heard_or_quarantined(&mut self, suspicion: Option<Suspicion>) -> &mut Rolling {
        if suspicion.is_some() { &mut self.quarantined } else { &mut self.heard }
    }
}

fn sums(trade: &Trade) -> Sums {
    Sums::of(trade.price, trade.quantity)
}

fn inconsistent(trade: &Trade) -> Inconsistent {
    Inconsistent(format!("{} {} at {}", trade.ticker, trade.id, trade.traded_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;
    use crate::{Known, Page, Patience, TradesDigest, reconcile};

    const PATIENCE: Patience = Patience {
        settle_delay_ms: 1_000,
        allowed_skew_ms: 500,
        longest_step_ms: 100_000,
        listening_since: Some(EpochMs::new(0)),
    };

    fn book() -> Book {
        Book::rebuild(
            Watermark::Through(EpochMs::new(0)),
            300,
            Mark::at_or_before(EpochMs::new(0)),
            &[],
            Unfinished::default(),
        )
    }

    fn bucket(second: i64, confirmed: Sums, heard: Sums) -> Bucket {
        Bucket { second: mark(second), confirmed, heard, quarantined: Sums::EMPTY, extremes: None }
    }

    fn mark(ms: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(ms))
    }

    fn heard(trade: Trade) -> Known {
        let received_at = trade.traded_at;
        Known { trade, standing: Standing::Heard { received_at, suspicion: None } }
    }

    fn settle(book: &mut Book, trades: Vec<Trade>, market_time: i64, known: &[Known]) -> Vec<Settled> {
        let latest_row_at = trades.last().map(|trade| trade.traded_at);
        let page = Page { trades, latest_row_at, ..Page::empty_at(EpochMs::new(market_time)) };
        let outcome = reconcile(book.watermark(), &page, known, PATIENCE);
        book.settle(&outcome).expect("consistent")
    }

    #[test]
    fn a_heard_trade_counts_until_rest_speaks_and_is_not_counted_twice_then() {
        let mut book = book();
        book.hear(&trade("a", 500, "10"), None);
        assert_eq!(book.provisional_at(mark(1_000)).expect("provisional").sums.trades, 1);

        settle(&mut book, vec![trade("a", 500, "10")], 1_600, &[heard(trade("a", 500, "10"))]);

        let said = book.provisional_at(mark(2_000)).expect("provisional");
        assert_eq!((said.sums.trades, said.confirmed_trades), (1, 1));
    }

    #[test]
    fn a_phantom_leaves_every_later_figure() {
        let mut book = book();
        book.hear(&trade("ghost", 500, "99"), None);
        assert_eq!(book.provisional_at(mark(1_000)).expect("provisional").sums.trades, 1);

        settle(&mut book, vec![], 3_000, &[heard(trade("ghost", 500, "99"))]);

        assert_eq!(book.provisional_at(mark(3_000)).expect("provisional").sums, Sums::EMPTY);
    }

    #[test]
    fn an_altered_trade_is_replaced_by_the_true_one() {
        let mut book = book();
        book.hear(&trade("a", 500, "11"), None);

        settle(&mut book, vec![trade("a", 500, "10")], 1_600, &[heard(trade("a", 500, "11"))]);

        let said = book.provisional_at(mark(1_000)).expect("provisional");
        assert_eq!(said.sums, sums(&trade("a", 500, "10")));
    }

    #[test]
    fn every_mark_passed_becomes_final_trades_or_none() {
        let mut book = Book::rebuild(Watermark::Through(EpochMs::new(0)), 1, mark(0), &[], Unfinished::default());
        settle(&mut book, vec![trade("a", 2_500, "10")], 3_600, &[]);

        let finals = settle(&mut book, vec![], 6_000, &[]);

        let counts: Vec<_> =
            finals.iter().map(|settled| (settled.said.mark.at().ms(), settled.said.sums.trades)).collect();
        assert_eq!(counts, [(3_000, 1), (4_000, 0), (5_000, 0)]);
    }

    #[test]
    fn a_mark_settled_before_it_was_spoken_of_is_not_provisional() {
        let mut book = book();
        settle(&mut book, vec![], 6_000, &[]);

        assert_eq!(book.provisional_at(mark(5_000)), None);
        assert!(book.provisional_at(mark(6_000)).is_some());
    }

    #[test]
    fn taking_out_what_was_never_heard_is_noticed() {
        let mut book = book();
        let page = Page::empty_at(EpochMs::new(9_000));
        let never_taken_in = [heard(trade("x", 500, "1"))];

        let outcome = reconcile(book.watermark(), &page, &never_taken_in, PATIENCE);

        assert!(book.settle(&outcome).is_err());
    }

    fn suspected(trade: Trade) -> Known {
        let received_at = trade.traded_at;
        Known { trade, standing: Standing::Heard { received_at, suspicion: Some(Suspicion::Price) } }
    }

    #[test]
    fn a_suspect_counts_in_no_figure_until_rest_confirms_it() {
        let mut book = book();
        book.hear(&trade("a", 400, "10"), None);
        book.hear(&trade("far", 500, "99"), Some(Suspicion::Price));

        let said = book.provisional_at(mark(1_000)).expect("provisional");
        assert_eq!((said.sums, said.quarantined_trades), (sums(&trade("a", 400, "10")), 1));

        let known = [heard(trade("a", 400, "10")), suspected(trade("far", 500, "99"))];
        settle(&mut book, vec![trade("a", 400, "10"), trade("far", 500, "99")], 1_600, &known);
        let said = book.provisional_at(mark(2_000)).expect("provisional");
        assert_eq!((said.sums.trades, said.confirmed_trades, said.quarantined_trades), (2, 2, 0));
    }

    #[test]
    fn a_suspect_that_is_altered_or_a_phantom_leaves_the_quarantine_and_no_figure() {
        let mut book = book();
        book.hear(&trade("a", 400, "99"), Some(Suspicion::Price));
        book.hear(&trade("ghost", 500, "99"), Some(Suspicion::Price));
        assert_eq!(book.provisional_at(mark(1_000)).expect("provisional").quarantined_trades, 2);

        let known = [suspected(trade("a", 400, "99")), suspected(trade("ghost", 500, "99"))];
        settle(&mut book, vec![trade("a", 400, "10")], 1_600, &known);
        settle(&mut book, vec![], 3_000, &known[1..]);

        let said = book.provisional_at(mark(3_000)).expect("provisional");
        assert_eq!((said.sums, said.quarantined_trades), (sums(&trade("a", 400, "10")), 0));
    }

    #[test]
    fn a_suspect_counts_only_in_the_windows_whose_time_it_claims() {
        let mut book = Book::rebuild(Watermark::Through(EpochMs::new(0)), 2, mark(0), &[], Unfinished::default());
        book.hear(&trade("far", 1_500, "99"), Some(Suspicion::Price));

        let held: Vec<u64> = (1..=4)
            .map(|second| book.provisional_at(mark(second * 1_000)).expect("provisional").quarantined_trades)
            .collect();
        assert_eq!(held, [0, 1, 1, 0]);
    }

    #[test]
    fn a_rebuilt_book_suspects_what_the_old_one_would_have_suspected() {
        let mut old = book();
        let page: Vec<Trade> = (0..20).map(|n| trade(&n.to_string(), 500 + n, "100")).collect();
        let ends = page.iter().map(|it| Extremes::of(it.price, it.quantity, it.traded_at, None));
        let ends = ends.reduce(Extremes::and).expect("twenty");
        let confirmed = page.iter().map(sums).sum();
        settle(&mut old, page, 3_000, &[]);
        let buckets = [Bucket { extremes: Some(ends), ..bucket(1_000, confirmed, Sums::EMPTY) }];
        let rebuilt = Book::rebuild(old.watermark().clone(), 1, mark(2_000), &buckets, Unfinished::default());

        for (at, price, suspicion) in
            [(4_000, "100", None), (4_000, "200", Some(Suspicion::Price)), (400, "100", Some(Suspicion::Contradicted))]
        {
            let heard = Heard { trade: trade("x", at, price), received_at: EpochMs::new(4_100), suspicion: None };
            assert_eq!(old.suspicion_of(&heard, Suspects::USUAL), suspicion, "{price} at {at}");
            assert_eq!(rebuilt.suspicion_of(&heard, Suspects::USUAL), suspicion, "{price} at {at}, rebuilt");
        }
    }

    #[test]
    fn a_settled_trade_that_rest_changes_its_mind_about_is_replaced_in_every_later_figure() {
        let mut book = book();
        settle(&mut book, vec![trade("a", 500, "10"), trade("b", 1_500, "20")], 9_000, &[]);
        settle(&mut book, vec![], 9_000, &[]);
        let now = trade("a", 700, "12");

        book.amend(Some(&trade("a", 500, "10")), Some(&now), None).expect("it is there");
        assert_eq!(book.unfinished.held_trades(), 0, "its second is over");
        book.amend(Some(&trade("b", 1_500, "20")), None, None).expect("it is there");

        assert_eq!(book.provisional_at(mark(9_000)).expect("provisional").sums, sums(&now));
        assert!(book.amend(Some(&trade("b", 1_500, "20")), None, None).is_err(), "it is gone");
    }

    #[test]
    fn a_trade_added_to_the_settled_past_counts_once_even_when_it_was_heard_with_another_time() {
        let mut book = book();
        settle(&mut book, vec![], 3_000, &[]);
        book.hear(&trade("h", 2_500, "10"), None);

        book.amend(None, Some(&trade("h", 1_500, "10")), Some(&heard(trade("h", 2_500, "10")))).expect("it was heard");

        let said = book.provisional_at(mark(3_000)).expect("provisional");
        assert_eq!((said.sums.trades, said.confirmed_trades), (1, 1));
    }

    #[test]
    fn a_rebuilt_book_says_what_the_old_one_said() {
        let mut old = book();
        old.hear(&trade("a", 500, "10"), None);
        old.hear(&trade("b", 1_500, "20"), None);
        settle(&mut old, vec![trade("a", 500, "10")], 1_600, &[heard(trade("a", 500, "10"))]);
        let before = old.provisional_at(mark(2_000));

        let buckets = [
            bucket(1_000, sums(&trade("a", 500, "10")), Sums::EMPTY),
            bucket(2_000, Sums::EMPTY, sums(&trade("b", 1_500, "20"))),
        ];
        let mut rebuilt = Book::rebuild(old.watermark().clone(), 300, mark(1_000), &buckets, Unfinished::default());

        assert_eq!(rebuilt.provisional_at(mark(2_000)), before);
    }

    #[test]
    fn a_rebuilt_book_counts_no_suspect_and_calls_only_confirmed_what_is() {
        let of = |id: &str, price: &str| sums(&trade(id, 900, price));
        let (confirmed, heard, quarantined) = (of("a", "1"), of("b", "2"), of("c", "400"));
        let buckets = [Bucket { quarantined, ..bucket(1_000, confirmed, heard) }];
        let watermark = Watermark::Through(EpochMs::new(0));
        let mut rebuilt = Book::rebuild(watermark, 300, mark(0), &buckets, Unfinished::default());

        let said = rebuilt.provisional_at(mark(1_000)).expect("provisional");

        assert_eq!((said.sums.trades, said.confirmed_trades, said.quarantined_trades), (2, 1, 1));
        assert_eq!(said.sums.notional.to_string(), "3");
    }

    #[test]
    fn a_book_rebuilt_in_the_middle_of_a_second_makes_the_digest_the_old_one_would_have_made() {
        let mut old = book();
        settle(&mut old, vec![trade("b", 1_200, "10"), trade("a", 1_400, "20")], 2_400, &[]);
        let buckets = [bucket(2_000, sums(&trade("b", 1_200, "10")).plus(sums(&trade("a", 1_400, "20"))), Sums::EMPTY)];
        let held = [trade("a", 1_400, "20"), trade("b", 1_200, "10")].iter().collect();
        let mut rebuilt = Book::rebuild(old.watermark().clone(), 300, mark(0), &buckets, held);

        let page = || vec![trade("c", 1_900, "30"), trade("d", 2_001, "40")];
        let finals = settle(&mut old, page(), 4_000, &[]);

        assert_eq!(settle(&mut rebuilt, page(), 4_000, &[]), finals);
        let of_second = [trade("b", 1_200, "10"), trade("a", 1_400, "20"), trade("c", 1_900, "30")];
        assert_eq!(finals[0].second_digest, TradesDigest::of(&of_second));
    }

    #[test]
    fn a_correction_before_its_second_is_settled_is_in_the_digest() {
        let mut book = book();
        settle(&mut book, vec![trade("a", 5_000, "10")], 6_000, &[]);
        let confirmed = Known { trade: trade("a", 5_000, "10"), standing: Standing::Confirmed { was_heard: false } };

        let corrected = settle(&mut book, vec![trade("a", 5_000, "11")], 7_000, &[confirmed]);
        let corrected = corrected.into_iter().chain(settle(&mut book, vec![], 7_000, &[]));

        let of_second = corrected.into_iter().find(|settled| settled.said.mark == mark(5_000)).expect("settled");
        assert_eq!(of_second.second_digest, TradesDigest::of([&trade("a", 5_000, "11")]));
    }

    #[test]
    fn a_correction_replaces_what_was_confirmed_in_final_and_provisional_figures() {
        let mut book = book();
        settle(&mut book, vec![trade("a", 500, "10")], 9_000, &[]);

        let known = Known { trade: trade("a", 500, "10"), standing: Standing::Confirmed { was_heard: false } };
        let finals = settle(&mut book, vec![trade("a", 500, "12")], 9_000, &[known]);

        let truth = sums(&trade("a", 500, "12"));
        assert_eq!(book.provisional_at(mark(9_000)).expect("provisional").sums, truth);
        assert_eq!(finals.first().expect("a mark was passed").said.sums, truth);
    }

    #[test]
    fn a_correction_of_what_was_never_confirmed_is_noticed_in_each_window() {
        let mut empty = book();
        let mut confirmed = book();
        settle(&mut confirmed, vec![trade("a", 500, "10")], 9_000, &[]);
        let page = Page {
            trades: vec![trade("b", 600, "2")],
            latest_row_at: None,
            is_full: false,
            ..Page::empty_at(EpochMs::new(9_000))
        };
        let known = Known { trade: trade("b", 600, "1"), standing: Standing::Confirmed { was_heard: false } };

        for book in [&mut empty, &mut confirmed] {
            let outcome = reconcile(book.watermark(), &page, std::slice::from_ref(&known), PATIENCE);
            assert_eq!(outcome.corrections.len(), 1);
            assert!(book.settle(&outcome).is_err());
        }
    }

    #[test]
    fn a_heard_trade_that_claims_the_last_settled_millisecond_was_never_in_the_window() {
        let mut book = book();
        settle(&mut book, vec![], 2_000, &[]);
        assert_eq!(book.watermark().settled_until().ms(), 1_000);

        settle(&mut book, vec![trade("a", 1_500, "10")], 9_000, &[heard(trade("a", 1_000, "10"))]);

        assert_eq!(book.provisional_at(mark(2_000)).expect("provisional").sums, sums(&trade("a", 1_500, "10")));
    }

    #[test]
    fn a_book_tells_what_is_only_heard_and_how_many_seconds_its_fullest_window_holds() {
        let mut book = book();
        assert_eq!((book.heard_sums(), book.held_seconds()), (Sums::EMPTY, 0));

        for (id, at) in [("a", 500), ("b", 600), ("c", 1_500), ("d", 2_500)] {
            book.hear(&trade(id, at, "10"), None);
        }
        book.hear(&trade("far", 500, "99"), Some(Suspicion::Price));
        book.provisional_at(mark(2_000)).expect("provisional");

        assert_eq!((book.heard_sums().trades, book.held_seconds()), (3, 3));
    }
}
