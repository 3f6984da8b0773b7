//! The Compose file against the programs and ports it speaks of.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::files::{list, string, text, variables_of, yaml};

fn service(name: &str) -> Value {
    let compose = yaml("docker-compose.yml");
    let service = compose["services"][name].clone();
    assert!(service.is_object(), "no service {name}");
    service
}

/// `${NAME:-default}` as Compose reads it with what is set; a default may hold another.
fn interpolated(text: &str, set: &[(&str, &str)]) -> String {
    let Some((before, rest)) = text.split_once("${") else { return text.to_owned() };
    let mut open = 1;
    let closes = |(_, c): &(usize, char)| {
        open += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        open == 0
    };
    let end = rest.char_indices().find(closes).unwrap_or_else(|| panic!("{text} has an open brace")).0;
    let (variable, after) = (&rest[..end], &rest[end + 1..]);
    let (name, default) = variable.split_once(":-").unwrap_or_else(|| panic!("{text}: no default for {variable}"));
    let given = set.iter().find(|given| given.0 == name && !given.1.is_empty()).map(|given| given.1.to_owned());
    let value = given.unwrap_or_else(|| interpolated(default, set));
    format!("{before}{value}{}", interpolated(after, set))
}

fn with_defaults(text: &str) -> String {
    interpolated(text, &[])
}

fn environment(name: &str) -> Vec<(String, String)> {
    environment_with(name, &[])
}

fn environment_with(name: &str, set: &[(&str, &str)]) -> Vec<(String, String)> {
    let service = service(name);
    let entries = service["environment"].as_object().expect("an environment");
    entries.iter().map(|(name, value)| (name.clone(), interpolated(string(value, name), set))).collect()
}

fn ports(name: &str) -> Vec<String> {
    list(&service(name)["ports"]).iter().map(|port| with_defaults(string(port, "a port"))).collect()
}

#[test]
fn the_ports_are_the_documented_ones_and_stay_on_this_machine() {
    assert_eq!(ports("postgres"), ["127.0.0.1:61791:5432"]);
    assert_eq!(ports("hasura"), ["127.0.0.1:61790:8080"]);
    assert_eq!(ports("venue"), ["127.0.0.1:61792:61792"]);
    assert_eq!(ports("worker"), ["127.0.0.1:3004:3004"]);
    assert_eq!(ports("api"), ["127.0.0.1:3003:3003"]);
}

#[test]
fn every_variable_of_a_program_can_be_set_from_outside_and_no_other_is() {
    for program in ["worker", "api"] {
        // What is meant for the generic market is the variable of that name.
        let plain = |name: String| name.strip_suffix("_GENERIC").map(str::to_owned).unwrap_or(name);
        let given: BTreeSet<String> = environment(program).into_iter().map(|(name, _)| plain(name)).collect();
        let known: BTreeSet<String> = variables_of(program).into_iter().collect();
        assert_eq!(given, known, "{program}");
    }
}

#[test]
fn the_practice_venue_is_the_default_market_and_postgres_the_database() {
    let worker = environment("worker");
    let value = |name: &str| worker.iter().find(|entry| entry.0 == name).map(|entry| entry.1.as_str());

    assert_eq!(value("MARKET"), Some("generic"));
    assert_eq!(value("MARKET_WS_URL_GENERIC"), Some("ws://venue:61792/stream"));
    assert_eq!(value("MARKET_REST_URL_GENERIC"), Some("http://venue:61792/trades"));
    assert_eq!(value("PG_STRING"), Some("postgres://postgres:postgres@postgres:5432/crypto_market"));
    assert_eq!(value("BACKFILL_FROM_GENERIC"), Some("-10m"));
}

