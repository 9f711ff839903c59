//! [`Rest`]: the server as a plugin.

use crate::{
    Access, Handle, Incident, RequestMetrics, RestConfig, Server, config::FLAGS, early::Early, page,
    registered::Registered, server::RouteSwitch,
};
use cninfra::{
    Logger, Task,
    agent::Called,
    http::{Http, Route, RouteError, Routes},
    prelude::*,
};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// How long connections that are cut off may take to end, within the server's time to drain, but at most a fifth of
/// that. Thousands of connections take some time.
const ENDING: Duration = Duration::from_millis(500);

/// The HTTP server of an agent: it provides [`Http`].
///
/// | key | default | meaning |
/// | --- | --- | --- |
/// | `endpoint` | `0.0.0.0:9191` | where it listens; `:9191` for all interfaces |
/// | `port` | | the port, which overrides that of `endpoint`; 0 for any free port. An `endpoint` in a higher layer hides it. Flag `--http-port`, variable `HTTP_PORT` |
/// | `read-timeout` | `30s` | time for a whole request with its body; then 408 |
/// | `read-header-timeout` | `10s` | time for a request's head; then the connection is closed |
/// | `write-timeout` | `0` | time from the end of a request's head to the end of its response; then the connection is closed |
/// | `idle-timeout` | `75s` | how long a connection is kept without a request; then it is closed |
/// | `stall-timeout` | `30s` | how long a client may take nothing of its response; then the connection is closed |
/// | `handler-timeout` | `60s` | time for a handler, until its response begins; then 503, and an error in the log with the route's owner |
/// | `drain-timeout` | `0` | time for requests in flight when the agent stops; 0 for all the time that the agent has for draining, the maximum in any case |
/// | `max-header-bytes` | `64KiB` | size of a request's head; above it 431 |
/// | `body-limit` | `2MiB` | size of a request's body; above it 413 |
/// | `total-body-limit` | `256MiB` | size of the bodies of all requests together, as far as handlers hold them; above it 503 with `Retry-After` |
/// | `max-connections` | `4096` | connections at a time; further ones wait. Never more than three quarters of the files that the process may open (but at least 64) |
/// | `access-log` | `false` | logs each request: method, path, status, duration, peer, owner |
/// | `metrics` | `true` | counts requests in the agent's registry: see [`RequestMetrics`] |
/// | `index` | `true` | `GET /` lists the routes, if no plugin has a route `/` |
///
/// For times and sizes 0 means no limit, with these exceptions: for `read-header-timeout` and `idle-timeout` it means
/// the value of `read-timeout`, for `drain-timeout` see above, and for `max-header-bytes` it means 1 MiB, as in Go.
/// Keys may also be spelled as in the predecessor (`ReadTimeout`).
///
/// A request of HTTP/1.1 must have exactly one valid header `Host`, otherwise the answer is 400. Its body may be
/// chunked; any other transfer coding is answered with 501. If a handler leaves a part of the body, the server reads
/// it, if it has already arrived and is at most 4 KiB; otherwise the response says `Connection: close`.
///
/// What is not a valid request is answered with 400, 413, 414 or 431 in JSON, appears in the access log with `-` as its
/// method, and is counted. Two things are closed without an answer: a head that is not complete in time, since it is
/// not known what it asks for, and what begins like HTTP/2, since such a client would not understand the answer.
///
/// Clients that connect and send nothing count as connections until `read-header-timeout`. If untrusted clients reach the
/// server, give the probes a port of their own.
///
/// It binds its port in its `init`, before any plugin that depends on it begins, so that a port in use ends the start
/// early. Other plugins register their routes in their `init`. They are served from the server's `after_init` on, when
/// all routes are known. Until then the answer is 503 with `Retry-After`, except for routes that are marked
/// [`during_start`](Routes::during_start), such as the probes'. A client that connects in the first 10 ms after the
/// bind waits for the end of the start instead, but no longer than these 10 ms: most starts take less. When the agent
/// stops, it accepts no more connections, and requests in flight have the agent's time for draining (half of its time
/// to stop) to finish.
#[plugin(name = "http", flags = FLAGS)]
pub struct Rest {
    #[config(check = RestConfig::check)]
    config: RestConfig,
    registered: Arc<Mutex<Registered>>,
    serving: Mutex<Option<Serving>>,
}

