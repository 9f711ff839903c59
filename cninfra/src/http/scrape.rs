//! [`Scrape`]: metrics as the answer of a handler.

use crate::{
    Logger,
    metrics::{Format, Metrics},
};
use axum::{
    http::{
        HeaderMap,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// The most left-out metrics that are logged, since a collector may make names without end.
const MAX_LOGGED: usize = 1000;

/// Answers Prometheus when it scrapes a registry, as text or OpenMetrics, whichever it asks for.
///
/// ```
/// use cninfra::{http::{Http, Routes, Scrape, axum::http::HeaderMap}, metrics::Metrics, prelude::*};
/// use std::sync::Arc;
///
/// #[plugin]
/// struct Tenants {
///     http: Dep<dyn Http>,
/// }
///
/// impl Lifecycle for Tenants {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let scrape = Arc::new(Scrape::new(cx.log(), Metrics::new(cx.name())));
///         self.http.register(cx, Routes::new().get("/tenants", async move |headers: HeaderMap| scrape.answer(&headers)))
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Scrape {
    log: Logger,
    metrics: Metrics,
    /// What was left out and has been logged, since it is logged once, and not for each scrape.
    logged: Mutex<BTreeSet<String>>,
}

impl Scrape {
    /// For this registry. A metric that cannot be exposed is a warning in this log, once for each.
    #[must_use]
    pub fn new(log: Logger, metrics: Metrics) -> Self {
        Scrape { log, metrics, logged: Mutex::default() }
    }

    /// All current metrics, in the format that the request with these headers asks for.
    #[must_use]
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let accept: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let format = Format::of_accept(&accept.join(","));
        let exposition = self.metrics.expose(format);
        for left_out in exposition.left_out {
            let (is_new, count) = {
                let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
                (logged.len() < MAX_LOGGED && logged.insert(left_out.clone()), logged.len())
            };
            if is_new {
                self.log.warn(left_out);
                if count == MAX_LOGGED {
                    self.log.warn(format_args!("{MAX_LOGGED} metrics were left out: further ones are not logged"));
                }
            }
        }
        // A proxy's cache must neither answer in another format nor with old values.
        let headers = [(CONTENT_TYPE, format.content_type()), (VARY, "accept"), (CACHE_CONTROL, "no-store")];
        (headers, exposition.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        logging::{LogSettings, Loggers},
        metrics::Collector,
        testing::log::Log,
    };
    use axum::http::HeaderValue;
    use prometheus_client::encoding::DescriptorEncoder;

    #[derive(Debug)]
    struct Wrong;

    impl Collector for Wrong {
        fn encode(&self, _: DescriptorEncoder<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }

    #[test]
    fn what_is_left_out_is_logged_once() {
        let metrics = Metrics::new("me");
        metrics.register_collector("wrong", Wrong).unwrap();
        let scrape = Scrape::new(Loggers::new("x", LogSettings::new()).get("me"), metrics.clone());
        let log = Log::default();
        log.during(|| {
            for _ in 0..3 {
                assert_eq!(scrape.answer(&HeaderMap::new()).status(), 200);
            }
            metrics.register_collector("worse", Wrong).unwrap();
            let _ = scrape.answer(&HeaderMap::new());
        });
        let text = log.text();
        for name in ["wrong", "worse"] {
            let told = format!("metric `{name}` of `me` could not be written");
            assert_eq!(text.matches(&told).count(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_left_out_is_kept_and_logged_within_a_bound() {
        let metrics = Metrics::new("me");
        for number in 0..MAX_LOGGED + 5 {
            metrics.register_collector(&format!("wrong{number}"), Wrong).unwrap();
        }
        let scrape = Scrape::new(Loggers::new("x", LogSettings::new()).get("me"), metrics);
        let log = Log::default();
        log.during(|| {
            for _ in 0..2 {
                let _ = scrape.answer(&HeaderMap::new());
            }
        });
        let text = log.text();
        assert_eq!(text.matches("could not be written").count(), MAX_LOGGED);
        assert_eq!(text.matches("1000 metrics were left out: further ones are not logged").count(), 1);
    }

    #[test]
    fn the_format_is_that_of_all_accept_headers_together() {
        let scrape = Scrape::new(Loggers::new("x", LogSettings::new()).get("me"), Metrics::new("me"));
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/plain;q=0.2"));
        headers.append(ACCEPT, HeaderValue::from_static("application/openmetrics-text"));
        let kind = |headers| scrape.answer(headers).headers()[CONTENT_TYPE].clone();
        assert_eq!(kind(&headers), "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert_eq!(kind(&HeaderMap::new()), "text/plain; version=0.0.4; charset=utf-8");
    }

    #[test]
    fn no_cache_keeps_an_answer_or_takes_one_format_for_the_other() {
        let scrape = Scrape::new(Loggers::new("x", LogSettings::new()).get("me"), Metrics::new("me"));
        let answer = scrape.answer(&HeaderMap::new());
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!((header(VARY), header(CACHE_CONTROL)), (Some("accept"), Some("no-store")));
    }
}
