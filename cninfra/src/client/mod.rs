//! What clients of servers have in common, for authors of plugins: the waits between attempts ([`Pauses`]), and tasks that end with the client ([`Tasks`]).

mod pauses;
mod tasks;

pub use pauses::Pauses;
pub use tasks::Tasks;
