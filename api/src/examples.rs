//! The examples of the document. Each is what a server really answered: a test
//! asks a running one again and holds the answer against it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{OpenApi, RefOr};

/// The examples of each path.
const FILES: &[(&str, &str)] = &[
    ("/latest", include_str!("examples/latest.json")),
    ("/historical", include_str!("examples/historical.json")),
    ("/tickers", include_str!("examples/tickers.json")),
    ("/vwap", include_str!("examples/vwap.json")),
    ("/quality", include_str!("examples/quality.json")),
    ("/receipt", include_str!("examples/receipt.json")),
    ("/receipt/restatements", include_str!("examples/receipt_restatements.json")),
    ("/health", include_str!("examples/health.json")),
    ("/health/livez", include_str!("examples/livez.json")),
    ("/health/readyz", include_str!("examples/readyz.json")),
];

/// One request and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Its name in the document.
    pub name: String,
    /// A few words about it.
    pub summary: String,
    /// The state of things it was asked in.
    pub world: String,
    /// Path and query.
    pub request: String,
    /// The status answered.
    pub status: u16,
    /// The body answered.
    pub body: Value,
}

/// The examples of each path.
pub fn all() -> Vec<(&'static str, Vec<Example>)> {
    let read = |text| serde_json::from_str(text).expect("the examples are part of the source, and a test reads them");
    FILES.iter().map(|(path, text)| (*path, read(text))).collect()
}

/// Puts the examples where they belong.
pub fn fill(document: &mut OpenApi) {
    for (path, examples) in all() {
        let operation = document.paths.paths.get_mut(path).and_then(|item| item.get.as_mut());
        let Some(operation) = operation else { continue };
        for example in examples {
            let response = operation.responses.responses.get_mut(&example.status.to_string());
            let Some(RefOr::T(response)) = response else { continue };
            for content in response.content.values_mut() {
                let RefOr::T(content) = content else { continue };
                let filled = ExampleBuilder::new().summary(&example.summary).value(Some(example.body.clone())).build();
                content.examples.insert(example.name.clone(), RefOr::T(filled));
            }
        }
    }
}
