//! One receipt: every field, the digest, its seconds, and its link.

use anyhow::ensure;
use tape::digest::canonical_order;
use tape::{Entry, Evidence, Gathering, Head, Interval, Mark, Trade};

use super::Verdict;
use super::claim::{Claim, Place, none, trade_line};
use super::rest_trades::{Effort, RestTrades};
use super::source::Source;

/// The most trades held at once.
const TRADES_LIMIT: usize = 2_000_000;

/// Differing seconds listed.
const SECONDS_LISTED: usize = 20;

/// The longest window a receipt tells the seconds of.
const SECONDS_LIMIT_MS: i64 = 3_600_000;

/// Recomputes a receipt.
pub(super) async fn verify(rest: &RestTrades, source: &Source, claim: &Claim) -> anyhow::Result<Verdict> {
    let (evidence, effort) = evidence(rest, claim).await?;
    let mut differences = differences(claim, &evidence);
    let name = format!("{} of {} at {}", claim.chain.ticker, claim.chain.exchange, claim.closes_at);
    if differences.is_empty() {
        let Effort { pages, trades, .. } = effort;
        let linked = if claim.place.is_some() { ", and its link follows from the one before" } else { "" };
        let since = said_of_the_beginning(claim);
        let line = format!(
            "agrees: {name}: {trades} trades on {pages} pages of the exchange are those of the receipt{since}{linked}"
        );
        return Ok(Verdict::agrees(line));
    }
    differences.extend(seconds(source, claim, &evidence).await);
    differences.insert(0, format!("differs: {name}"));
    if effort.refused > 0 {
        differences.push(format!("  the exchange told {} rows that are no trades; they count nowhere", effort.refused));
    }
    Ok(Verdict::differs(differences))
}

async fn evidence(rest: &RestTrades, claim: &Claim) -> anyhow::Result<(Evidence, Effort)> {
    let mut held: Vec<Trade> = Vec::new();
    let (after, until) = (claim.counted_after, claim.closes_at);
    let effort = rest
        .read(&claim.chain.ticker, after, until, |trades, _| {
            held.extend(trades);
            ensure!(held.len() <= TRADES_LIMIT, "the window holds more than {TRADES_LIMIT} trades");
            Ok(())
        })
        .await?;
    held.sort_by(canonical_order);
    let mut gathering = Gathering::default();
    held.into_iter().for_each(|trade| gathering.add(trade));
    Ok((gathering.finish(), effort))
}

/// What is claimed otherwise than the exchange has it, field by field.
fn differences(claim: &Claim, evidence: &Evidence) -> Vec<String> {
    let Evidence { sums, digest, first, last, .. } = evidence;
    let found = [
        sums.trades.to_string(),
        sums.volume.to_string(),
        sums.notional.to_string(),
        sums.vwap().map_or_else(none, |price| price.to_string()),
        first.as_ref().map_or_else(none, trade_line),
        last.as_ref().map_or_else(none, trade_line),
        digest.to_string(),
    ];
    let mut differences = Vec::new();
    for (claimed, found) in claim.fields.iter().zip(found) {
        if claimed.value != found {
            differences.push(difference(claimed.name, &claimed.value, &found));
        }
    }
    if let Some(place) = &claim.place {
        differences.extend(chain_differences(claim, place, evidence));
    }
    differences
}

fn chain_differences(claim: &Claim, place: &Place, evidence: &Evidence) -> Vec<String> {
    let mut differences = Vec::new();
    let (Ok(mark), Some(revision)) = (claim.mark(), claim.revision) else {
        return vec![format!("  chain: {} is no mark that can have a place in it", claim.closes_at)];
    };
    let second_digest = evidence.second_digest(mark);
    if second_digest != place.second_digest {
        differences.push(difference("second_digest", &place.second_digest.to_string(), &second_digest.to_string()));
    }
    let Some(previous) = place.previous_link else {
        return differences;
    };
    let genesis = claim.chain.genesis();
    if place.entry == 1 && previous != genesis.link {
        differences.push(difference("previous_link", &previous.to_string(), &genesis.link.to_string()));
    }
    let before = Head { entry: place.entry - 1, link: previous };
    let entry = Entry { mark, revision, sums: evidence.sums, second_digest };
    let link = claim.chain.append(&before, &entry).link;
    if link != place.link {
        differences.push(difference("link", &place.link.to_string(), &link.to_string()));
    }
    differences
}

fn difference(name: &str, claimed: &str, found: &str) -> String {
    format!("  {name}: the receipt says {claimed}, the exchange {found}")
}

/// The seconds that differ: of the receipt, or of one asked for again with its seconds.
async fn seconds(source: &Source, claim: &Claim, evidence: &Evidence) -> Vec<String> {
    let claimed = match (&claim.seconds, &claim.url) {
        (Some(seconds), _) => seconds.clone(),
        (None, Some(url)) if claim.chain.interval <= Interval::from_ms(SECONDS_LIMIT_MS).unwrap_or(Interval::MAX) => {
            match source.claim_beside(url, &[("detail", "seconds")]).await {
                Ok(Claim { seconds: Some(seconds), .. }) => seconds,
                Ok(_) => return vec!["  its seconds are not told".to_owned()],
                Err(error) => return vec![format!("  its seconds could not be asked for: {error:#}")],
            }
        }
        _ => return vec!["  ask for the receipt with &detail=seconds to see in which seconds".to_owned()],
    };
    let mut marks: Vec<Mark> = claimed.iter().map(|second| second.0).collect();
    marks.extend(evidence.seconds.iter().map(|second| second.mark));
    marks.sort_unstable();
    marks.dedup();
    let mut lines = Vec::new();
    let mut differing = 0;
    for mark in marks {
        let theirs = claimed.iter().find(|second| second.0 == mark).map(|second| (second.1, second.2));
        let ours = evidence.seconds.iter().find(|second| second.mark == mark);
        let ours = ours.map(|second| (second.trades, second.digest));
        if theirs == ours {
            continue;
        }
        differing += 1;
        if differing <= SECONDS_LISTED {
            let (theirs, ours) = (theirs.map_or(0, |it| it.0), ours.map_or(0, |it| it.0));
            let so = if theirs == ours {
                format!("{ours} trades, not the same")
            } else {
                format!("{theirs} trades in the receipt, {ours} at the exchange")
            };
            lines.push(format!("  the second that ends at {mark}: {so}"));
        }
    }
    if differing > SECONDS_LISTED {
        lines.push(format!("  and {} seconds more", differing - SECONDS_LISTED));
    }
    if differing == 0 {
        lines.push("  the trades of every second are the same: the sums or the chain were not made of them".to_owned());
    }
    lines
}

/// Not silently: a receipt may say that it counts less than its window.
fn said_of_the_beginning(claim: &Claim) -> String {
    if claim.counted_after == claim.opens_after() {
        return String::new();
    }
    format!(" (counted after {} only, since its tape begins there)", claim.counted_after)
}
