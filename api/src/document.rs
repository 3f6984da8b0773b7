//! The OpenAPI document, and the page that lets one try it out.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use actix_web::web::{Data, Path};
use actix_web::{App, HttpRequest, HttpResponse, ResponseError as _};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tape::Mark;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::Config;

use crate::desk::Desk;
use crate::examples;
use crate::problem::{Code, Problem, echo};
use crate::respond;
use crate::routes::questions;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Truetape",
        description = "Exact volume-weighted average prices over a rolling window: provisional while trades are \
            only heard, final once the exchange's REST endpoint has confirmed every one of them.\n\n\
            A window of length I closing at t holds the trades with t - I < ts <= t. Prices, volumes and notionals \
            are exact decimals, written as strings. Instants are epoch milliseconds; RFC 3339 is accepted too.\n\n\
            Every error is `application/problem+json` (RFC 9457) with a stable `code` and a sentence. Only reading is \
            possible: other methods answer 405.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "Figures", description = "What was traded, at which average price, and how sure that is"),
        (name = "Receipts", description = "The evidence of final figures: recompute them from the exchange yourself"),
        (name = "Health", description = "Whether we live, can answer, and are fresh")
    )
)]
struct Frame;

static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(|| {
    let (_, mut document) =
        App::new().into_utoipa_app().openapi(Frame::openapi()).configure(questions).split_for_parts();
    examples::fill(&mut document);
    document
});

static PAGE: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // Without "none" the page asks a validator on the internet about us.
    let config =
        Config::new(["../swagger.json"]).validator_url("none").try_it_out_enabled(true).display_request_duration(true);
    Arc::new(config)
});

/// The document, the same for every thread: built once.
pub fn document() -> &'static utoipa::openapi::OpenApi {
    &DOCUMENT
}

/// `GET /swagger.json`: the document. What the page fills in beforehand is a
/// ticker and a moment that there are, where the database can say so.
pub async fn swagger_json(desk: Data<Desk>) -> HttpResponse {
    let mut document = serde_json::to_value(document()).expect("a document is always JSON");
    if let Ok(known) = desk.ask(desk.store.tickers_known(None, None, desk.interval, 1)).await
        && let Some(first) = known.first()
    {
        prefill(&mut document, |_| true, "ticker", &json!(first.standing.ticker.as_str()));
        if let Some(mark) = first.standing.newest_mark {
            prefill(&mut document, |path| path != "/receipt", "ts", &json!(mark.ms().to_string()));
        }
        // Only what is final has a receipt.
        let settled = Mark::at_or_before(first.standing.settled_until).at();
        prefill(&mut document, |path| path == "/receipt", "ts", &json!(settled.ms().to_string()));
    }
    respond::uncached(&document)
}

/// Gives a required parameter another example wherever it stands on some paths.
fn prefill(document: &mut Value, on: impl Fn(&str) -> bool, parameter: &str, example: &Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let chosen = paths.into_iter().flatten().filter(|(path, _)| on(path.as_str()));
    let operations = chosen.filter_map(|(_, path)| path.get_mut("get"));
    let parameters = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    for candidate in parameters {
        if candidate["name"] == parameter && candidate["required"] == true {
            candidate["example"] = example.clone();
        }
    }
}

/// `GET /swagger-ui/…`: the page and its files, none of which is elsewhere.
/// They are kept compressed; who cannot read that gets them plain.
pub async fn swagger_ui(request: HttpRequest, path: Path<String>) -> HttpResponse {
    let file = utoipa_swagger_ui::serve(&path, PAGE.clone());
    let Some(file) = file.ok().flatten() else {
        let detail = format!("The page has no file {}. It begins at /swagger-ui/.", echo(&path));
        return Problem::new(Code::UnknownPath, detail).error_response();
    };
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type).insert_header((VARY, "accept-encoding"));
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok());
    let is_gzipped = file.bytes.starts_with(&[0x1f, 0x8b]);
    if !is_gzipped {
        return response.body(file.bytes.into_owned());
    }
    if accepted.is_some_and(|accepted| accepted.contains("gzip")) {
        return response.insert_header((CONTENT_ENCODING, "gzip")).body(file.bytes.into_owned());
    }
    let mut plain = Vec::new();
    GzDecoder::new(&*file.bytes).read_to_end(&mut plain).expect("the files were compressed when this was built");
    response.body(plain)
}
