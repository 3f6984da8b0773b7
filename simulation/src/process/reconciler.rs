//! Asks REST for one ticker, as the worker's reconciler does.

use std::sync::Arc;

use tape::{Ticker, Watermark};
use tokio::sync::oneshot;
use worker::engine::Asked;

use super::inbox::Inbox;
use super::life::Process;

const FIRST_RETRY_MS: i64 = 250;
const LAST_RETRY_MS: i64 = 5_000;

/// Asks for as long as the session lives.
pub async fn reconcile(process: Arc<Process>, inbox: Arc<Inbox>, ticker: Ticker, mut watermark: Watermark) {
    let time = &process.server.time;
    let poll_every_ms = i64::try_from(process.scenario.config.poll_every.as_millis()).unwrap_or(1_000);
    let mut retry_ms = FIRST_RETRY_MS;
    loop {
        let mood = process.rest_mood();
        time.sleep(mood.asking_ms).await;
        let pause_ms = if mood.fails {
            retry_ms = (retry_ms * 2).min(LAST_RETRY_MS);
            retry_ms
        } else {
            let answer = process.rest.page(&ticker, &watermark, time.now());
            time.sleep(mood.answering_ms).await;
            let (reply, settled) = oneshot::channel();
            inbox.answer(Asked { ticker: ticker.clone(), watermark: watermark.clone(), answer, reply });
            // Without a reply the session is over.
            let Ok(settled) = settled.await else { return };
            retry_ms = FIRST_RETRY_MS;
            watermark = settled.watermark;
            if settled.has_more { 0 } else { poll_every_ms }
        };
        time.sleep(pause_ms).await;
    }
}
