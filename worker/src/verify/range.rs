//! A range of the chain between two receipts: every link in it, recomputed from
//! the exchange's trades and the restatements among its entries.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use tape::{Chain, Digest, Entry, EpochMs, Head, Mark, Rolling, Sums, Trade, Unfinished};
use url::Url;

use super::Verdict;
use super::claim::{Claim, Place};
use super::rest_trades::{Effort, RestTrades};
use super::restated::{Log, Restated};
use super::source::Source;

/// The most entries of one range: some 46 days of one ticker.
const ENTRIES_LIMIT: u64 = 4_000_000;

/// Recomputes the chain from one receipt to another.
pub(super) async fn verify(
    rest: &RestTrades,
    source: &Source,
    from: &Claim,
    to: &Claim,
    log: Option<&str>,
) -> anyhow::Result<Verdict> {
    let ends = Ends::of(from, to)?;
    let log = Log::read(source, log, to.url.as_ref(), &ends).await?;
    let marks = ends.marks(&log)?;
    let (figures, effort) = figures(rest, from, marks).await?;
    let mut walk = Walk {
        chain: &from.chain,
        log: &log,
        figures: &figures,
        heads: vec![ends.first_head()],
        differences: Vec::new(),
    };
    walk.through(marks, ends.to.entry)?;
    let Walk { heads, mut differences, .. } = walk;

    let name = format!("{} of {}", from.chain.ticker, from.chain.exchange);
    let (first, last) = (ends.from.entry, ends.to.entry);
    let end = heads.last().context("a walk has a beginning")?;
    if *end != ends.last_head() {
        differences.push(format!("  link {last}: the receipt says {}, recomputed it is {}", ends.to.link, end.link));
        differences.extend(first_difference(source, to.url.as_ref(), marks, &heads).await);
    }
    if !differences.is_empty() {
        differences.insert(0, format!("differs: {name}: entries {first} to {last}"));
        return Ok(Verdict::differs(differences));
    }
    let Effort { pages, trades, .. } = effort;
    let restated = log.by_entry.len();
    Ok(Verdict::agrees(format!(
        "agrees: {name}: {} links from entry {first} to entry {last}, {restated} of them restatements, follow from \
         {trades} trades on {pages} pages of the exchange",
        last - first
    )))
}

/// The two ends of a range.
pub(super) struct Ends {
    from: Place,
    to: Place,
    first: (Mark, bool),
    last: (Mark, bool),
    pub(super) chain: Chain,
}

/// The marks that became final between two entries, both included; none in
/// between two restatements of one second.
type Marks = Option<(Mark, Mark)>;

impl Ends {
    fn of(from: &Claim, to: &Claim) -> anyhow::Result<Self> {
        ensure!(from.chain == to.chain, "the two receipts are of different exchanges, tickers or intervals");
        let first = from.place.context("the first receipt has no place in the chain")?;
        let last = to.place.context("the last receipt has no place in the chain")?;
        ensure!(first.entry < last.entry, "the range goes backward: entry {} to entry {}", first.entry, last.entry);
        ensure!(last.entry - first.entry <= ENTRIES_LIMIT, "a range has at most {ENTRIES_LIMIT} entries");
        Ok(Self {
            from: first,
            to: last,
            first: (from.mark()?, from.revision == Some(0)),
            last: (to.mark()?, to.revision == Some(0)),
            chain: from.chain.clone(),
        })
    }

    fn first_head(&self) -> Head {
        Head { entry: self.from.entry, link: self.from.link }
    }

    fn last_head(&self) -> Head {
        Head { entry: self.to.entry, link: self.to.link }
    }

    /// The entries between the ends: after one, up to the other.
    pub(super) fn entries(&self) -> (u64, u64) {
        (self.from.entry, self.to.entry)
    }

    /// A span of marks that is not shorter than that of the range.
    pub(super) fn span(&self) -> (EpochMs, EpochMs) {
        let seconds = i64::try_from(self.to.entry - self.from.entry).unwrap_or(i64::MAX);
        (
            self.last.0.minus_seconds(seconds).min(self.first.0).at(),
            self.last.0.max(self.first.0).at().plus_ms(seconds * 1_000),
        )
    }

    /// Which marks became final between the ends: one entry each, apart from the restatements.
    fn marks(&self, log: &Log) -> anyhow::Result<Marks> {
        let entries = self.to.entry - self.from.entry;
        let finals = entries.checked_sub(log.by_entry.len() as u64).context("more restatements than entries")?;
        let Some(further) = i64::try_from(finals).ok().and_then(|finals| finals.checked_sub(1)).filter(|it| *it >= 0)
        else {
            return Ok(None);
        };
        let (first, last) = match (self.first, self.last) {
            ((mark, true), _) => (mark.next(), mark.minus_seconds(-1 - further)),
            (_, (mark, true)) => (mark.minus_seconds(further), mark),
            _ => bail!("both ends are restatements: choose one that is not"),
        };
        let (end, is_final) = self.last;
        ensure!(
            !is_final || end == last,
            "between the ends {finals} entries are no restatements, which is not one for each second from {first} to {end}: \
             the log of restatements is not whole, or the chain paused"
        );
        Ok(Some((first, last)))
    }
}

