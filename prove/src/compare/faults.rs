//! The faults found against the faults done, kind by kind.
//!
//! Two laws. Whatever was found was done: without exception, for the market
//! writes down what it does before it does it. And whatever was done while a
//! leader for sure listened was found. The rest — said while nobody listened,
//! or lost with a process that was killed — cannot be decided by anybody, and
//! is counted apart.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::exact::Exact;
use crate::house::LATE_AFTER_MS;
use crate::sessions::{Listening, Span};
use crate::tables::{Found, Tables};
use crate::truth::{Injected, Name, Trade, Truth};

/// Of so many refused frames the oldest are let go.
const REFUSED_KEPT: usize = 10_000;

/// What is said at once is committed so much later, in milliseconds.
const AT_ONCE_MS: i64 = 1_500;

/// What is held back is committed so much later, in milliseconds.
const HELD_BACK_MS: i64 = 7_000;

/// One kind of fault.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Line {
    /// How often it was done.
    pub done: usize,
    /// How often it was found.
    pub found: usize,
    /// How often it was done while a leader for sure listened.
    pub sure: usize,
    /// How many of those were found.
    pub sure_found: usize,
}

/// What the comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// The faults by the market's kinds.
    pub lines: BTreeMap<String, Line>,
    /// Trades that did not go out, or not in an acceptable form: those are
    /// missing, if somebody listened.
    pub missing: Line,
    /// Trades that did go out and were not heard, each at a time when it
    /// cannot be known whether anybody listened.
    pub lost: usize,
    /// Trades that came too late though they were sent in time: a process stood still.
    pub late_by_standstill: usize,
    /// Every difference.
    pub differences: Vec<String>,
}

/// The kinds of the market and what each is found as.
const KINDS: [(&str, &str); 9] = [
    ("duplicate", "duplicate"),
    ("delay", "late"),
    ("alter_price", "altered"),
    ("alter_quantity", "altered"),
    ("alter_time", "altered"),
    ("phantom", "phantom"),
    ("malformed", "rejected"),
    ("wrong_type", "rejected"),
    ("future", "rejected"),
];

/// Compares what was done in the time of the storm with what was found of it.
pub fn compare(truth: &Truth, tables: &Tables, listening: &Listening, storm: Span) -> Compared {
    let mut compared = Compared::default();
    let mut found = Findings::of(tables);
    let all_refused_are_kept = tables.refused.len() < REFUSED_KEPT;
    let is_sure = |injected: &Injected| {
        let is_followed = tables.standings.get(&injected.name.0).is_some_and(|it| it.tape_from < injected.ts);
        let is_kept = all_refused_are_kept || found_as(injected) != Some("rejected");
        let is_held_back = matches!(found_as(injected), Some("duplicate" | "late"));
        let to_ms = injected.ts + if is_held_back { HELD_BACK_MS } else { AT_ONCE_MS };
        let is_listened_to = listening.is_sure(injected.ts, to_ms) && listening.is_spoken(injected.ts, to_ms);
        is_followed && is_kept && is_listened_to && injected.ts <= storm.to_ms
    };
    // Some frames are word for word the same: what was found is first of all
    // what must have been.
    let (sure, unsure): (Vec<&Injected>, Vec<&Injected>) = truth.faults.iter().partition(|it| is_sure(it));
    let judged = sure.into_iter().map(|it| (it, true)).chain(unsure.into_iter().map(|it| (it, false)));
    for (injected, is_sure) in judged {
        let line = compared.lines.entry(injected.kind.clone()).or_default();
        line.done += 1;
        let Some(as_kind) = found_as(injected) else { continue };
        let is_found = found.take(as_kind, injected);
        line.found += usize::from(is_found);
        line.sure += usize::from(is_sure);
        line.sure_found += usize::from(is_sure && is_found);
        if is_sure && !is_found {
            compared.differences.push(format!("{} of {:?} was not found", injected.kind, injected.name));
        }
    }
    missing(&mut compared, truth, tables, &mut found, listening, storm);
    found.late_by_themselves(&mut compared);
    compared.differences.extend(found.left_over(storm.to_ms));
    compared.differences.extend(values(truth, tables));
    compared.differences.extend(counts(tables));
    compared
}

