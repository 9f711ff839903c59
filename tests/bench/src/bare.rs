//! The baseline of the benchmark `agent`: a program that answers the same paths without cninfra, with the same versions
//! of tokio, axum and `serde_json`.
//!
//! It listens on the port of the variable `HTTP_PORT`, on all interfaces, as the agent does.
#![forbid(unsafe_code)]

use axum::{Json, Router, routing::get};
use std::{env, io, process::ExitCode};
use tokio::{net::TcpListener, runtime::Builder};

/// The least that the agent's probes answer.
async fn probe() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "state": 1, "plugins": [] }))
}

async fn serve() -> io::Result<()> {
    let port: u16 = env::var("HTTP_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(9191);
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    // As in the agent's server.
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route("/liveness", get(probe)).route("/readiness", get(probe))).await
}

fn main() -> ExitCode {
    match Builder::new_multi_thread().enable_all().build().and_then(|runtime| runtime.block_on(serve())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
