//! [`Rpc`]: the flavor of an agent with an HTTP server.

use crate::Local;
use cninfra::{http::Http, prelude::*};
use cninfra_pages::Pages;
use cninfra_probe::Probe;
use cninfra_rest::Rest;

/// An agent with an HTTP server, and on it the Kubernetes probes, the metrics, and pages about the inside of the agent.
///
/// ```
/// use cninfra::{http::{Http, Routes}, prelude::*};
/// use cninfra_flavors::Rpc;
///
/// #[plugin]
/// struct Greeter {
///     http: Dep<dyn Http>,
/// }
///
/// impl Lifecycle for Greeter {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         self.http.register(cx, Routes::new().get("/hello", async || "Hello!"))
///     }
/// }
///
/// #[derive(Flavor)]
/// struct Hello {
///     rpc: Rpc,
///     greeter: Dep<Greeter>,
/// }
///
/// const _: () = assert!(Hello::GRAPH.before("Rest", "Greeter"));
/// ```
#[derive(Flavor)]
pub struct Rpc {
    /// What needs no network.
    pub local: Local,
    /// The HTTP server.
    #[provides(dyn Http)]
    pub http: Dep<Rest>,
    /// `/startup`, `/liveness`, `/readiness`, `/health` and `/metrics`
    pub probe: Dep<Probe>,
    /// `/agent/graph`, `/agent/timeline`, `/agent/status` and `/agent/config`; `pages.enabled: false` switches them
    /// off.
    pub pages: Option<Dep<Pages>>,
}
