//! What clients of servers have in common, for authors of plugins: the waits between attempts ([`Pauses`]), tasks that end with the client ([`Tasks`]), one timer for all calls
//! ([`Deadlines`]), and room for the futures of calls ([`Seats`]).

mod deadlines;
mod pauses;
mod seats;
mod tasks;

pub use deadlines::{Deadlines, Until};
pub use pauses::Pauses;
pub use seats::{Seated, Seats};
pub use tasks::Tasks;