struct Serving {
    local_addr: SocketAddr,
    handle: Handle,
    switch: RouteSwitch,
    /// The future of [`Server::serve`]; `None` once its end was awaited.
    task: Option<Task<usize>>,
}

impl Rest {
    /// The address where it listens; `None` before it does, and after it has closed.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        lock(&self.serving).as_ref().filter(|serving| serving.task.is_some()).map(|serving| serving.local_addr)
    }

    /// Called when the routes are complete: the server serves all of them, and the page that lists them.
    fn answer_all(&self, cx: &Context, switch: &RouteSwitch) -> Result<()> {
        if self.config.index {
            let page = page::routes(cx.label(), &self.registered);
            self.registered(|registered| match registered.index().routes().iter().all(|route| route.path != "/") {
                true => registered.add(cx.name(), cx.failed_attempts(), &page).transpose(),
                false => Ok(None),
            })?;
        }
        // One round, unless a plugin registers further routes meanwhile.
        while let Some((table, version)) = self.registered(|registered| registered.open()) {
            let index = table.index().clone();
            switch.replace_all(table, version);
            self.registered(|registered| registered.close_at(version, index));
        }
        Ok(())
    }

    /// Waits for the end of the server, and logs how many requests were cut off.
    async fn ended(&self, cx: &Context) -> Result<()> {
        let task = lock(&self.serving).as_mut().and_then(|serving| serving.task.take());
        let Some(task) = task else { return Ok(()) };
        match task.await.context("the server's task")? {
            0 => {}
            1 => cx.log().warn("a request was still in flight: it is cut off"),
            count => cx.log().warn(format_args!("{count} requests were still in flight: they are cut off")),
        }
        Ok(())
    }

    /// Adds routes while the server serves, for a plugin whose `init` failed and is called again.
    fn come_late(&self, owner: &Context, routes: &Routes) -> Result<()> {
        let Some(added) = self.switch().and_then(|switch| switch.add(owner.name(), owner.failed_attempts(), routes))
        else {
            let what = format_args!("`{}` registers routes, but the server has ended", owner.name());
            return Err(Error::msg(what).with_help("the agent stops"));
        };
        let (index, version) = added.map_err(refused)?;
        self.registered(|registered| registered.replace_index(index, version));
        Ok(())
    }

    /// Handlers are foreign code, which may call this plugin, also when they are cloned or dropped. So none of that is
    /// done under its locks: what `run` returns is dropped after the lock is released.
    fn registered<T>(&self, run: impl FnOnce(&mut Registered) -> T) -> T {
        run(&mut lock(&self.registered))
    }

    fn switch(&self) -> Option<RouteSwitch> {
        lock(&self.serving).as_ref().map(|serving| serving.switch.clone())
    }

    fn handle(&self) -> Option<Handle> {
        lock(&self.serving).as_ref().map(|serving| serving.handle.clone())
    }
}

impl Http for Rest {
    fn register(&self, owner: &Context, routes: Routes) -> Result<()> {
        match self.registered(|registered| registered.add(owner.name(), owner.failed_attempts(), &routes)) {
            Some(Ok(_former)) => Ok(()),
            Some(Err(error)) => Err(refused(error)),
            None if owner.is_down() => self.come_late(owner, &routes),
            None => {
                let what = format_args!("`{}` registers {routes:?}, but the server serves already", owner.name());
                Err(Error::msg(what).with_help("register routes in `init`: the server starts to serve in `after_init`"))
            }
        }
    }

    fn routes(&self) -> Vec<Route> {
        self.registered(|registered| registered.index().clone()).routes().to_vec()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        Rest::local_addr(self)
    }
}