/// What a fault is found as, if it is found under a name of its own.
fn found_as(injected: &Injected) -> Option<&'static str> {
    KINDS.iter().find(|(kind, _)| *kind == injected.kind).map(|(_, as_kind)| *as_kind)
}

/// A true trade of which nothing acceptable went out is missing if a leader
/// listened from before it was made until it was confirmed, and a trade that
/// did go out then is not.
fn missing<'a>(
    compared: &mut Compared,
    truth: &'a Truth,
    tables: &Tables,
    found: &mut Findings<'a>,
    listening: &Listening,
    storm: Span,
) {
    for (name, trade) in &truth.trades {
        let is_followed = tables.standings.get(&name.0).is_some_and(|it| it.tape_from < trade.ts);
        let Some(delivery) = truth.deliveries.get(name).filter(|_| is_followed && trade.ts <= storm.to_ms) else {
            continue;
        };
        let is_missing = found.take_named("missing", name);
        let mark = trade.ts.div_euclid(1_000) * 1_000 + 1_000;
        let confirmed_ms = tables.figures.get(&(name.0.clone(), mark)).and_then(|figure| figure.final_at);
        let until_ms = confirmed_ms.unwrap_or(trade.ts).max(trade.ts) + AT_ONCE_MS;
        if delivery.is_said() {
            let until_ms = until_ms.max(trade.ts + HELD_BACK_MS);
            let is_sure = listening.is_sure(trade.ts, until_ms) && listening.is_spoken(trade.ts, until_ms);
            if is_missing && is_sure {
                compared.differences.push(format!("{name:?} was said ({}) and is found missing", delivery.how));
            }
            compared.lost += usize::from(is_missing);
            continue;
        }
        // What was made before it has been found missing, or nobody listened yet.
        if trade.ts <= storm.from_ms {
            continue;
        }
        compared.missing.done += 1;
        compared.missing.found += usize::from(is_missing);
        if listening.is_sure(trade.ts, until_ms) {
            compared.missing.sure += 1;
            compared.missing.sure_found += usize::from(is_missing);
            if !is_missing {
                compared.differences.push(format!("{name:?} was not said ({}) and is not missing", delivery.how));
            }
        }
    }
}

/// What was found, each to be matched once with what was done.
struct Findings<'a> {
    named: HashMap<(&'a str, &'a Name), Vec<&'a Found>>,
    refused: HashMap<(String, String), usize>,
}

impl<'a> Findings<'a> {
    fn of(tables: &'a Tables) -> Self {
        let mut named: HashMap<(&str, &Name), Vec<&Found>> = HashMap::new();
        for found in &tables.faults {
            named.entry((&found.kind, &found.name)).or_default().push(found);
        }
        let mut refused = HashMap::new();
        for frame in &tables.refused {
            *refused.entry((frame.kind.clone(), without_time(&frame.frame))).or_default() += 1;
        }
        Self { named, refused }
    }

    /// Whether there is a finding of this fault that is not yet accounted for.
    fn take(&mut self, as_kind: &'static str, injected: &'a Injected) -> bool {
        if as_kind != "rejected" {
            return self.take_named(as_kind, &injected.name);
        }
        let (Some(kind), Some(sent)) = (&injected.rejected_as, &injected.sent) else { return false };
        // What is refused by its time alone is kept in words of the worker's own.
        let own_words = serde_json::from_str::<Value>(sent).ok().and_then(|said| in_own_words(&said));
        let kept_as = [Some(sent.replace('\0', "\u{2400}")), own_words];
        kept_as.into_iter().flatten().any(|frame| self.take_refused(kind, frame))
    }

    fn take_named(&mut self, kind: &'static str, name: &'a Name) -> bool {
        self.named.get_mut(&(kind, name)).is_some_and(|found| found.pop().is_some())
    }

    fn take_refused(&mut self, kind: &str, frame: String) -> bool {
        let count = self.refused.get_mut(&(kind.to_owned(), frame));
        let Some(count) = count.filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }

    /// Lateness is a matter of two times, whatever made a trade late.
    fn late_by_themselves(&mut self, compared: &mut Compared) {
        for ((kind, name), found) in &mut self.named {
            if *kind != "late" {
                continue;
            }
            for found in found.drain(..) {
                let late_by = found.received_at.zip(found.truth.as_ref()).map(|(at, truth)| at - truth.ts);
                if late_by.is_some_and(|late_by| late_by > LATE_AFTER_MS) {
                    compared.late_by_standstill += 1;
                } else {
                    compared.differences.push(format!("{name:?} is called late, by {late_by:?} ms"));
                }
            }
        }
    }