#[test]
fn an_exchange_is_asked_at_its_own_address_and_another_generic_market_at_the_one_given() {
    let addresses = |set: &[(&str, &str)]| {
        let worker = environment_with("worker", set);
        let value = |name: &str| worker.iter().find(|entry| entry.0 == name).expect(name).1.clone();
        ["", "_GENERIC"]
            .map(|suffix| [value(&format!("MARKET_WS_URL{suffix}")), value(&format!("MARKET_REST_URL{suffix}"))])
    };
    // Empty is the market's own, and what has a market's name behind it is nobody else's.
    for markets in ["binance", "binance,kraken", "generic"] {
        let [of_any, of_generic] = addresses(&[("MARKET", markets), ("TICKERS", "BTC/USDT,ETH/USDT")]);
        assert_eq!(of_any, ["", ""], "{markets}");
        assert_eq!(of_generic, ["ws://venue:61792/stream", "http://venue:61792/trades"]);
    }
    let given = ["wss://example.org/stream", "https://example.org/trades"].map(str::to_owned);
    let [of_any, of_generic] = addresses(&[("MARKET_WS_URL", &given[0]), ("MARKET_REST_URL", &given[1])]);
    assert_eq!((&of_any, &of_generic), (&given, &given));
    let worker = environment_with("worker", &[("MARKET", "bybit")]);
    assert!(worker.contains(&("BACKFILL_FROM".to_owned(), String::new())), "an exchange may have no past to tell");
}

#[test]
fn hasura_reads_our_metadata_with_the_variable_its_source_names() {
    let hasura = environment("hasura");
    let value = |name: &str| hasura.iter().find(|entry| entry.0 == name).map(|entry| entry.1.as_str());
    let source = yaml("hasura/metadata/databases/databases.yaml");
    let variable = string(&source[0]["configuration"]["connection_info"]["database_url"]["from_env"], "a variable");

    assert!(value(variable).is_some(), "{variable}");
    assert_eq!(value("HASURA_GRAPHQL_ADMIN_SECRET"), Some("sidneyPassword"));
    assert_eq!(value("HASURA_GRAPHQL_UNAUTHORIZED_ROLE"), Some("anonymous"));
    assert_eq!(value("HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES"), Some("true"));
    assert_eq!(value("HASURA_GRAPHQL_ENABLE_TELEMETRY"), Some("false"));
    assert_eq!(list(&service("hasura")["volumes"]), ["./hasura/metadata:/hasura-metadata:ro"]);
}

#[test]
fn every_service_is_restarted_limited_and_may_gain_no_privileges() {
    let compose = yaml("docker-compose.yml");
    for (name, service) in compose["services"].as_object().expect("services") {
        assert!(service["restart"].is_string(), "{name}: restart");
        let limits = &service["deploy"]["resources"]["limits"];
        assert!(limits["memory"].is_string() && limits["cpus"].is_string(), "{name}: limits");
        assert_eq!(list(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        if service["build"].is_object() {
            assert_eq!(service["read_only"], true, "{name}");
            assert_eq!(list(&service["cap_drop"]), ["ALL"], "{name}");
        } else {
            assert!(service["healthcheck"]["test"].is_array(), "{name}: health");
            let (_, tag) = string(&service["image"], "an image").split_once(':').expect("a tag");
            assert!(tag.contains('.') && !tag.contains("latest"), "{name}: {tag} is no exact tag");
        }
    }
}

#[test]
fn services_wait_for_services_that_exist_and_for_states_those_can_reach() {
    let compose = yaml("docker-compose.yml");
    for (name, service) in compose["services"].as_object().expect("services") {
        for (other, wait) in service["depends_on"].as_object().into_iter().flatten() {
            let awaited = &compose["services"][other];
            let can_reach = match string(&wait["condition"], "a condition") {
                "service_started" => awaited.is_object(),
                "service_healthy" => awaited["healthcheck"]["test"].is_array(),
                // It ends by itself only when nothing starts it again after success.
                "service_completed_successfully" => string(&awaited["restart"], "restart").starts_with("on-failure"),
                unknown => panic!("{name}: {unknown}"),
            };
            assert!(can_reach, "{name} waits for {other} in vain");
        }
    }
}

#[test]
fn services_are_built_from_stages_of_the_dockerfile() {
    let dockerfile = text("Dockerfile");
    for program in ["worker", "api", "venue"] {
        let target = service(program)["build"]["target"].clone();
        assert_eq!(target, program);
        assert!(dockerfile.contains(&format!(" AS {program}\n")), "{program}");
    }
    assert_eq!(service("migrate")["image"], service("worker")["image"]);
}
