//! Levels of loggers over HTTP, in a program without an agent: the registry of loggers and the server can also be used
//! as libraries.
//!
//! ```sh
//! cargo run -p logs-lib --bin http            # or: http 127.0.0.1:9000
//! curl localhost:8080/list
//! curl -X PUT localhost:8080/set/worker/debug
//! ```
//!
//! In an agent all of this is available as the plugin `LogManager` of the crate `cninfra-logmanager`.

use cninfra::{
    debug,
    http::{
        Json, Path, RouteTable, Routes,
        axum::{
            http::StatusCode,
            response::{IntoResponse, Response},
        },
        error_response,
    },
    info,
    logging::{Level, LogSettings, Loggers, Output},
};
use cninfra_rest::{Endpoint, Server};
use std::{error::Error, process::ExitCode, time::Duration};
use tokio::time::timeout;

const ENDPOINT: &str = "127.0.0.1:8080";

/// Requests in flight have this time to finish.
const DRAIN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let loggers = Loggers::new("example", LogSettings::new());
    Output::stderr().install();
    let (log, worker) = (loggers.get("server"), loggers.get("worker"));

    let mut table = RouteTable::new();
    table.add("example", routes(&loggers))?;
    let endpoint: Endpoint = std::env::args().nth(1).as_deref().unwrap_or(ENDPOINT).parse()?;
    let server = Server::bind(endpoint, table.router()).await?;
    info!(log, addr = %server.local_addr(), "listens");

    let handle = server.handle();
    let serving = tokio::spawn(server.serve());
    let work = async {
        loop {
            debug!(worker, "looks for work");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = work => {}
        signal = tokio::signal::ctrl_c() => signal?,
    }
    log.info("drains: takes no more connections, and finishes what is in flight");
    if timeout(DRAIN, handle.drain()).await.is_err() {
        handle.end().await;
    }
    match serving.await? {
        0 => log.info("is done"),
        cut => log.warn(format_args!("is done; {cut} requests were cut off")),
    }
    Ok(())
}

fn routes(loggers: &Loggers) -> Routes {
    let (listed, set) = (loggers.clone(), loggers.clone());
    let list = async move || Json(listed.list());
    let set = async move |Path((logger, level)): Path<(String, String)>| {
        let changed = change(&set, &logger, &level);
        changed.unwrap_or_else(|error| error_response(StatusCode::BAD_REQUEST, &error.to_string()))
    };
    Routes::new().get("/list", list).put("/set/{logger}/{level}", set)
}

/// Also works for a logger that does not exist yet, and for a pattern.
fn change(loggers: &Loggers, logger: &str, level: &str) -> cninfra::Result<Response> {
    let level: Level = level.parse()?;
    loggers.set(logger, level)?;
    Ok(Json(loggers.level(logger)).into_response())
}
