//! What one call of the engine leaves in the tables.

use std::collections::VecDeque;
use std::sync::Arc;

use market::{Answer, Said};
use simulation::memory::disk::TradeRow;
use simulation::memory::{Server, SimTables, Trouble};
use simulation::scenario::BEGINS_AT;
use simulation::time::Time;
use tape::{EpochMs, Finding, Mark, Page, Ticker, Trade, TradeId, Watermark};
use testkit::{at, heard, price, trade};
use tokio::sync::{mpsc, oneshot};
use worker::Config;
use worker::clock::Clock;
use worker::config::MarketClock;
use worker::engine::{Asked, Audited, Engine, Follow};
use worker::metrics::Metrics;

struct Scene {
    server: Arc<Server>,
    engine: Engine<SimTables>,
    followed: mpsc::UnboundedReceiver<Follow>,
}

/// A term at the beginning of a second, with these tickers.
async fn scene(tickers: &str) -> Scene {
    scene_from("-5m", tickers).await
}

async fn scene_from(from: &str, tickers: &str) -> Scene {
    let server = Server::new(Time::starting_at(BEGINS_AT), 0, Trouble::default());
    let tables = SimTables::lead(&server, 0).await.expect("no trouble").expect("nobody leads");
    let vars = [("MAX_TICKERS", "10000"), ("TICKERS", tickers), ("BACKFILL_FROM", from)];
    let config = Config::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).expect("settings");
    let clock = Clock::reading(MarketClock::Wall, || at(BEGINS_AT));
    let (follow, followed) = mpsc::unbounded_channel();
    let engine = Engine::start(tables, &config, clock, Arc::new(Metrics::default()), follow).await.expect("a term");
    Scene { server, engine, followed }
}

#[tokio::test]
async fn every_one_of_thousands_of_tickers_has_its_figure_at_every_mark_that_was_missed() {
    let names: Vec<String> = (0..2_345).map(|number| format!("T{number:04}")).collect();
    let Scene { server, mut engine, .. } = scene(&names.join(",")).await;
    let said = |name: &String| Said::Trade(heard(trade(name, "t", BEGINS_AT + 1, "7", "1"), BEGINS_AT + 2));
    engine.hear(names.iter().map(said).collect()).await.expect("heard");

    engine.mark(at(BEGINS_AT + 3_000)).await.expect("marked");

    let state = server.state();
    let disk = &state.disk;
    let marks = [1_000, 2_000, 3_000].map(|after| Mark::at_or_before(at(BEGINS_AT + after)));
    for name in &names {
        let ticker = Ticker::new(name).expect("a ticker");
        let own = disk.figures.iter().filter(|((of, ..), _)| *of == ticker);
        let said: Vec<(Mark, u64)> = own.map(|((_, _, mark), row)| (*mark, row.sums.trades)).collect();
        assert_eq!(said, marks.map(|mark| (mark, 1)), "{name}");
        let newest: Vec<Mark> =
            disk.latest.iter().filter(|((of, _), _)| *of == ticker).map(|(_, row)| row.mark).collect();
        assert_eq!(newest, marks[2..], "{name}");
    }
}

#[tokio::test]
async fn the_present_is_followed_once_something_confirmed_is_in_the_newest_window_of_a_ticker() {
    assert!(!scene_from("-1h", "BTC,ETH").await.engine.follows_the_present());
    assert!(scene_from("-4m", "BTC,ETH").await.engine.follows_the_present());
}

/// A long page of a trade every second.
fn page() -> Vec<Trade> {
    (0..200).map(|n| trade("BTC", &format!("{n:03}"), BEGINS_AT - 250_000 + 1_000 * n, "7", "1")).collect()
}

/// A term in which this page was settled, told after these were heard.
async fn settled(page: &[Trade], said: Vec<Said>) -> Scene {
    let mut scene = scene("BTC").await;
    scene.engine.hear(said).await.expect("heard");
    let Follow { ticker, watermark } = scene.followed.try_recv().expect("it is followed");
    let latest_row_at = page.last().map(|trade| trade.traded_at);
    let page = Page { trades: page.to_vec(), latest_row_at, ..Page::empty_at(at(BEGINS_AT)) };
    let answer = Answer { page: page.clone(), rejected: Vec::new(), rows_before: 0, gaps: Vec::new() };
    let (reply, settled) = oneshot::channel();
    scene.engine.settle(vec![Asked { ticker, watermark, answer, reply }]).await.expect("settled");
    let reached = settled.await.expect("an answer").watermark;
    let last = page.trades.last().expect("trades");
    assert_eq!(reached, Watermark::Within { at: last.traded_at, last: last.id.clone() });
    scene
}

/// What the tables hold of trades: id, time, whether confirmed, whether heard.
fn rows(scene: &Scene) -> Vec<(String, EpochMs, bool, bool)> {
    let state = scene.server.state();
    let row = |((_, id), row): (&(Ticker, TradeId), &TradeRow)| {
        (id.to_string(), row.at, row.is_validated, row.received_at.is_some())
    };
    state.disk.trades.iter().map(row).collect()
}

