//! An agent runs a flavor. It starts the plugins level by level, rolls back what had begun if one fails, and closes the
//! plugins in reverse order.

mod command_line;
mod embedding;
mod files;
mod own_process;
mod run;
mod setup;
mod terms;
mod watch;

pub use crate::{
    foreign::Panic,
    stop::StopHandle,
    tasks::{Called, Caller},
};
pub(crate) use command_line::configure::effective as effective_config;
pub use embedding::builder::Builder;
pub use embedding::running::Agent;
#[cfg(any(feature = "testing", doc))]
pub(crate) use run::env::Wrap;
#[cfg(any(feature = "testing", doc))]
pub(crate) use run::retry::end_attempt;
pub use terms::cause::Cause;
pub(crate) use terms::course::CourseRecorder;
pub use terms::course::{Course, RunningStep};
pub use terms::event::{Event, Outcome};
pub use terms::failure::{PluginError, StartError, StopError};
pub use terms::limits::Limits;
pub(crate) use terms::limits::StopTime;
pub use terms::order::Order;
pub use terms::phase::Phase;
pub use terms::policy::{Backoff, StartPolicy};
pub use terms::timeline::{Step, Timeline};