impl Lifecycle for Rest {
    async fn init(&self, cx: &Context) -> Result<()> {
        let endpoint = self.config.listen();
        if self.config.is_default() {
            cx.log().warn(format_args!(
                "nothing says where to listen: {endpoint}, open to everybody who reaches this machine; set `endpoint` in http.conf"
            ));
        }
        let early = Early::new(Arc::downgrade(&self.registered));
        let server = Server::bind_early(endpoint, early).await.map_err(|error| {
            let help = match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => {
                    "choose another port by --http-port, HTTP_PORT or `endpoint` in http.conf"
                }
                _ => "choose another `endpoint` in http.conf",
            };
            Error::from(error).with_help(help)
        })?;
        let log = cx.log();
        let report = move |incident: &Incident| {
            if !incident.is_logged() {
                log.error(incident);
            }
        };
        let server = server.of(cx).limits(self.config.limits()).report_to(report);
        let log = cx.log();
        let server = if self.config.access_log { server.access_to(move |access| tell(&log, access)) } else { server };
        let server = if self.config.metrics {
            let metrics = RequestMetrics::new();
            metrics.register(&cx.metrics())?;
            server.metrics(&metrics)
        } else {
            server
        };
        let (local_addr, handle, switch) = (server.local_addr(), server.handle(), server.switch());
        cx.log().debug(format_args!("has bound {local_addr}"));
        let task = Some(cx.spawn("serve", server.serve()));
        *lock(&self.serving) = Some(Serving { local_addr, handle, switch, task });
        Ok(())
    }

    async fn after_init(&self, cx: &Context) -> Result<()> {
        let serving = lock(&self.serving).as_ref().map(|serving| (serving.switch.clone(), serving.local_addr));
        if let Some((switch, local_addr)) = serving {
            self.answer_all(cx, &switch)?;
            cx.log().info(format_args!("listens on {local_addr}"));
        }
        Ok(())
    }

    async fn drain(&self, cx: &Context) -> Result<()> {
        let Some(handle) = self.handle() else { return Ok(()) };
        cx.log().info("takes no more connections");
        let whole = cx.time_left().unwrap_or_default();
        let ending = ENDING.min(whole / 5);
        let most =
            Some(*self.config.drain_timeout).filter(|limit| !limit.is_zero()).unwrap_or(whole).min(whole - ending);
        // The other half is for reporting: after the plugin's limit nothing is reported any more.
        if timeout(most, handle.drain_within(most)).await.is_err() && timeout(ending / 2, handle.end()).await.is_err() {
            // If no handler blocks, there are only many connections.
            let named = blocking(cx);
            if !named.is_empty() {
                let list = named.join("\n  - ");
                cx.log().warn(format_args!("a handler blocks its thread: its request cannot be cut off\n  - {list}"));
            }
            return Ok(());
        }
        self.ended(cx).await
    }

    async fn close(&self, cx: &Context) -> Result<()> {
        // Drops the handlers of a server that never served.
        self.registered(|registered| registered.close());
        if let Some(serving) = &mut *lock(&self.serving) {
            serving.switch.detach();
        }
        if let Some(handle) = self.handle() {
            let whole = cx.time_left().unwrap_or(Duration::MAX);
            // After the limit, the report would only name this plugin, which can do nothing about it.
            if timeout(whole - whole / 5, handle.end()).await.is_err() {
                let named = blocking(cx).join(", ");
                if !named.is_empty() {
                    let what = format_args!("it cannot end, since a thread is blocked by {named}");
                    return Err(Error::msg(what).with_help("what blocks belongs in `tokio::task::spawn_blocking`"));
                }
                handle.end().await;
            }
        }
        self.ended(cx).await
    }
}

/// The handlers that block their threads now, with their owners.
fn blocking(cx: &Context) -> Vec<String> {
    let name = |called: Called| format!("the {} of `{}`", called.what, called.owner.as_deref().unwrap_or("-"));
    cx.called().into_iter().map(name).collect()
}

/// Keeps the help of the error.
fn refused(error: RouteError) -> Error {
    let help = error.help();
    Error::from(error).with_help(help)
}

/// Writes a record of the access log.
fn tell(log: &Logger, access: &Access) {
    let Access { method, path, status, took, peer, route, .. } = access;
    let (owner, took) = (route.as_ref().map_or("-", |route| &*route.owner), format!("{took:.1?}"));
    let status = status.as_u16();
    cninfra::info!(log, %method, %path, status, %took, %peer, owner, "answered");
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