#[tokio::test]
async fn a_page_that_nobody_heard_is_confirmed_and_so_is_one_of_which_something_else_was_heard() {
    let page = page();
    let expected = |heard: Option<&str>| -> Vec<(String, EpochMs, bool, bool)> {
        let row = |trade: &Trade| (trade.id.to_string(), trade.traded_at, true, heard == Some(trade.id.as_str()));
        page.iter().map(row).collect()
    };
    assert_eq!(rows(&settled(&page, Vec::new()).await), expected(None));

    // It claims a time that the page does not reach: nothing was heard of the page's own times.
    let elsewhere = heard(trade("BTC", "117", BEGINS_AT + 500, "8", "1"), BEGINS_AT + 2);
    assert_eq!(rows(&settled(&page, vec![Said::Trade(elsewhere)]).await), expected(Some("117")));

    let within = heard(page[117].clone(), BEGINS_AT + 2);
    assert_eq!(rows(&settled(&page, vec![Said::Trade(within)]).await), expected(Some("117")));
}

#[tokio::test]
async fn what_was_judged_as_if_all_were_new_leaves_nothing_in_the_figures_where_it_was_not() {
    let page = page();
    let elsewhere = heard(trade("BTC", "117", BEGINS_AT + 500, "8", "1"), BEGINS_AT + 2);
    for said in [Vec::new(), vec![Said::Trade(elsewhere)]] {
        let scene = settled(&page, said).await;
        let figures = scene.server.state().disk.figures.clone();
        let finals = figures.into_iter().filter(|(_, row)| row.final_at.is_some());
        let counted: Vec<(Mark, u64)> = finals.map(|((.., mark), row)| (mark, row.sums.trades)).collect();

        let marks = page[..199].iter().map(|trade| Mark::at_or_after(trade.traded_at));
        let expected: Vec<(Mark, u64)> = marks.zip(1..).collect();
        assert_eq!(counted[counted.len() - 199..], expected);
        assert!(counted[..counted.len() - 199].iter().all(|(_, trades)| *trades == 0));
    }
}

#[tokio::test]
async fn of_many_changes_of_mind_no_more_are_followed_at_once_than_one_transaction_bears() {
    let page = page();
    let mut scene = settled(&page, Vec::new()).await;
    let changed = |was: &Trade| Finding::Altered {
        was: was.clone(),
        now: trade("BTC", was.id.as_str(), was.traded_at.ms(), "8", "1"),
    };
    let findings: Vec<Finding> = page[50..70].iter().map(changed).collect();
    let (reply, mut dealt_with) = oneshot::channel();
    let mut waiting = VecDeque::from([Audited { ticker: page[0].ticker.clone(), agreed: Vec::new(), findings, reply }]);
    let corrected =
        |scene: &Scene| scene.server.state().disk.trades.values().filter(|row| row.price == price("8")).count();

    // Each touches a window of 300 marks, before and after: 5,000 marks are 8 of them.
    for so_far in [8, 16] {
        scene.engine.audit(&mut waiting).await.expect("followed");
        assert_eq!(corrected(&scene), so_far);
        assert!(dealt_with.try_recv().is_err(), "{so_far} of 20");
    }
    scene.engine.audit(&mut waiting).await.expect("followed");

    assert_eq!(corrected(&scene), 20);
    assert!(waiting.is_empty());
    dealt_with.try_recv().expect("all are followed");
}

#[tokio::test]
async fn marks_of_half_an_hour_become_final_in_one_chain_whether_or_not_something_was_said_of_some() {
    let mut chained = Vec::new();
    for is_said in [false, true] {
        let Scene { server, mut engine, mut followed } = scene_from("-30m", "BTC").await;
        if is_said {
            engine.mark(at(BEGINS_AT + 3_000)).await.expect("marked");
        }
        let Follow { ticker, watermark } = followed.try_recv().expect("it is followed");
        let trades =
            vec![trade("BTC", "a", BEGINS_AT - 1_700_000, "7", "1"), trade("BTC", "b", BEGINS_AT + 58_500, "8", "1")];
        let latest_row_at = Some(at(BEGINS_AT + 58_500));
        let page = Page { trades, latest_row_at, ..Page::empty_at(at(BEGINS_AT + 60_000)) };
        let answer = Answer { page, rejected: Vec::new(), rows_before: 0, gaps: Vec::new() };
        let (reply, settled) = oneshot::channel();
        engine.settle(vec![Asked { ticker, watermark, answer, reply }]).await.expect("settled");
        let until = settled.await.expect("an answer").watermark.settled_until();

        // Not held on to: a test that fails unwinds through it.
        let rows = server.state().disk.figures.clone();
        let figures: Vec<(Mark, u64)> = rows.iter().map(|((.., mark), row)| (*mark, row.sums.trades)).collect();
        let marks =
            std::iter::successors(Some(Mark::at_or_before(at(BEGINS_AT - 1_800_000)).next()), |mark| Some(mark.next()));
        let in_window =
            |mark: Mark, traded_at: i64| u64::from((traded_at..traded_at + 300_000).contains(&mark.at().ms()));
        let trades_at = |mark| in_window(mark, BEGINS_AT - 1_700_000) + in_window(mark, BEGINS_AT + 58_500);
        let expected: Vec<(Mark, u64)> =
            marks.take_while(|mark| mark.at() <= until).map(|mark| (mark, trades_at(mark))).collect();
        assert_eq!(figures, expected);
        assert!(1_800 < figures.len() && rows.values().all(|row| row.final_at.is_some()));
        assert_eq!(rows.values().filter(|row| row.provisional.is_some()).count(), if is_said { 3 } else { 0 });
        let links: Vec<_> = rows.values().map(|row| row.chained.expect("a place").head).collect();
        let heads: Vec<_> = server.state().disk.chain_heads.values().copied().collect();
        assert_eq!(heads, links[links.len() - 1..]);
        chained.push(links);
    }
    assert_eq!(chained[0], chained[1]);
}
