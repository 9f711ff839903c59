//! [`Local`]: what needs no network.

use cninfra::prelude::*;

/// What every agent can use and what needs no network.
///
/// It has no plugin yet: service label, logger and status are part of every plugin's
/// [`Context`]. The manager of log levels will be its first one.
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
pub struct Local {}
