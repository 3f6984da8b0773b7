//! Every error an exchange documents, in every form, that of an error inside of
//! HTTP 200 among them: asked again, and nothing is lost or made up.

use std::time::Duration;

use testkit::eventually;
use venue::RestMode;

use crate::six::{follow, holds_the_truth, lively, on_each};
use crate::stage::PATIENCE;

/// Errors that keep everybody away for many minutes; what is done then is shown elsewhere.
const LONG: [&str; 2] = ["access_too_frequent", "temporary_lockout"];

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_error_is_outlived() {
    on_each(|exchange| async move {
        let (stage, client) = follow(lively(exchange)).await;

        let named = stage.venue.dialect().errors().iter().filter(|name| !LONG.contains(name));
        let modes = [RestMode::Html, RestMode::Fail, RestMode::RateLimit];
        for mode in modes.into_iter().chain(named.map(|name| RestMode::Error(name))) {
            let before = stage.venue.rest_counts();
            stage.venue.set_rest_mode(mode, None);
            eventually(&format!("{exchange} to answer {}", mode.as_str()), PATIENCE, || async {
                let counts = stage.venue.rest_counts();
                (before.failed + before.limited < counts.failed + counts.limited).then_some(())
            })
            .await;
        }
        stage.venue.set_rest_mode(RestMode::Fail, Some(Duration::from_secs(1)));

        holds_the_truth(&stage, &client).await;
    })
    .await;
}
