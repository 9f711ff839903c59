//! [`Local`]: the flavor of an agent that needs no network.

use cninfra::prelude::*;
use cninfra_logmanager::LogManager;

/// What every agent can use and what needs no network. (If the agent has an HTTP server, it is used.)
///
/// The service label, the logger, the status and the metrics are part of every plugin's [`Context`].
///
/// ```
/// use cninfra::prelude::*;
/// use cninfra_flavors::Local;
///
/// #[plugin]
/// struct Worker;
///
/// #[derive(Flavor)]
/// struct Batch {
///     local: Local,
///     worker: Dep<Worker>,
/// }
/// ```
#[derive(Flavor)]
pub struct Local {
    /// The log levels over HTTP, if the agent has a server: `/log/list` and `/log/{logger}/{level}`.
    pub logs: Dep<LogManager>,
}
