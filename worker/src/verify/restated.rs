//! The restatements of a range, as the chain's keeper lists them. They are not
//! taken on trust: a false one breaks the link it claims to have.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tape::{Digest, EpochMs, Mark, Sums};
use url::Url;

use super::claim::{digest, sums};
use super::range::Ends;
use super::source::Source;

/// The most pages of one list.
const PAGES_LIMIT: usize = 1_000;

/// The list as it is written.
#[derive(Debug, Deserialize)]
struct ListPaper {
    restatements: Vec<RestatedPaper>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Debug, Deserialize)]
struct RestatedPaper {
    ts: i64,
    revision: u32,
    entry: Option<u64>,
    old: VersionPaper,
    new: VersionPaper,
}

#[derive(Debug, Deserialize)]
struct VersionPaper {
    trades: u64,
    volume: String,
    notional: String,
    second_digest: Option<String>,
}

/// One restatement.
#[derive(Debug, Clone)]
pub(super) struct Restated {
    pub(super) mark: Mark,
    pub(super) revision: u32,
    pub(super) old_sums: Sums,
    pub(super) old_second_digest: Option<Digest>,
    pub(super) new_sums: Sums,
    pub(super) new_second_digest: Option<Digest>,
}

/// The restatements that matter to a range: those among its entries, and all of its marks.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) by_entry: BTreeMap<u64, Restated>,
    pub(super) by_mark: BTreeMap<(Mark, u32), Restated>,
}

impl Log {
    /// Reads the list from where it is said to be, else from where the receipt came from.
    pub(super) async fn read(
        source: &Source,
        place: Option<&str>,
        receipt: Option<&Url>,
        ends: &Ends,
    ) -> anyhow::Result<Self> {
        let mut log = Self::default();
        let given = place.map(|place| (place, super::source::url(place)));
        match (given, receipt) {
            (Some((file, None)), _) => {
                let list: ListPaper = parse(&source.text(file).await?)?;
                ensure!(!list.has_more, "{file} says that there are more restatements than it lists");
                log.take(list.restatements, ends)?;
            }
            (Some((_, Some(url))), _) => log.ask(source, &url, ends).await?,
            (None, Some(receipt)) => {
                let mut url = receipt.clone();
                url.set_path(&format!("{}/restatements", receipt.path().trim_end_matches('/')));
                log.ask(source, &url, ends).await?;
            }
            // No list: right when there was no restatement, and noticed when there was.
            (None, None) => {}
        }
        Ok(log)
    }

    async fn ask(&mut self, source: &Source, base: &Url, ends: &Ends) -> anyhow::Result<()> {
        let (mut after, until) = ends.entries();
        for _ in 0..PAGES_LIMIT {
            let list =
                self.page(source, base, ends, [("after_entry", after.to_string()), ("until_entry", until.to_string())]);
            let list = list.await?;
            let last = list.restatements.iter().filter_map(|it| it.entry).max();
            self.take(list.restatements, ends)?;
            match last.filter(|last| list.has_more && after < *last) {
                Some(last) => after = last,
                None => break,
            }
        }
        let (mut from, to) = ends.span();
        for _ in 0..PAGES_LIMIT {
            let list = self.page(source, base, ends, [("from", from.to_string()), ("to", to.to_string())]).await?;
            let last = list.restatements.iter().map(|it| EpochMs::new(it.ts)).max();
            self.take(list.restatements, ends)?;
            match last.filter(|last| list.has_more && from < *last) {
                Some(last) => from = last,
                None => return Ok(()),
            }
        }
        anyhow::bail!("there are more restatements than can be read")
    }

    async fn page(
        &self,
        source: &Source,
        base: &Url,
        ends: &Ends,
        stretch: [(&str, String); 2],
    ) -> anyhow::Result<ListPaper> {
        let mut url = base.clone();
        url.query_pairs_mut()
            .clear()
            .append_pair("ticker", ends.chain.ticker.as_str())
            .append_pair("exchange", &ends.chain.exchange)
            .append_pair("interval", &ends.chain.interval.to_string())
            .extend_pairs(stretch.iter().map(|(name, value)| (*name, value.as_str())));
        parse(&source.text(url.as_str()).await?)
    }

    fn take(&mut self, list: Vec<RestatedPaper>, ends: &Ends) -> anyhow::Result<()> {
        let (after, until) = ends.entries();
        for paper in list {
            let restated = paper.read()?;
            if let Some(entry) = paper.entry.filter(|entry| after < *entry && *entry <= until) {
                self.by_entry.insert(entry, restated.clone());
            }
            self.by_mark.insert((restated.mark, restated.revision), restated);
        }
        Ok(())
    }
}

impl RestatedPaper {
    fn read(&self) -> anyhow::Result<Restated> {
        let Self { ts, revision, old, new, .. } = self;
        let digest_of = |version: &VersionPaper| version.second_digest.as_deref().map(digest).transpose();
        Ok(Restated {
            mark: Mark::at_or_before(EpochMs::new(*ts)),
            revision: *revision,
            old_sums: sums(old.trades, &old.volume, &old.notional)?,
            old_second_digest: digest_of(old)?,
            new_sums: sums(new.trades, &new.volume, &new.notional)?,
            new_second_digest: digest_of(new)?,
        })
    }
}

fn parse(text: &str) -> anyhow::Result<ListPaper> {
    serde_json::from_str(text).context("this is no list of restatements")
}
