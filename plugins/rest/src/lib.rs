//! The HTTP server of cninfra agents.
//!
//! In an agent it is the plugin [`Rest`], which provides the interface [`Http`](cninfra::http::Http): other plugins
//! register their routes with that interface, and need not know this crate. Its config section is [`RestConfig`].
//!
//! ```
//! use cninfra::{config::Config, http::{Http, Routes}, prelude::*};
//! use cninfra_rest::Rest;
//!
//! #[plugin]
//! struct Greeter {
//!     http: Dep<dyn Http>,
//! }
//!
//! impl Lifecycle for Greeter {
//!     async fn init(&self, cx: &Context) -> Result<()> {
//!         self.http.register(cx, Routes::new().get("/hello", async || "Hello!"))
//!     }
//! }
//!
//! #[derive(Flavor)]
//! struct Hello {
//!     #[provides(dyn Http)]
//!     rest: Dep<Rest>,
//!     greeter: Dep<Greeter>,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
//! let agent = Agent::<Hello>::builder().config(config).start().await?;
//! assert_ne!(agent.rest.local_addr().map(|addr| addr.port()), Some(0));
//! agent.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Without an agent, use the library: [`Server`].

mod accept;
mod access;
mod asked;
mod body;
mod budget;
mod clock;
mod config;
mod connection;
mod current;
mod early;
mod endpoint;
mod error;
mod files;
mod host;
mod incident;
mod limits;
mod malformed;
mod metrics;
mod moment;
mod page;
mod plugin;
mod pulse;
mod refusal;
mod registered;
mod server;
mod service;
mod shared;
mod socket;
mod turn;

pub use access::Access;
pub use config::RestConfig;
pub use endpoint::{Endpoint, EndpointError};
pub use error::BindError;
pub use incident::Incident;
pub use limits::Limits;
pub use metrics::RequestMetrics;
pub use plugin::Rest;
pub use server::{Handle, Server};
