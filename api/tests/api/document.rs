//! The OpenAPI document and the page to try it out.

use serde_json::Value;
use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, market};

#[test]
fn the_document_is_the_one_last_looked_at() {
    insta::assert_json_snapshot!("openapi", api::document::document());
}

#[tokio::test]
async fn the_document_says_where_this_server_is_and_fills_in_a_ticker_and_a_moment_there_are() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let document = api.json("/swagger.json").await;

    assert_eq!(document["servers"][0]["url"], "/", "relative, so that it works behind any name");
    let parameters = document["paths"]["/historical"]["get"]["parameters"].as_array().expect("parameters");
    let example = |name: &str| parameters.iter().find(|one| one["name"] == name).map(|one| one["example"].clone());
    let (ticker, ts) = (example("ticker").expect("ticker"), example("ts").expect("ts"));
    assert_eq!((&ticker, &ts), (&"BTC".into(), &(MARK + 1_000).to_string().into()));
    let tried = format!("/historical?ticker={}&ts={}", ticker.as_str().expect("text"), ts.as_str().expect("text"));
    assert_eq!(api.get(&tried).await.status, 200);
}

#[tokio::test]
async fn every_operation_works_when_tried_out_as_it_stands() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let document = api.json("/swagger.json").await;

    for (path, item) in document["paths"].as_object().expect("paths") {
        let mut query = Vec::new();
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            // The page fills in an example, else the schema's default.
            let filled =
                [&parameter["example"], &parameter["schema"]["default"]].into_iter().find(|value| !value.is_null());
            assert!(filled.is_some() || parameter["required"] != true, "{path}: {parameter}");
            let text = filled.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            query.extend(text.map(|text| format!("{}={text}", parameter["name"].as_str().expect("a name"))));
        }
        let answer = api.get(&format!("{path}?{}", query.join("&"))).await;
        assert_eq!(answer.status, 200, "{path}?{}: {}", query.join("&"), answer.text());
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let database = database().await;
    let api = Running::standing_at(&database, NOW);
    for path in ["/", "/swagger-ui"] {
        let answer = api.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (307, Some("/swagger-ui/")), "{path}");
    }

    let page = api.get("/swagger-ui/").await;
    assert!(page.header("content-type").is_some_and(|media_type| media_type.starts_with("text/html")));
    let html = page.text();
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("\"//"), "{html}");
    let linked = html
        .split(['"', '\''])
        .filter(|text| text.starts_with("./") || text.ends_with(".css") || text.ends_with(".js"));
    let linked: Vec<_> = linked.map(|file| file.trim_start_matches("./").to_owned()).collect();
    assert!(linked.iter().any(|file| file.ends_with("bundle.js")), "{linked:?}");
    for file in linked {
        assert_eq!(api.get(&format!("/swagger-ui/{file}")).await.status, 200, "{file}");
    }
    let settings = api.get("/swagger-ui/swagger-initializer.js").await.text();
    assert!(settings.contains("../swagger.json") && settings.contains("\"validatorUrl\": \"none\""), "{settings}");
}

#[tokio::test]
async fn every_answer_has_the_members_its_schema_requires_and_no_others() {
    let document = serde_json::to_value(api::document::document()).expect("JSON");
    for (path, examples) in api::examples::all() {
        for example in examples {
            let response = &document["paths"][path]["get"]["responses"][example.status.to_string()];
            let contents = response["content"].as_object().unwrap_or_else(|| panic!("{path} {}", example.status));
            let schema = contents.values().next().expect("a media type")["schema"].clone();
            conform(&document, &schema, &example.body, &format!("{path} {}", example.name));
        }
    }
}

/// Holds a value against the part of JSON Schema that the document uses.
fn conform(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{at}: {reference}"));
        return conform(document, target, value, at);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        // Each part describes some of the members; which are too many is only known of all together.
        return parts.iter().for_each(|part| require(document, part, value, at));
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| (choice["type"] == "null") == value.is_null());
        return conform(document, choice.unwrap_or_else(|| panic!("{at}: {value}")), value, at);
    }
    match value {
        Value::Object(members) => {
            require(document, schema, value, at);
            for name in members.keys() {
                assert!(!schema["properties"][name].is_null(), "{at}: {name} is not documented");
            }
        }
        Value::Array(items) => items.iter().for_each(|item| conform(document, &schema["items"], item, at)),
        _ => {
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                _ => "string",
            };
            let kinds = &schema["type"];
            let is_listed = kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.contains(&kind.into()));
            assert!(is_listed, "{at}: {value} is none of {kinds}");
        }
    }
}

fn require(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return require(document, document.pointer(reference.trim_start_matches('#')).expect("a schema"), value, at);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().expect("a name");
        assert!(value.get(name).is_some(), "{at}: {name} is missing");
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(member) = value.get(name) {
            conform(document, property, member, &format!("{at} {name}"));
        }
    }
}
