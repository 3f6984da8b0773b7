//! The least that actix can do: a server that answers everything with one
//! constant body. It is what `latest` is held against.

use std::io::Write as _;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context as _;

/// Answers with a body, on one thread, until it is killed. Its port is the first line it says.
///
/// # Errors
/// When it cannot listen.
pub fn serve(body: &'static str) -> anyhow::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let answer = move || async move { HttpResponse::Ok().content_type("application/json").body(body) };
        let server = HttpServer::new(move || App::new().route("/latest", web::get().to(answer)))
            .workers(1)
            .max_connections(12_000)
            // Whoever waits for thousands of others is not shown out.
            .client_request_timeout(Duration::ZERO)
            .keep_alive(Duration::from_secs(30))
            .bind(("127.0.0.1", 0))
            .context("could not listen")?;
        let port = server.addrs().first().context("it listens nowhere")?.port();
        println!("{port}");
        std::io::stdout().flush()?;
        server.run().await.context("the server failed")
    })
}
