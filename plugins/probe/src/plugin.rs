//! [`Probe`]: the probes as a plugin.

use crate::Body;
use cninfra::{
    http::{
        Http, Routes,
        axum::{
            Json,
            http::StatusCode,
            response::{IntoResponse, Response},
        },
    },
    prelude::*,
    status::AgentStatus,
};

/// The probes of Kubernetes, as routes of the agent's HTTP server. Both answer with the agent's state ([`Body`]).
///
/// | path | 200 | 500 |
/// | --- | --- | --- |
/// | `/liveness` | it starts, runs, or stops, whatever is wrong outside of it | a plugin is broken: only a new start of the process mends it |
/// | `/readiness` | it is started, and none of its plugins is in error or still getting ready; optional ones aside | else |
///
/// The predecessor's `/liveness` failed with any plugin in error, so that a lost store had every pod restarted that used it:
/// here that is a matter of readiness.
#[plugin]
pub struct Probe {
    http: Dep<dyn Http>,
}

impl Lifecycle for Probe {
    async fn init(&self, cx: &Context) -> Result<()> {
        let (live, ready) = (cx.clone(), cx.clone());
        let routes = Routes::new()
            .get("/liveness", async move || answer(&live, AgentStatus::is_live))
            .summary("should the process go on?")
            .get("/readiness", async move || answer(&ready, AgentStatus::is_ready))
            .summary("does the agent do its work?");
        self.http.register(cx, routes)
    }
}

fn answer(cx: &Context, is_well: fn(&AgentStatus) -> bool) -> Response {
    let status = cx.status().agent();
    let code = if is_well(&status) { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    (code, Json(Body::new(&status, cx.build_info()))).into_response()
}