    /// What was found and never done.
    fn left_over(&self, until_ms: i64) -> Vec<String> {
        let of_the_run =
            |found: &&&Found| found.truth.as_ref().or(found.heard.as_ref()).is_none_or(|trade| trade.ts <= until_ms);
        let named = self.named.values().flatten().filter(of_the_run);
        let named = named.map(|found| format!("{} of {:?} was found and never done", found.kind, found.name));
        let refused = self.refused.iter().filter(|(_, count)| **count > 0);
        let refused = refused.map(|((kind, frame), count)| {
            format!("{frame:?} was refused as {kind}, {count} times more than it was said")
        });
        named.chain(refused).collect()
    }
}

/// How a frame is kept that was refused by its time: its fields in plain digits.
fn in_own_words(said: &Value) -> Option<String> {
    let plain = |name: &str| Exact::read(&said[name].as_number()?.to_string());
    Some(format!(
        "ticker {} tradeid {} ts ? price {} quantity {}",
        said["ticker"].as_str()?,
        said["tradeid"].as_str()?,
        plain("price")?,
        plain("quantity")?
    ))
}

/// The same without the time, of which only so much is kept that it is too far away.
fn without_time(frame: &str) -> String {
    match (frame.starts_with("ticker "), frame.split_once(" ts "), frame.split_once(" price ")) {
        (true, Some((before, _)), Some((_, after))) => format!("{before} ts ? price {after}"),
        _ => frame.to_owned(),
    }
}

/// Both sides of every fault are as they were: what was said, and what is true.
fn values(truth: &Truth, tables: &Tables) -> Vec<String> {
    let mut said: HashMap<&Name, Vec<Trade>> = HashMap::new();
    for fault in &truth.faults {
        let sent = fault.sent.as_deref().and_then(|sent| serde_json::from_str::<Value>(sent).ok());
        said.entry(&fault.name).or_default().extend(sent.and_then(|sent| Trade::read(&sent)));
    }
    let mut differences = Vec::new();
    for found in &tables.faults {
        let true_trade = truth.trades.get(&found.name);
        if let Some(held) = &found.truth
            && Some(held) != true_trade
        {
            differences.push(format!("{} of {:?} calls {held:?} true", found.kind, found.name));
        }
        let is_said =
            |heard: &Trade| Some(heard) == true_trade || said.get(&found.name).is_some_and(|said| said.contains(heard));
        if let Some(heard) = found.heard.as_ref().filter(|heard| !is_said(heard)) {
            differences.push(format!("{} of {:?} was heard as {heard:?}, which nobody said", found.kind, found.name));
        }
    }
    differences
}

/// What was counted is what is there: counts and rows are of one transaction.
fn counts(tables: &Tables) -> Vec<String> {
    let count = |kind: &str| tables.counts.get(kind).copied().unwrap_or(0);
    let rows = |kind: &str| tables.faults.iter().filter(|found| found.kind == kind).count() as i64;
    let mut differences = Vec::new();
    for kind in ["altered", "missing", "phantom", "duplicate", "late"] {
        if count(kind) != rows(kind) {
            differences.push(format!("{} faults are counted as {kind}, and {} are there", count(kind), rows(kind)));
        }
    }
    let confirmed = tables.trades.values().filter(|(_, is_confirmed)| *is_confirmed).count() as i64;
    let verdicts: i64 = ["matched", "altered", "missing", "unheard"].map(count).iter().sum();
    if verdicts != confirmed {
        differences.push(format!("{confirmed} trades are confirmed and {verdicts} have a verdict"));
    }
    let kinds = tables.counts.keys().filter_map(|kind| kind.strip_prefix("rejected_"));
    for kind in kinds {
        let (counted, kept) =
            (count(&format!("rejected_{kind}")), tables.refused.iter().filter(|it| it.kind == kind).count() as i64);
        if counted != kept && tables.refused.len() < REFUSED_KEPT {
            differences.push(format!("{counted} frames are counted as {kind}, and {kept} are there"));
        }
    }
    differences
}
