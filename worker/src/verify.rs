//! `worker verify`: recomputes what receipts claim from the exchange's REST
//! endpoint alone. It knows no database of ours, and says where it differs.

mod claim;
mod one;
mod range;
mod rest_trades;
mod restated;
mod source;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use crate::config::Config;
use source::Source;

pub use claim::{Claim, Claimed};
pub use rest_trades::RestTrades;

/// What is to be verified.
#[derive(Debug, Clone, Args)]
pub struct VerifyArguments {
    /// A receipt: the URL of one, a file, or - for standard input.
    #[arg(required_unless_present = "from", conflicts_with_all = ["from", "to"])]
    receipt: Option<String>,
    /// The receipt at the beginning of a range of the chain; its link is what is trusted.
    #[arg(long, requires = "to")]
    from: Option<String>,
    /// The receipt at the end of the range.
    #[arg(long, requires = "from")]
    to: Option<String>,
    /// The restatements of the range: the URL of /receipt/restatements, or a file
    /// with its answer. Asked where the end's receipt came from, if that is a URL.
    #[arg(long)]
    log: Option<String>,
    /// How long all of it may take, as 90s or 2h.
    #[arg(long, default_value = "10m", value_parser = duration)]
    within: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether everything claimed is what the exchange says.
    pub agrees: bool,
    /// What was found, for a person.
    pub lines: Vec<String>,
}

impl Verdict {
    /// Everything is as claimed.
    pub fn agrees(line: String) -> Self {
        Self { agrees: true, lines: vec![line] }
    }

    /// Something is not.
    pub fn differs(lines: Vec<String>) -> Self {
        Self { agrees: false, lines }
    }
}

/// Verifies, prints what came of it, and returns 0 when all agrees, 1 when
/// something differs, and 2 when that could not be told.
/// Without a configuration it cannot be told.
pub async fn run(config: anyhow::Result<Config>, arguments: &VerifyArguments) -> ExitCode {
    let checking = async { verify(&config?, arguments).await };
    let checked = tokio::time::timeout(arguments.within, checking).await;
    let checked = checked.unwrap_or_else(|_| Err(anyhow::anyhow!("it took longer than --within allows")));
    match checked {
        Ok(verdict) => {
            verdict.lines.iter().for_each(|line| println!("{line}"));
            ExitCode::from(u8::from(!verdict.agrees))
        }
        Err(error) => {
            println!("could not be checked: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Verifies a receipt, or a range of the chain between two.
///
/// # Errors
/// Why it could not be told whether they agree.
pub async fn verify(config: &Config, arguments: &VerifyArguments) -> anyhow::Result<Verdict> {
    let rest = RestTrades::new(config)?;
    let source = Source::new()?;
    if let Some(receipt) = &arguments.receipt {
        let claim = source.claim(receipt).await?;
        return one::verify(&rest, &source, &claim).await;
    }
    let from = arguments.from.as_deref().context("neither a receipt nor a range is given")?;
    let to = arguments.to.as_deref().context("the range has no end")?;
    let (from, to) = (source.claim(from).await?, source.claim(to).await?);
    range::verify(&rest, &source, &from, &to, arguments.log.as_deref()).await
}

fn duration(text: &str) -> Result<Duration, String> {
    let ms = tape::time::parse_duration_ms(text).filter(|ms| *ms > 0);
    ms.map(|ms| Duration::from_millis(ms.unsigned_abs())).ok_or_else(|| "give a duration such as 90s or 2h".to_owned())
}
