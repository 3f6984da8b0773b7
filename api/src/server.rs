//! The server: threads, limits and deadlines of HTTP, and the way out.

use std::net::TcpListener;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use anyhow::Context as _;
use store::{Store, StoreConfig};
use tokio_util::sync::CancellationToken;
use tracing::info;
use utoipa_actix_web::AppExt as _;

use crate::clock::Clock;
use crate::config::Config;
use crate::desk::Desk;
use crate::document::{document, swagger_json, swagger_ui};
use crate::following::follow;
use crate::metrics::metrics;
use crate::middleware::{errors_as_problems, finish_headers, head_as_get};
use crate::quick::Quick;
use crate::routes::{otherwise, questions, to_document};

/// How long a client may take to send its request line and headers.
const REQUEST_DEADLINE: Duration = Duration::from_secs(5);

/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long a client may take to close its side.
const DISCONNECT_DEADLINE: Duration = Duration::from_secs(1);

/// How long requests begun may take when we are told to stop, in seconds.
const SHUTDOWN_SECONDS: u64 = 2;

/// Answers on a listener until told to stop.
///
/// # Errors
/// When the configuration cannot work or the listener fails.
pub async fn run(
    listener: TcpListener,
    config: &Config,
    clock: Clock,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let store = Store::connect(&store_config(config)).context("could not prepare the database pool")?;
    let desk = Data::new(Desk::new(store, config, clock));
    let (kept_right, at_hand) = (desk.clone(), desk.clone());
    let address = listener.local_addr().context("could not tell the address of the listener")?;
    document();

    let server = HttpServer::new(move || {
        let (app, _) = App::new().into_utoipa_app().configure(questions).split_for_parts();
        app.app_data(desk.clone())
            .route("/", web::get().to(to_document))
            .route("/metrics", web::get().to(metrics))
            .route("/swagger-ui", web::get().to(to_document))
            .route("/swagger.json", web::get().to(swagger_json))
            .route("/swagger-ui/{file:.*}", web::get().to(swagger_ui))
            .default_service(web::to(otherwise))
            .wrap(from_fn(head_as_get))
            .wrap(cors())
            .wrap(from_fn(errors_as_problems))
            .wrap(Compress::default())
            .wrap(from_fn(finish_headers))
            .wrap(Quick(desk.clone()))
    })
    .workers(threads(config))
    .max_connections(config.max_connections)
    .client_request_timeout(REQUEST_DEADLINE)
    .client_disconnect_timeout(DISCONNECT_DEADLINE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)
    .with_context(|| format!("could not listen on {address}"))?
    .run();

    info!(%address, "answering on http://{address}, try it at http://{address}/swagger-ui/");
    let following = config.latest_cache.then(|| {
        let (desk, shutdown) = (kept_right, shutdown.clone());
        tokio::spawn(async move { follow(&desk, &shutdown).await })
    });
    let looking_up = {
        let (desk, shutdown) = (at_hand, shutdown.clone());
        tokio::spawn(async move { desk.lookups.answer(&desk.store, desk.interval, &shutdown).await })
    };
    let handle = server.handle();
    let stopping = tokio::spawn(async move {
        shutdown.cancelled().await;
        handle.stop(true).await;
    });
    let ended = server.await.context("the server failed");
    stopping.abort();
    looking_up.abort();
    if let Some(following) = following {
        following.abort();
    }
    info!("stopped");
    ended
}

fn store_config(config: &Config) -> StoreConfig {
    // The request gives up at its deadline; the statement must not outlive it by much.
    StoreConfig {
        application_name: "truetape api".to_owned(),
        pool_size: config.db_pool,
        statement_timeout: config.db_deadline,
        wait_timeout: config.db_deadline,
        create_timeout: config.db_deadline,
        recycle_timeout: config.db_deadline,
        ..StoreConfig::new(&config.pg_string)
    }
}

fn threads(config: &Config) -> usize {
    match config.http_workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        threads => threads,
    }
}

/// Everyone may read, from any page.
fn cors() -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_any_header()
        .expose_any_header()
        .max_age(3_600)
}
