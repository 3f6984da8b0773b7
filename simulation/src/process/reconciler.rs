//! Asks REST for one ticker, as the worker's reconciler does.

use std::sync::Arc;

use tape::{Ticker, Watermark};
use worker::ahead::Ahead;
use worker::engine::Settings;

use super::inbox::Inbox;
use super::life::Process;

const FIRST_RETRY_MS: i64 = 250;
const LAST_RETRY_MS: i64 = 5_000;

/// Asks for as long as the session lives.
pub async fn reconcile(process: Arc<Process>, inbox: Arc<Inbox>, ticker: Ticker, watermark: Watermark) {
    let time = &process.server.time;
    let poll_every_ms = i64::try_from(process.scenario.config.poll_every.as_millis()).unwrap_or(1_000);
    let patience = Settings::new(&process.scenario.config).patience();
    let mut ahead = Ahead::of(watermark);
    let mut retry_ms = FIRST_RETRY_MS;
    loop {
        let mood = process.rest_mood();
        time.sleep(mood.asking_ms).await;
        let pause_ms = if mood.fails {
            retry_ms = (retry_ms * 2).min(LAST_RETRY_MS);
            retry_ms
        } else {
            let answer = process.rest.page(&ticker, ahead.position(), time.now(), mood.refused_rows);
            time.sleep(mood.answering_ms).await;
            retry_ms = FIRST_RETRY_MS;
            ahead.take_in(answer, patience);
            if ahead.leads_on() && mood.reads_on {
                continue;
            }
            let Some((asked, settled)) = ahead.hand_over(&ticker) else { continue };
            inbox.answer(asked);
            // Without a reply the session is over.
            let Ok(settled) = settled.await else { return };
            ahead.continue_at(settled.watermark);
            if settled.has_more { 0 } else { poll_every_ms }
        };
        time.sleep(pause_ms).await;
    }
}
