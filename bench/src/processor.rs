//! How much of a processor this thread has used: what it waited for others to
//! make room does not count. For work of one thread, that never waits itself.

use anyhow::Context as _;

/// Seconds of a processor this thread has used so far. The kernel tells them a
/// few milliseconds late.
///
/// # Errors
/// When the kernel does not tell.
pub fn own_seconds() -> anyhow::Result<f64> {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {path}"))?;
    let nanoseconds: u64 = text.split(' ').next().unwrap_or_default().parse().context("it is no number")?;
    Ok(nanoseconds as f64 / 1e9)
}
