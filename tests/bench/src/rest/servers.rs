//! The servers, which run in processes of their own: the benchmark `rest` calls itself.

use axum::{Router, extract::Path, routing::get};
use cninfra::{
    config::Config,
    http::{Http, RouteTable, Routes},
    prelude::*,
};
use cninfra_rest::{Limits, RequestMetrics, Rest, Server};
use std::{
    io::{self, Read as _},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Builder};

fn router() -> Router {
    Router::new().route("/hello/{name}", get(hello))
}

async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}!")
}

#[plugin]
struct Greeter {
    http: Dep<dyn Http>,
}

impl Lifecycle for Greeter {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, Routes::new().get("/hello/{name}", hello))
    }

    /// The address is known once the server listens, which is before this.
    async fn after_init(&self, _: &Context) -> Result<()> {
        self.http.local_addr().into_iter().for_each(tell);
        Ok(())
    }
}

#[derive(Flavor)]
struct Hello {
    #[provides(dyn Http)]
    http: Dep<Rest>,
    greeter: Dep<Greeter>,
}

fn tell(addr: SocketAddr) {
    println!("{addr}");
}

/// Waits until standard input is closed, which happens when the calling process is gone.
fn until_left_alone() {
    let _ = io::stdin().read(&mut [0]);
}

/// Serves until standard input is closed.
pub fn serve(kind: &str) -> ExitCode {
    if kind == "agent" || kind == "uncounted" {
        let config = Config::new().set("http", "endpoint", "127.0.0.1:0").set("http", "metrics", kind == "agent");
        let builder = Agent::<Hello>::builder().config(config);
        let stop = builder.stop_handle();
        std::thread::spawn(move || {
            until_left_alone();
            stop.stop();
        });
        return builder.main(["bench".into()], []);
    }
    let served = Builder::new_multi_thread().enable_all().build().and_then(|runtime| {
        runtime.block_on(async {
            tokio::select! {
                served = run(kind) => served,
                _ = tokio::task::spawn_blocking(until_left_alone) => Ok(()),
            }
        })
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(kind: &str) -> io::Result<()> {
    let limits = match kind {
        "bare" | "again" => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            tell(listener.local_addr()?);
            // As in cninfra's server.
            let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
                let _ = stream.set_nodelay(true);
            });
            return axum::serve(listener, router()).await;
        }
        "times" => Limits::without_times(),
        "all" => Limits::default().write(Duration::from_secs(60)),
        _ => Limits::default(),
    };
    let endpoint = "127.0.0.1:0".parse().map_err(io::Error::other)?;
    let server = Server::bind(endpoint, router()).await.map_err(io::Error::other)?.limits(limits);
    let server =
        if kind == "all" { server.access_to(|access| drop(std::hint::black_box(access.path.clone()))) } else { server };
    let server = if kind == "counted" {
        let mut table = RouteTable::new();
        table.add("bench", Routes::new().get("/hello/{name}", hello)).map_err(io::Error::other)?;
        server.routes(table.index().clone()).metrics(&RequestMetrics::new())
    } else {
        server
    };
    tell(server.local_addr());
    // In a task, like axum's own connections.
    tokio::spawn(server.serve()).await.map(drop).map_err(io::Error::other)
}
