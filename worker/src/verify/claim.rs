//! What a receipt claims, read strictly: a claim that contradicts itself is not checked.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tape::digest::{ALGORITHM, TRADES_FORM};
use tape::{Chain, Digest, EpochMs, Interval, Mark, Sums, Ticker, Trade, Volume, chain};
use url::Url;

/// A receipt as it is written.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Paper {
    exchange: String,
    ticker: String,
    ts: i64,
    interval: i64,
    counted_after: i64,
    revision: Option<u32>,
    price: Option<String>,
    volume: String,
    notional: String,
    trades: u64,
    first: Option<TradePaper>,
    last: Option<TradePaper>,
    digest: DigestPaper,
    chain: Option<ChainPaper>,
    seconds: Option<Vec<SecondPaper>>,
}

#[derive(Debug, Clone, Deserialize)]
struct TradePaper {
    ts: i64,
    tradeid: String,
    price: String,
    quantity: String,
}

#[derive(Debug, Clone, Deserialize)]
struct DigestPaper {
    algorithm: String,
    form: String,
    value: String,
}

#[derive(Debug, Clone, Deserialize)]
struct ChainPaper {
    form: String,
    entry: u64,
    link: String,
    previous_link: Option<String>,
    second_digest: String,
}

#[derive(Debug, Clone, Deserialize)]
struct SecondPaper {
    ts: i64,
    trades: u64,
    digest: String,
}

/// What a receipt claims.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Whose chain it has a place in, if it has one.
    pub chain: Chain,
    /// Where the window closes.
    pub closes_at: EpochMs,
    /// Trades after it are counted.
    pub counted_after: EpochMs,
    /// How often the figure was restated; none for a moment that is no kept mark.
    pub revision: Option<u32>,
    /// What is claimed, field by field, as text.
    pub fields: Vec<Claimed>,
    /// The place in the chain.
    pub place: Option<Place>,
    /// Digests of seconds, if the receipt tells them.
    pub seconds: Option<Vec<(Mark, u64, Digest)>>,
    /// Where it came from, if that can be asked again.
    pub url: Option<Url>,
}

/// A field and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The field's name in the receipt.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// A place in the chain.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The entry's number.
    pub entry: u64,
    /// Its link.
    pub link: Digest,
    /// The link before it, where that is still kept.
    pub previous_link: Option<Digest>,
    /// The digest of the last second.
    pub second_digest: Digest,
}

impl Claim {
    /// Reads a receipt.
    ///
    /// # Errors
    /// Says what is not a receipt about it.
    pub fn read(text: &str, url: Option<Url>) -> anyhow::Result<Self> {
        let paper: Paper = serde_json::from_str(text).context("this is no receipt")?;
        let DigestPaper { algorithm, form, value } = &paper.digest;
        ensure!(algorithm == ALGORITHM && form == TRADES_FORM, "a digest of {algorithm} over {form} is not known here");
        let ticker = Ticker::new(&paper.ticker).context("the receipt names no ticker")?;
        ensure!(Ticker::new(&paper.exchange).is_ok(), "the receipt names no exchange");
        let interval = Interval::from_ms(paper.interval).context("the receipt has no interval")?;
        let closes_at = EpochMs::new(paper.ts);
        let opens_after = closes_at.minus_ms(interval.ms());
        let counted_after = EpochMs::new(paper.counted_after);
        ensure!(
            opens_after <= counted_after && counted_after < closes_at,
            "the receipt counts trades after {counted_after}, which is not inside its window"
        );
        let fields = [
            ("trades", paper.trades.to_string()),
            ("volume", paper.volume.clone()),
            ("notional", paper.notional.clone()),
            ("price", paper.price.clone().unwrap_or_else(none)),
            ("first", paper.first.as_ref().map_or_else(none, TradePaper::line)),
            ("last", paper.last.as_ref().map_or_else(none, TradePaper::line)),
            ("digest", value.clone()),
        ];
        let seconds = paper.seconds.as_ref().map(|seconds| seconds.iter().map(SecondPaper::read).collect());
        Ok(Self {
            place: paper.chain.as_ref().map(ChainPaper::read).transpose()?,
            chain: Chain { exchange: paper.exchange, ticker, interval },
            closes_at,
            counted_after,
            revision: paper.revision,
            fields: fields.map(|(name, value)| Claimed { name, value }).into(),
            seconds: seconds.transpose()?,
            url,
        })
    }

    /// Where the window opens.
    pub fn opens_after(&self) -> EpochMs {
        self.closes_at.minus_ms(self.chain.interval.ms())
    }

    /// The mark it is about, when it has a place in the chain.
    ///
    /// # Errors
    /// When there is no mark at that moment.
    pub fn mark(&self) -> anyhow::Result<Mark> {
        let mark = Mark::at_or_before(self.closes_at);
        ensure!(mark.at() == self.closes_at, "{} is no whole second and can have no place in a chain", self.closes_at);
        Ok(mark)
    }
}

impl TradePaper {
    fn line(&self) -> String {
        format!("{} {} {} {}", self.ts, self.tradeid, self.price, self.quantity)
    }
}

impl SecondPaper {
    fn read(&self) -> anyhow::Result<(Mark, u64, Digest)> {
        Ok((Mark::at_or_before(EpochMs::new(self.ts)), self.trades, digest(&self.digest)?))
    }
}

impl ChainPaper {
    fn read(&self) -> anyhow::Result<Place> {
        ensure!(self.form == chain::CHAIN_FORM, "a chain of the form {} is not known here", self.form);
        ensure!(self.entry > 0, "the entries of a chain count from 1");
        Ok(Place {
            entry: self.entry,
            link: digest(&self.link)?,
            previous_link: self.previous_link.as_deref().map(digest).transpose()?,
            second_digest: digest(&self.second_digest)?,
        })
    }
}

/// Reads a digest.
pub(super) fn digest(text: &str) -> anyhow::Result<Digest> {
    Digest::parse(text).with_context(|| format!("{text:?} is no digest"))
}

/// Reads exact sums.
pub(super) fn sums(trades: u64, volume: &str, notional: &str) -> anyhow::Result<Sums> {
    let volume = Volume::parse(volume).with_context(|| format!("{volume:?} is no volume"))?;
    let notional = tape::Notional::parse(notional).with_context(|| format!("{notional:?} is no notional"))?;
    Ok(Sums { trades, volume, notional })
}

/// A trade as receipts write it in one line.
pub(super) fn trade_line(trade: &Trade) -> String {
    tape::digest::line(trade.traded_at, &trade.id, trade.price, trade.quantity).trim_end().to_owned()
}

/// How nothing is written.
pub(super) fn none() -> String {
    "none".to_owned()
}