/// What the exchange's trades make of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figure {
    sums: Sums,
    second_digest: Digest,
}

/// The figure of every mark of a range, from the exchange.
async fn figures(rest: &RestTrades, from: &Claim, marks: Marks) -> anyhow::Result<(BTreeMap<Mark, Figure>, Effort)> {
    let mut figures = BTreeMap::new();
    let Some((first, last)) = marks else { return Ok((figures, Effort::default())) };
    let seconds = from.chain.interval.whole_seconds().context("a chain's windows are whole seconds")?;
    let mut after = first.minus_seconds(seconds).at();
    if from.opens_after() < from.counted_after {
        after = after.max(from.counted_after);
    }
    let mut window = Rolling::new(seconds, Mark::at_or_before(after));
    let mut unfinished = Unfinished::default();
    let settle = |trades: Vec<Trade>, until: EpochMs| {
        for trade in &trades {
            window.add(trade.traded_at, Sums::of(trade.price, trade.quantity));
            unfinished.add(trade);
        }
        while window.closes_at() < Mark::at_or_before(until) {
            let mark = window.closes_at().next();
            let figure = Figure { sums: window.advance_to(mark), second_digest: unfinished.finish(mark) };
            if first <= mark {
                figures.insert(mark, figure);
            }
        }
        Ok(())
    };
    let effort = rest.read(&from.chain.ticker, after, last.at(), settle).await?;
    Ok((figures, effort))
}

/// A walk along the chain.
struct Walk<'a> {
    chain: &'a Chain,
    log: &'a Log,
    figures: &'a BTreeMap<Mark, Figure>,
    /// The chain's end after every entry so far.
    heads: Vec<Head>,
    differences: Vec<String>,
}

impl Walk<'_> {
    fn through(&mut self, marks: Marks, last_entry: u64) -> anyhow::Result<()> {
        let mut next_mark = marks.map(|(first, _)| first);
        loop {
            let head = *self.heads.last().context("a walk has a beginning")?;
            if head.entry == last_entry {
                return Ok(());
            }
            let entry = match self.log.by_entry.get(&(head.entry + 1)) {
                Some(restated) => self.restated(restated)?,
                None => {
                    let mark = next_mark.with_context(|| format!("entry {} is in no list", head.entry + 1))?;
                    next_mark = Some(mark.next());
                    self.first_said(mark)?
                }
            };
            self.heads.push(self.chain.append(&head, &entry));
        }
    }

    /// What became final first: what the exchange says, unless it said otherwise then.
    fn first_said(&mut self, mark: Mark) -> anyhow::Result<Entry> {
        if let Some(old) = self.log.by_mark.get(&(mark, 1)) {
            let second_digest = old.old_second_digest.context("a restatement without the digest it replaced")?;
            return Ok(Entry { mark, revision: 0, sums: old.old_sums, second_digest });
        }
        let Figure { sums, second_digest } =
            *self.figures.get(&mark).with_context(|| format!("the mark {mark} is not in the range"))?;
        Ok(Entry { mark, revision: 0, sums, second_digest })
    }

    /// What a restatement says; the last of a mark must be what the exchange says.
    fn restated(&mut self, restated: &Restated) -> anyhow::Result<Entry> {
        let Restated { mark, revision, new_sums, new_second_digest, .. } = restated;
        let second_digest = new_second_digest.context("a restatement without its digest")?;
        let said = Figure { sums: *new_sums, second_digest };
        let is_last = !self.log.by_mark.contains_key(&(*mark, revision + 1));
        if is_last && self.figures.get(mark).is_some_and(|figure| *figure != said) {
            self.differences.push(format!("  the mark {mark} was restated to what the exchange does not say"));
        }
        Ok(Entry { mark: *mark, revision: *revision, sums: *new_sums, second_digest })
    }
}

/// Where the chain first differs, told by receipts between the ends.
async fn first_difference(source: &Source, url: Option<&Url>, marks: Marks, heads: &[Head]) -> Vec<String> {
    let (Some(url), Some((first, last))) = (url, marks) else {
        return vec!["  receipts between the two ends would tell where".to_owned()];
    };
    let (mut same, mut different) = (first.minus_seconds(1), last);
    while same.next() < different {
        let middle = same.minus_seconds(-(different.seconds_since(same) / 2));
        let ts = middle.at().to_string();
        let place = match source.claim_beside(url, &[("ts", &ts)]).await {
            Ok(Claim { place: Some(place), .. }) => place,
            Ok(_) => return vec![format!("  the receipt of {middle} has no place in the chain")],
            Err(error) => return vec![format!("  no receipt of {middle}: {error:#}")],
        };
        let ours = heads.iter().find(|head| head.entry == place.entry);
        if ours.is_some_and(|head| head.link == place.link) { same = middle } else { different = middle }
    }
    vec![format!("  the first link that differs is that of the mark {different}: verify its receipt by itself")]
}
