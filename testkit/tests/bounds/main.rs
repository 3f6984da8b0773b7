//! Whether the bounds of provisional figures hold, at the share stated, when
//! the faults of the feed change to kinds and rates that the evidence has never
//! seen. Markets are played in simulated time, the real recorded ones as well
//! where they are at hand; the table it prints stands in docs/bounds.md.

mod feed;
mod trial;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Mutex;

use feed::{Outage, Play, play};
use tape::{EpochMs, Ticker};
use trial::{Method, Tally, Trial};
use venue::generator::Generator;
use venue::profile::Profile;
use venue::source::{Replay, Source};
use venue::tape_file::TapeFile;
use venue::{FaultKind, FaultRates, Speed};

const HOUR_MS: i64 = 3_600_000;
const FROM: EpochMs = EpochMs::new(1_700_000_000_000);

/// A calm feed: now and then a trade is dropped.
fn calm() -> FaultRates {
    FaultRates::only(FaultKind::Drop, 0.01)
}

/// A feed gone mad, in ways that calm evidence knows nothing of.
fn mad() -> FaultRates {
    FaultRates::only(FaultKind::AlterPrice, 0.10).with(FaultKind::Phantom, 0.05).with(FaultKind::Delay, 0.02)
}

/// A generated market of one ticker, at about so many trades a minute.
fn generated(name: &str, per_minute: f64, seed: u64, hours: i64) -> Play {
    let ticker = Ticker::new(name).expect("a ticker");
    let quiet = if name == "XMR" { vec![ticker.clone()] } else { Vec::new() };
    let profiles = Profile::of_market(std::slice::from_ref(&ticker), &quiet, per_minute / 60.0);
    let source = Source::Generated(Generator::new(seed, profiles, FROM));
    let until = FROM.plus_ms(hours * HOUR_MS);
    playing(ticker, source, seed, FROM, until)
}

/// A recorded tape, its first day at most; none where it is not at hand.
fn recorded(name: &str) -> Option<Play> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes").join(format!("{name}.csv.gz"));
    if !path.exists() {
        println!("SKIPPED: there is no recorded tape at {}", path.display());
        return None;
    }
    let tape = TapeFile::read(&path).expect("a tape");
    let ticker = tape.tickers().remove(0);
    let from = tape.first_at();
    let until = tape.last_at().min(from.plus_ms(24 * HOUR_MS));
    let source = Source::Replay(Replay::new(tape.trades, from, Speed::Times(NonZeroU32::MIN)));
    Some(playing(ticker, source, 5, from, until))
}

fn playing(ticker: Ticker, source: Source, seed: u64, from: EpochMs, until: EpochMs) -> Play {
    let change = (from.plus_ms(until.ms_since(from) / 2), mad());
    Play { ticker, source, seed, from, until, faults: calm(), change, outages: Vec::new(), seconds: 300 }
}

/// From the change on, REST is away for a minute of every ten as well.
fn with_outages(mut play: Play) -> Play {
    let mut from = play.change.0;
    while from < play.until {
        play.outages.push(Outage { from, to: from.plus_ms(60_000) });
        from = from.plus_ms(600_000);
    }
    play
}

/// A name and how to get what is played under it.
type Entry = (&'static str, fn() -> Option<Play>);

const PLAYS: [Entry; 11] = [
    ("generated BTC, 120/min", || Some(generated("BTC", 120.0, 1, 12))),
    ("generated BTC, another seed", || Some(generated("BTC", 120.0, 6, 12))),
    ("generated BTC, REST outages", || Some(with_outages(generated("BTC", 120.0, 7, 12)))),
    ("generated ETH, 600/min", || Some(generated("ETH", 600.0, 4, 6))),
    ("generated SOL, 12/min", || Some(generated("SOL", 12.0, 2, 24))),
    ("generated XMR, mostly silent", || Some(generated("XMR", 1.0, 3, 24))),
    ("bitFlyer BTC/JPY 2018", || recorded("bitflyer-btc_jpy-20180121-20180124")),
    ("US equity SPY 2013", || recorded("us-equity-spy-20131008")),
    ("Binance XRP/ETH 2019", || recorded("binance-spot-xrpeth-agg-20191011")),
    ("Binance TRX/USDT 2025, 48 min", || recorded("binance-spot-trxusdt-20250304")),
    ("Binance BTC/USDT 2024, 11 min", || recorded("binance-spot-btcusdt-20240808")),
];

/// Plays everything, a market per free core.
fn trials() -> Vec<(&'static str, Trial, Trial)> {
    let next = Mutex::new(0..PLAYS.len());
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some(index) = next.lock().expect("no panic").next() {
            let (name, prepare) = PLAYS[index];
            let Some(prepared) = prepare() else { continue };
            let change = prepared.change.0;
            let events = play(prepared);
            let trials = [Method::Ours, Method::Naive].map(|method| Trial::of(&events, change, method));
            done.lock().expect("no panic").push((index, name, trials));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().expect("no panic");
    done.sort_by_key(|trial| trial.0);
    done.into_iter().map(|(_, name, [ours, naive])| (name, ours, naive)).collect()
}

fn row(name: &str, faults: &str, ours: &Tally, naive: &Tally) {
    let limit = ours.said().saturating_sub(ours.may_break());
    println!(
        "| {name} | {faults} | {} | {} | {} | {} | {} | {} | {} | {} |",
        ours.said(),
        ours.share_of_said(ours.kept),
        ours.share_of_said(limit),
        ours.median_bps(),
        naive.share_of_said(naive.kept),
        naive.median_bps(),
        ours.median_tail_ms(),
        ours.percent_unsaid(),
    );
}

#[test]
fn the_stated_share_of_bounds_holds_also_after_the_faults_change_to_ones_never_seen() {
    let trials = trials();
    println!(
        "| tape | faults | bounds said | kept (0.99 stated) | at least | median bps | plain quantile: kept | median bps | median tail ms | % without a number |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (name, ours, naive) in &trials {
        row(name, "calm", &ours.before, &naive.before);
        row(name, "changed", &ours.after, &naive.after);
    }
    let bytes = trials.iter().map(|(_, ours, _)| ours.bytes).max().unwrap_or(0);
    println!("the evidence of one ticker took at most {bytes} bytes");

    for (name, ours, _) in &trials {
        for (stretch, tally) in [("the whole", ours.whole()), ("the changed part", ours.after.clone())] {
            let (broken, may_break) = (tally.broken, tally.may_break());
            assert!(broken <= may_break, "{name}: of {stretch} {broken} bounds broke, {may_break} may");
        }
    }
    // What it is worth: the plain quantile breaks its word several times as often.
    let naive_breaks: u64 = trials.iter().map(|(_, _, naive)| naive.after.broken).sum();
    let ours_breaks: u64 = trials.iter().map(|(_, ours, _)| ours.after.broken).sum();
    assert!(ours_breaks * 2 < naive_breaks, "{ours_breaks} broken, {naive_breaks} by the plain quantile");
    let said: u64 = trials.iter().map(|(_, ours, _)| ours.after.said()).sum();
    assert!(said > 100_000, "only {said} bounds were put to the test");
}
