//! From a frame to a trade, for every format there is an adapter for, beside
//! merely parsing the same bytes.

mod frames;
mod parsers;

use std::hint::black_box;

use anyhow::ensure;
use market::{Conversation, Market, Said, Symbols};
use tape::{EpochMs, Heard};

use self::frames::{Framed, Frames};
use self::parsers::PARSERS;
use crate::Bench;
use crate::processor;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Frames kept of each format; a processor remembers the way through a few dozen.
const FRAMES: usize = 4_096;

/// Frames a second, on one core.
const FRAMES_A_SECOND: f64 = 1e6;

/// Of what the fastest parser does.
const SHARE: f64 = 0.6;

/// Measures decoding.
///
/// # Errors
/// When a trade is not what its frame says.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for market in Market::all() {
        for trades_a_frame in frames::trades_a_frame(market) {
            rows.extend(compared(bench, &Frames::new(market, FRAMES, *trades_a_frame)?)?);
        }
    }
    Ok(rows)
}

/// Holds what is understood of every frame against what was put into it.
fn check(frames: &Frames) -> anyhow::Result<()> {
    let mut hearing = Hearing::begin(frames);
    for Framed { text, made } in &frames.framed {
        let mut understood = Vec::new();
        hearing.hear(text, |said| understood.push(said));
        ensure!(understood.len() == made.len(), "{} trades were read of {text}", understood.len());
        for (said, made) in understood.iter().zip(made) {
            frames.hold(said, made, text)?;
        }
    }
    Ok(())
}

/// A connection to a market, behind what it says of the past.
struct Hearing {
    market: Market,
    conversation: Conversation,
}

impl Hearing {
    fn begin(frames: &Frames) -> Self {
        let market = frames.market;
        let symbols = Symbols::of(&frames.tickers, |ticker| market.adapter().symbol(ticker));
        let mut hearing = Self { market, conversation: Conversation::about(symbols) };
        // Where the first word about each ticker is of the past, the next is news.
        frames.framed.iter().for_each(|framed| hearing.hear(&framed.text, |_| ()));
        hearing
    }

    /// Makes of a frame what a socket hands on.
    fn hear(&mut self, text: &str, mut say: impl FnMut(Said)) {
        self.market.adapter().decode(text, &mut self.conversation, &mut |decoded| {
            if let Ok(trade) = decoded {
                say(Said::Trade(Heard { trade, received_at: EpochMs::new(0), suspicion: None }));
            }
        });
    }
}

fn compared(bench: &Bench, frames: &Frames) -> anyhow::Result<Vec<Row>> {
    check(frames)?;
    let passes = (if bench.quick { 4 } else { 400 } / frames.trades_a_frame).max(1);
    let mut hearing = Hearing::begin(frames);
    let ours = || {
        timed(passes, frames, |text| {
            hearing.hear(text, |said| {
                black_box(said);
            });
            Ok(())
        })
    };
    let mut contestants = vec![Contestant::new(format!("{}, ours", frames.market), ours)];
    for parser in PARSERS {
        contestants.push(Contestant::new(parser.name, || timed(passes, frames, (parser.make)())));
    }
    let samples = alternate(bench.runs, &mut contestants)?;
    let rates: Vec<f64> = samples
        .iter()
        .map(|seconds| (passes * frames.framed.len()) as f64 / median(seconds, |seconds| *seconds))
        .collect();

    let Frames { market, trades_a_frame, .. } = frames;
    let bytes = frames.framed.iter().map(|framed| framed.text.len()).sum::<usize>() / frames.framed.len();
    let many = if *trades_a_frame == 1 { "a trade".to_owned() } else { format!("{trades_a_frame} trades") };
    let work = format!("{market}, {many} a frame, {bytes} bytes");
    let shown = |rate: f64| format!("{:.2} M frames/s", rate / 1e6);
    let theirs: Vec<(&str, f64)> = PARSERS.iter().map(|parser| parser.name).zip(rates[1..].iter().copied()).collect();
    let (fastest, most) = theirs.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(("nobody", 0.0));
    let ours = match trades_a_frame {
        1 => shown(rates[0]),
        many => format!("{}, {:.2} M trades/s", shown(rates[0]), rates[0] * *many as f64 / 1e6),
    };
    let mut rows =
        vec![Row::compared(&work, ours.clone(), format!("{fastest}: {}", shown(most)), rates[0] / most, SHARE)];
    if *trades_a_frame == 1 {
        rows.insert(0, Row::absolute(&work, ours, "≥ 1 M frames/s", rates[0] >= FRAMES_A_SECOND));
    }
    let others: Vec<String> = theirs
        .iter()
        .filter(|(name, _)| *name != fastest)
        .map(|(name, rate)| format!("{name}: {}", shown(*rate)))
        .collect();
    rows.push(Row::told(&format!("{work}: the others"), "-".to_owned(), others.join("; ")));
    Ok(rows)
}

/// What so many passes over all frames take of a processor, in seconds.
fn timed(passes: usize, frames: &Frames, mut take: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = processor::own_seconds()?;
    for _ in 0..passes {
        for framed in &frames.framed {
            take(black_box(&framed.text))?;
        }
    }
    Ok(processor::own_seconds()? - began)
}
