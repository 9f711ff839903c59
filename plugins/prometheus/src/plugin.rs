//! [`Prometheus`]: the plugin that keeps registries by path.

use cninfra::{
    http::{Http, Routes, Scrape, axum::http::HeaderMap},
    metrics::Metrics,
    prelude::*,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Registries of metrics, each on a path of the agent's HTTP server.
///
/// ```
/// use cninfra::{http::Http, metrics::Gauge, prelude::*};
/// use cninfra_prometheus::Prometheus;
///
/// #[plugin]
/// struct Countdown {
///     prometheus: Dep<Prometheus>,
///     left: Gauge<i64>,
/// }
///
/// impl Lifecycle for Countdown {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let custom = self.prometheus.registry(cx, "/custom")?;
///         custom.register("countdown_left", "What is left of the countdown", self.left.clone())
///     }
/// }
/// ```
#[plugin]
pub struct Prometheus {
    http: Dep<dyn Http>,
    registries: Mutex<BTreeMap<String, Metrics>>,
}

impl Prometheus {
    /// The registry that is scraped on this path, for metrics of the plugin `owner`. The first caller creates it, and
    /// owns the route. Call it in `init`.
    ///
    /// # Errors
    /// The path is not a valid route, or another plugin has it; or the server is already serving.
    pub fn registry(&self, owner: &Context, path: &str) -> Result<Metrics> {
        let known = self.lock().get(path).cloned();
        if let Some(metrics) = known {
            return Ok(metrics.of(owner.name()));
        }
        let metrics = Metrics::new(owner.name());
        self.http.register(owner, routes(owner.log(), path, metrics.clone()))?;
        // If two callers create the same path at once, the route of the second one was refused above.
        self.lock().insert(path.to_string(), metrics.clone());
        Ok(metrics)
    }

    /// The registry of this path, if there is one, for metrics of the plugin `owner`. It can also be called after the
    /// start.
    #[must_use]
    pub fn find(&self, owner: &Context, path: &str) -> Option<Metrics> {
        self.lock().get(path).map(|metrics| metrics.of(owner.name()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Metrics>> {
        self.registries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn routes(log: Logger, path: &str, metrics: Metrics) -> Routes {
    let scrape = Arc::new(Scrape::new(log, metrics));
    Routes::new().get(path, async move |headers: HeaderMap| scrape.answer(&headers)).summary("metrics, for Prometheus")
}
