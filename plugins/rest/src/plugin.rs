//! [`Rest`]: the server as a plugin.

use crate::{Handle, RestConfig, Server, config::FLAGS, registered::Registered};
use cninfra::{
    Task,
    http::{Http, Route, Routes},
    prelude::*,
};
use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What is in flight when the agent stops has this long to finish: less than an agent has for draining by default, which
/// is half of its five seconds to stop.
const DRAIN: Duration = Duration::from_secs(2);

/// The HTTP server of an agent: it provides [`Http`].
///
/// | key | flag, variable | default | |
/// | --- | --- | --- | --- |
/// | `endpoint` | | `0.0.0.0:9191` | where it listens; `:9191` is all interfaces |
/// | `port` | `--http-port`, `HTTP_PORT` | | the port, over that of `endpoint`; 0 takes a free one. An `endpoint` of a higher layer hides it |
///
/// Other plugins register their routes in their `init`; it serves from its `after_init` on. When the agent stops it takes no
/// more connections, and requests in flight have two seconds to finish.
#[plugin(name = "http", flags = FLAGS)]
pub struct Rest {
    #[config]
    config: RestConfig,
    registered: Mutex<Registered>,
    serving: Mutex<Option<Serving>>,
}

struct Serving {
    local_addr: SocketAddr,
    handle: Handle,
    /// The future of [`Server::serve`]; none after close.
    task: Option<Task<()>>,
}

impl Rest {
    /// The address where it listens; `None` before it does, and after it has closed.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        lock(&self.serving).as_ref().filter(|serving| serving.task.is_some()).map(|serving| serving.local_addr)
    }

    fn handle(&self) -> Option<Handle> {
        lock(&self.serving).as_ref().map(|serving| serving.handle.clone())
    }
}

impl Http for Rest {
    fn register(&self, owner: &Context, routes: Routes) -> Result<()> {
        let what = format!("`{}` registers {routes:?}", owner.name());
        match lock(&self.registered).add(owner.name(), routes) {
            Some(added) => added.map_err(|error| {
                let help = error.help();
                Error::from(error).with_help(help)
            }),
            None => Err(Error::msg(format_args!("{what}, but the server serves already"))
                .with_help("register routes in `init`: the server starts to serve in `after_init`")),
        }
    }

    fn routes(&self) -> Vec<Route> {
        lock(&self.registered).routes().to_vec()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        Rest::local_addr(self)
    }
}

impl Lifecycle for Rest {
    async fn after_init(&self, cx: &Context) -> Result<()> {
        let endpoint = self.config.listen();
        if self.config.is_default() {
            cx.log().warn(format_args!(
                "nothing says where to listen: {endpoint}, open to everybody who reaches this machine; set `endpoint` in http.conf"
            ));
        }
        let router = lock(&self.registered).close().unwrap_or_default();
        let server = Server::bind(endpoint, router).await.map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => {
                    "choose another port by --http-port, HTTP_PORT or `endpoint` in http.conf"
                }
                _ => "choose another `endpoint` in http.conf",
            };
            Error::from(error).with_help(help)
        })?;
        let log = cx.log();
        let server = server.report_to(move |incident| log.error(incident));
        let (local_addr, handle) = (server.local_addr(), server.handle());
        let mut serving = lock(&self.serving);
        let task = Some(cx.spawn("serve", server.serve()));
        *serving = Some(Serving { local_addr, handle, task });
        cx.log().info(format_args!("listens on {local_addr}"));
        Ok(())
    }

    async fn drain(&self, cx: &Context) -> Result<()> {
        if let Some(handle) = self.handle() {
            cx.log().info("takes no more connections");
            if tokio::time::timeout(DRAIN, handle.drain()).await.is_err() {
                cx.log().warn(format_args!("requests were still in flight after {DRAIN:?}: they are cut off"));
            }
        }
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        // the handlers of a server that never served
        lock(&self.registered).close();
        if let Some(handle) = self.handle() {
            handle.end().await;
        }
        let task = lock(&self.serving).as_mut().and_then(|serving| serving.task.take());
        if let Some(task) = task {
            task.await.context("the server's task")?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
