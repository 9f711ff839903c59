//! [`Probe`]: the plugin with the routes of the probes.

use crate::{Body, ProbeConfig, config::FLAGS, health::Health, port::Port};
use cninfra::{
    http::{
        Http, Routes, Scrape,
        axum::{
            Json,
            http::{HeaderMap, StatusCode, header::CACHE_CONTROL},
            response::{IntoResponse, Response},
        },
    },
    metrics::Metrics,
    prelude::*,
    status::AgentStatus,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The Kubernetes probes and the metrics, as routes of the agent's HTTP server. The probes answer with the agent's
/// state ([`Body`]).
///
/// | path | 200 if | otherwise |
/// | --- | --- | --- |
/// | `/startup` | the agent has started | 503 |
/// | `/liveness` | the agent starts, runs, or stops, whatever is wrong outside it | 500: a plugin is broken, and only a restart of the process can fix it |
/// | `/readiness` | the agent has started, and none of its plugins is in error or still starting, except those that do not count | 500 |
/// | `/health` | the predecessor's metrics: the states of the agent and of its plugins (0 while it starts or stops, 1 if it works, 2 in error) | |
/// | `/metrics` | all metrics of the agent's registry ([`Context::metrics`]) | |
///
/// Metrics are text or OpenMetrics, according to the request's `Accept`. A metric that cannot be exposed is left out,
/// and logged once.
///
/// They also answer while the agent starts, from this plugin's `init` on. That comes after the `init` of the server;
/// before, the server answers all paths with 503. So set a startup probe (`/startup`): Kubernetes does not ask for
/// liveness before that has succeeded.
///
/// On the port of the HTTP server the probes share its connections. Clients that connect and send nothing hold their
/// connections until `http.read-header-timeout`, and when there are `http.max-connections` of them, a probe waits, too.
/// If untrusted clients reach that port, give the probes a port of their own, which has its own connections.
///
/// The predecessor's `/liveness` failed if any plugin was in error, so that a lost store restarted every pod that used
/// it. Here that only affects readiness.
///
/// | key | default | meaning |
/// | --- | --- | --- |
/// | `non-fatal` | | plugins, by their instance names, whose state does not count, in addition to those that are optional in the flavor. Their states are shown all the same; `/agent/status` says which these are |
/// | `endpoint` | | a port for all these routes alone, such as `127.0.0.1:9192`; without it, or if it is the HTTP server's, they are routes of that server |
/// | `port` | | the same, by the port alone. Flag `--probe-port`, variable `PROBE_PORT`; also the predecessor's names, `--http-probe-port` and `HTTP_PROBE_PORT` |
///
/// The section is `probe`, its file `probe.conf` (`--probe-config`, `PROBE_CONFIG`). The predecessor's names mean the
/// same: `http-probe`, `http-probe.conf`, `--http-probe-config`, `HTTP_PROBE_CONFIG`. A key that both files set is an
/// error.
#[plugin(alias = "http-probe", flags = FLAGS)]
pub struct Probe {
    http: Dep<dyn Http>,
    #[config]
    config: ProbeConfig,
    port: Mutex<Option<Port>>,
}

impl Probe {
    /// The address of the probes' own port; `None` if they are on the agent's HTTP server, and after it has closed.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.lock().as_ref().map(|port| port.local_addr)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Port>> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lifecycle for Probe {
    async fn init(&self, cx: &Context) -> Result<()> {
        let answers = Answers { cx: cx.clone() };
        cx.status().non_fatal(&self.config.non_fatal);
        let routes = answers.routes(cx)?;
        match self.config.apart_from(self.http.local_addr()) {
            None => self.http.register(cx, routes),
            Some(endpoint) => {
                let port = Port::open(cx, endpoint, routes).await?;
                *self.lock() = Some(port);
                Ok(())
            }
        }
    }

    async fn close(&self, _: &Context) -> Result<()> {
        let port = self.lock().take();
        match port {
            Some(port) => port.close().await,
            None => Ok(()),
        }
    }
}

/// The data that all routes need for their responses.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    cx: Context,
}

impl Answers {
    fn status(&self) -> AgentStatus {
        self.cx.status().agent().probed()
    }

    pub(crate) fn body(&self) -> Body {
        Body::new(&self.status(), self.cx.build_info())
    }

    pub(crate) fn label(&self) -> &str {
        self.cx.label()
    }

    fn answer(&self, else_code: StatusCode, is_well: fn(&AgentStatus) -> bool) -> Response {
        let status = self.status();
        let code = if is_well(&status) { StatusCode::OK } else { else_code };
        // Otherwise a proxy's cache could still say that the agent is ready.
        (code, [(CACHE_CONTROL, "no-store")], Json(Body::new(&status, self.cx.build_info()))).into_response()
    }

    fn routes(&self, cx: &Context) -> Result<Routes> {
        let health = Metrics::new(cx.name());
        health.register_collector("health", Health(self.clone()))?;
        // One handler type for each kind of route: each further type would be compiled by itself.
        let probe = |else_code: StatusCode, is_well: fn(&AgentStatus) -> bool| {
            let this = self.clone();
            async move || this.answer(else_code, is_well)
        };
        let scrape = |metrics: Metrics| {
            let scrape = Arc::new(Scrape::new(cx.log(), metrics));
            async move |headers: HeaderMap| scrape.answer(&headers)
        };
        Ok(Routes::new()
            .get("/startup", probe(StatusCode::SERVICE_UNAVAILABLE, |status| status.has_started))
            .summary("has the agent started?")
            .get("/liveness", probe(StatusCode::INTERNAL_SERVER_ERROR, AgentStatus::is_live))
            .summary("should the process go on?")
            .get("/readiness", probe(StatusCode::INTERNAL_SERVER_ERROR, AgentStatus::is_ready))
            .summary("does the agent do its work?")
            .get("/health", scrape(health))
            .summary("the states of the agent and its plugins, for Prometheus")
            .get("/metrics", scrape(cx.metrics()))
            .summary("all metrics of the agent, for Prometheus")
            .during_start())
    }
}
