//! `GET /`: what there is to ask, and how the venue is doing, for people.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::control::rates_json;
use super::text;
use crate::clock;
use crate::shared::Shared;

const TITLE: &str = "A practice market: its socket lies on purpose, its REST channel tells the truth.";

const GENERIC_CHANNELS: &str = "\
the two channels
  WS   /stream                             every trade as it happens, with faults
  GET  /trades?ticker=&startTime=&afterId= the true trades, ascending, a page at a time
";

const HELP: &str = "\
the truth (spans are from < ts <= to, all of time unless given; ticker may be left out)
  GET  /truth/tickers                      tickers, their trades and span
  GET  /truth/trades?ticker=&from=&to=     CSV of the true trades
  GET  /truth/deliveries?ticker=&from=&to= CSV of what became of each on the socket
  GET  /truth/faults?ticker=&from=&to=     every fault done, a JSON object a line
  GET  /truth/summary?ticker=&from=&to=    what was done, and what must be found of it
  GET  /truth/asked                        requests by path, what they cost of each limit, refusals, and
                                           how many came although the refusals said not to (impatient)
  GET  /truth/window?ticker=&ts=&interval= exact count, volume, notional and VWAP of (ts - interval, ts]

commands (JSON bodies)
  POST /control/rest     {\"mode\":\"ok|fail|html|rate_limit|hang|slow\",\"for_ms\":30000}
  POST /control/limit    {\"used_up_ms\":3000} or {\"banned_ms\":3000}: in a dialect: refuses for so long
  POST /control/faults   {\"all\":0} or {\"drop\":0.1,\"alter_price\":0.05}
  POST /control/silence  {\"for_ms\":3000}
  POST /control/cut
  POST /control/leave    {\"in_ms\":5000} announces the end of every connection, and ends it then
  POST /control/revise   {\"ticker\":\"BTC\",\"tradeid\":\"7\",\"price\":\"27000.5\"} changes price, quantity or ts
                         of a true trade; with \"withdraw\":true it never was; with
                         \"insert\":true (and ts, price, quantity) it was all along.
                         REST and /truth say so from then on; the socket does not.
";

/// `GET /`: the list of everything, and the state.
pub async fn help(State(shared): State<Arc<Shared>>) -> Response {
    let channels = if shared.dialect.is_generic() {
        GENERIC_CHANNELS.to_owned()
    } else {
        format!("the two channels, as {} has them\n{}", shared.dialect.name(), shared.dialect.paths())
    };
    let now = clock::now();
    let (state, rates) = {
        let mut market = shared.market();
        market.advance(now);
        (market.state(now), market.faults())
    };
    let (mode, counts) = {
        let rest = shared.rest();
        (rest.mode(now.ms()).as_str(), rest.counts())
    };
    let state = serde_json::json!({
        "market": state,
        "rest": { "mode": mode, "requests": counts },
        "fault_rates": rates_json(&rates),
    });
    text("text/plain; charset=utf-8", format!("{TITLE}\n\n{channels}\n{HELP}\nstate\n{state:#}\n"))
}
