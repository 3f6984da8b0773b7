//! Where receipts and restatements are read from: a URL, a file, or standard input.

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use url::Url;

use super::Claim;

/// No receipt or page of restatements is larger.
const SIZE_LIMIT: usize = 16 * 1024 * 1024;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Reads what is named.
pub(super) struct Source {
    http: reqwest::Client,
}

impl Source {
    /// Prepares to read; the rest client must have been made before.
    pub(super) fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(DEADLINE).build();
        Ok(Self { http: client.context("could not prepare to ask for receipts")? })
    }

    /// Reads a receipt.
    pub(super) async fn claim(&self, place: &str) -> anyhow::Result<Claim> {
        let text = self.text(place).await?;
        Claim::read(&text, url(place)).with_context(|| format!("could not read the receipt {place}"))
    }

    /// Reads the receipt of another moment from where one came from.
    pub(super) async fn claim_beside(&self, url: &Url, pairs: &[(&str, &str)]) -> anyhow::Result<Claim> {
        let mut beside = url.clone();
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| pairs.iter().all(|(new, _)| new != name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        beside.query_pairs_mut().clear().extend_pairs(&kept).extend_pairs(pairs);
        self.claim(beside.as_str()).await
    }

    /// Reads a text.
    pub(super) async fn text(&self, place: &str) -> anyhow::Result<String> {
        if let Some(url) = url(place) {
            return self.answer(&url).await;
        }
        let place = place.to_owned();
        tokio::task::spawn_blocking(move || local(&place)).await.context("reading was broken off")?
    }

    async fn answer(&self, url: &Url) -> anyhow::Result<String> {
        let mut response = self.http.get(url.clone()).send().await.with_context(|| format!("no answer from {url}"))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.with_context(|| format!("{url} broke off"))? {
            ensure!(body.len() + piece.len() <= SIZE_LIMIT, "{url} answered with more than {SIZE_LIMIT} bytes");
            body.extend_from_slice(&piece);
        }
        let text = String::from_utf8(body).with_context(|| format!("{url} did not answer with text"))?;
        let beginning: String = text.chars().take(600).collect();
        ensure!(status.is_success(), "{url} answered {status}: {beginning}");
        Ok(text)
    }
}

fn local(place: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = SIZE_LIMIT as u64 + 1;
    if place == "-" {
        std::io::stdin().lock().take(limit).read_to_string(&mut text).context("could not read standard input")?;
    } else {
        let file = std::fs::File::open(place).with_context(|| format!("could not open {place}"))?;
        file.take(limit).read_to_string(&mut text).with_context(|| format!("could not read {place}"))?;
    }
    ensure!(text.len() <= SIZE_LIMIT, "{place} has more than {SIZE_LIMIT} bytes");
    Ok(text)
}

/// The URL, where it is one.
pub(super) fn url(place: &str) -> Option<Url> {
    Url::parse(place).ok().filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}
