//! Asking over HTTP, with a deadline on everything.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

/// Asks the programs of a run.
#[derive(Debug, Clone)]
pub struct Http(reqwest::Client);

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
}

impl Http {
    /// A client that waits for no answer longer than this.
    pub fn new(deadline: Duration) -> anyhow::Result<Self> {
        // Only the first provider counts, and there is only this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(deadline).no_proxy().build()?;
        Ok(Self(client))
    }

    /// Gets an answer, whatever its status.
    pub async fn get(&self, url: &str, query: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let response = self.0.get(url).query(query).send().await?;
        Ok(Answer { status: response.status().as_u16(), body: response.text().await? })
    }

    /// Gets an answer that has to be good.
    pub async fn get_ok(&self, url: &str, query: &[(&str, &str)]) -> anyhow::Result<String> {
        let Answer { status, body } = self.get(url, query).await.with_context(|| format!("could not ask {url}"))?;
        if status != 200 {
            bail!("{url} answered {status}: {body}");
        }
        Ok(body)
    }

    /// Sends a command that has to be taken.
    pub async fn post(&self, url: &str, body: &Value) -> anyhow::Result<()> {
        let response = self.0.post(url).body(body.to_string()).send().await?;
        if !response.status().is_success() {
            bail!("{url} answered {}", response.status());
        }
        Ok(())
    }
}
