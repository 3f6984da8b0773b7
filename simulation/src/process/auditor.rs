//! Reads settled trades again, at the pace and with the decisions of the
//! worker's auditor. Only its dice are loaded: most readings that chance would
//! place anywhere begin where a change has not been found yet, so that a run
//! need not last for hours.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use market::Answer;
use store::TickerState;
use tape::audit::agreed_on;
use tape::{EpochMs, Finding, Patience, Ticker, Watermark};
use tokio::sync::oneshot;
use worker::auditor::{
    CONFIRM_AFTER, Control, Course, Dice, FIRST_RETRY, LAST_RETRY, LOOK_UP_EVERY, Pace, Reading, Target,
};
use worker::engine::{Audited, Settings};

use super::inbox::Inbox;
use super::life::Process;
use crate::memory::Reader;

/// Audits for as long as the session lives.
pub async fn audit(process: Arc<Process>, inbox: Arc<Inbox>) {
    let config = &process.scenario.config;
    let pace = Pace::of_share(config.audit_share, config.rest_rate, NonZeroU32::MIN, config.audit_every);
    let Some(pace) = pace else { return };
    let mut auditor = Auditor {
        reader: Reader::new(&process.server),
        patience: Settings::new(config).patience(),
        course: Course::new(config.interval.ms()),
        tickers: Vec::new(),
        look_up_at: 0,
        process: &process,
        inbox: &inbox,
    };
    let mut retry = FIRST_RETRY;
    loop {
        let round = auditor.round().await;
        let usual = pace.pause(auditor.tickers.len());
        let pause = match round {
            Ok(()) => {
                retry = FIRST_RETRY;
                usual
            }
            Err(Unread::SessionOver) => return,
            Err(Unread::Failed) => {
                retry = (retry * 2).min(LAST_RETRY);
                retry.max(usual)
            }
        };
        auditor.pause(pause).await;
    }
}

struct Auditor<'a> {
    reader: Reader,
    patience: Patience,
    course: Course,
    tickers: Vec<TickerState>,
    look_up_at: i64,
    process: &'a Process,
    inbox: &'a Inbox,
}

enum Unread {
    SessionOver,
    Failed,
}

impl Auditor<'_> {
    async fn round(&mut self) -> Result<(), Unread> {
        let now = self.process.server.time.now();
        if self.look_up_at <= now {
            self.tickers = self.reader.watermarks().await.map_err(|_| Unread::Failed)?;
            self.look_up_at = now + ms(LOOK_UP_EVERY);
        }
        let dice = self.dice();
        let Some(target) = self.course.next(&self.tickers, dice) else { return Ok(()) };
        let first = self.read(&target).await?;
        self.course.has_read(&target, &first);
        let findings = if first.audit.findings.is_empty() {
            Vec::new()
        } else {
            self.pause(CONFIRM_AFTER).await;
            let second = self.read(&target).await?;
            let findings = agreed_on(&first.audit.findings, &second.audit.findings);
            self.without_the_forgotten(&target, &second, findings).await?
        };
        self.course.has_found(&target.ticker, &findings);
        self.hand_over(target.ticker, first.audit.agreed, findings).await
    }

    async fn without_the_forgotten(
        &self,
        target: &Target,
        reading: &Reading,
        mut findings: Vec<Finding>,
    ) -> Result<Vec<Finding>, Unread> {
        let Some(until) = reading.doubted_after(&findings) else { return Ok(findings) };
        let before = self.reader.trade_anchor(&target.ticker, until).await.map_err(|_| Unread::Failed)?;
        if let Some(control) = before.map(|(_, made_at)| Control::at(made_at)) {
            let answer = self.ask(&target.ticker, &control.question()).await?;
            if control.is_answered(&answer) {
                return Ok(findings);
            }
        }
        let forgotten: Vec<Finding> = reading.in_front(&findings).cloned().collect();
        findings.retain(|finding| !forgotten.contains(finding));
        Ok(findings)
    }

    async fn ask(&self, ticker: &Ticker, question: &Watermark) -> Result<Answer, Unread> {
        let Process { server, rest, .. } = self.process;
        let mood = self.process.rest_mood();
        server.time.sleep(mood.asking_ms).await;
        if mood.fails {
            return Err(Unread::Failed);
        }
        let answer = rest.page(ticker, question, server.time.now(), mood.refused_rows);
        server.time.sleep(mood.answering_ms).await;
        Ok(answer)
    }

    async fn read(&self, target: &Target) -> Result<Reading, Unread> {
        let answer = self.ask(&target.ticker, &target.question()).await?;
        let names = Target::names(&answer);
        let held = match target.asked(&answer, &names) {
            Some(asked) => self.reader.holdings(asked).await.map_err(|_| Unread::Failed)?,
            None => None,
        };
        Ok(Reading::of(target, &answer, held, self.patience))
    }

    async fn hand_over(&self, ticker: Ticker, agreed: Vec<EpochMs>, findings: Vec<Finding>) -> Result<(), Unread> {
        if agreed.is_empty() && findings.is_empty() {
            return Ok(());
        }
        let is_waited_for = !findings.is_empty();
        let (reply, dealt_with) = oneshot::channel();
        self.inbox.audited(Audited { ticker, agreed, findings, reply });
        if !is_waited_for {
            return Ok(());
        }
        dealt_with.await.map_err(|_| Unread::SessionOver)
    }

    async fn pause(&self, pause: Duration) {
        self.process.server.time.sleep(ms(pause)).await;
    }

    fn dice(&self) -> Dice {
        let open = self.process.rest.mind().not_followed(&self.process.server.state().disk);
        let mut chance = self.process.chance();
        let mut roll = || u32::try_from(chance.between(0, u32::MAX.into())).expect("32 bits");
        let fair = Dice { ticker: roll(), is_recent: roll() % 2 == 0, moment: roll() };
        let (is_lucky, early_ms) = (chance.per_mille(800), *chance.pick(&[0, 0, 1, 40]));
        if open.is_empty() || !is_lucky {
            return fair;
        }
        let (ticker, at) = chance.pick(&open);
        let nth = self.tickers.iter().position(|state| state.ticker == *ticker);
        let loaded =
            nth.and_then(|nth| u32::try_from(nth).ok()).map(|ticker| Dice { ticker, is_recent: false, ..fair });
        loaded.map_or(fair, |dice| falling_on(&self.tickers, dice, at.minus_ms(early_ms)))
    }
}

/// The dice with the least roll that begins a reading at an instant, or later.
fn falling_on(tickers: &[TickerState], dice: Dice, at: EpochMs) -> Dice {
    let is_early = |moment| {
        let target = Course::new(0).next(tickers, Dice { moment, ..dice });
        target.is_some_and(|target| target.from < at)
    };
    let (mut least, mut most) = (0, u32::MAX);
    while least < most {
        let middle = least + (most - least) / 2;
        if is_early(middle) { least = middle + 1 } else { most = middle }
    }
    Dice { moment: least, ..dice }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).expect("pauses are short")
}
