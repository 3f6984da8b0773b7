//! Every example of the document, asked again of a running server.
//!
//! `UPDATE_EXAMPLES=1 cargo test -p api examples` writes the answers anew.

use std::path::Path;

use api::Clock;
use api::examples::{Example, all};
use testkit::{TestDatabase, at, database};

use crate::chained::chain;
use crate::memory::live;
use crate::running::Running;
use crate::seeded::{NOW, Seeded, ledger, market};

/// The states of things that examples are asked in.
struct Worlds {
    market: Running,
    stale: Running,
    young: Running,
    empty: Running,
    away: Running,
    _databases: [TestDatabase; 3],
}

impl Worlds {
    async fn new() -> Self {
        let (filled, young, bare) = (database().await, database().await, database().await);
        let bitcoin = market(&filled).await;
        chain(&bitcoin.client, "generic", "BTC").await;
        ledger(&bitcoin).await;
        Seeded::new(&young, "generic", "NEW").await;
        let nobody = "postgres://nobody@127.0.0.1:1/nothing";
        let worlds = Self {
            market: Running::standing_at(&filled, NOW),
            stale: Running::standing_at(&filled, NOW + 60_000),
            young: Running::standing_at(&young, NOW),
            empty: Running::standing_at(&bare, NOW),
            away: Running::start(&[("PG_STRING", nobody)], Clock::StandingAt(at(NOW))),
            _databases: [filled, young, bare],
        };
        for api in [&worlds.market, &worlds.stale, &worlds.young, &worlds.empty] {
            live(api).await;
        }
        worlds
    }

    fn of(&self, example: &Example) -> &Running {
        match example.world.as_str() {
            "market" => &self.market,
            "stale" => &self.stale,
            "young" => &self.young,
            "empty" => &self.empty,
            "away" => &self.away,
            other => panic!("{} is asked in an unknown world, {other}", example.name),
        }
    }
}

#[tokio::test]
async fn every_documented_example_is_what_a_running_server_answers() {
    let worlds = Worlds::new().await;
    let is_updating = std::env::var_os("UPDATE_EXAMPLES").is_some();
    for (path, mut examples) in all() {
        for example in &mut examples {
            let request = example.request.replace("{long}", &"A".repeat(3_000));
            let answer = worlds.of(example).get(&request).await;
            let (status, body) = (answer.status.as_u16(), answer.json());
            if is_updating {
                example.body = body;
            } else {
                assert_eq!(
                    body, example.body,
                    "{path} {}: run with UPDATE_EXAMPLES=1 if it should change",
                    example.name
                );
            }
            assert_eq!(status, example.status, "{path} {}", example.name);
            if status >= 400 {
                answer.problem();
            }
        }
        if is_updating {
            let name = path.trim_start_matches('/').replace("health/", "").replace('/', "_");
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/examples/{name}.json"));
            let text = serde_json::to_string_pretty(&examples).expect("JSON") + "\n";
            std::fs::write(file, text).expect("the source folder is writable");
        }
    }
}

#[test]
fn every_answer_of_every_operation_has_an_example() {
    let document = serde_json::to_value(api::document::document()).expect("JSON");
    let mut without = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (status, response) in item["get"]["responses"].as_object().expect("responses") {
            let Some(contents) = response["content"].as_object() else { continue };
            let has_example =
                |content: &serde_json::Value| content["examples"].as_object().is_some_and(|all| !all.is_empty());
            if !contents.values().all(has_example) {
                without.push(format!("{path} {status}"));
            }
        }
    }
    assert_eq!(without, Vec::<String>::new());
}
