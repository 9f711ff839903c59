//! What clients of servers have in common, for authors of plugins: the waits between attempts ([`Pauses`]), tasks that
//! end with the client ([`Tasks`]), work of threads ([`ThreadWork`]), one timer for all calls ([`Deadlines`]), reusable memory for the futures of calls
//! ([`Seats`]), a check of endpoints ([`is_host_and_port`]), and config keys that may be empty ([`unless_empty`]).

mod deadlines;
mod endpoint;
mod pauses;
mod seats;
mod tasks;
mod thread_work;
mod unset;

pub use deadlines::{Deadlines, Until};
pub use endpoint::is_host_and_port;
pub use pauses::Pauses;
pub use seats::{Seated, Seats};
pub use tasks::Tasks;
pub use thread_work::ThreadWork;
#[cfg(feature = "testing")]
pub(crate) use thread_work::settle;
pub use unset::unless_empty;
