//! The adapters of real exchanges against recorded messages, spoiled messages and
//! simulated exchanges in memory.

mod by_id;
mod by_overlap;
mod limits;
mod malformed;
mod questions;
mod samples;
mod simulated;
mod troubles;

use market::{Conversation, Decoded, Market, Notice, Symbols};
use tape::Ticker;

fn market(name: &str) -> Market {
    name.parse().expect("a known market")
}

fn ticker(name: &str) -> Ticker {
    Ticker::new(name).expect("a ticker")
}

/// A conversation about these tickers, in which each has spoken before.
fn conversation(market: Market, tickers: &[&str]) -> Conversation {
    let tickers: Vec<Ticker> = tickers.iter().map(|name| ticker(name)).collect();
    let symbols = Symbols::of(&tickers, |ticker| market.adapter().symbol(ticker));
    let greeted = symbols.iter().map(str::to_owned).collect();
    Conversation { greeted, ..Conversation::about(symbols) }
}

/// What a frame gives.
fn decode(market: Market, conversation: &mut Conversation, frame: &str) -> (Vec<Decoded>, Notice) {
    let mut decoded = Vec::new();
    let notice = market.adapter().decode(frame, conversation, &mut |one| decoded.push(one));
    (decoded, notice)
}
