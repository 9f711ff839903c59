//! [`StopHandle`]: requests the stop of an agent.

use crate::graph::Names;
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use tokio::sync::watch;

/// Asks an agent to stop, from anywhere. It is cheap to clone and may outlive the agent.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<Asked>, By);

/// The owner of a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// The agent itself, which has logged the reason.
    Agent,
    /// The program around the agent.
    Program,
    /// This plugin.
    Plugin(Names),
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            By::Agent => f.write_str("the agent itself"),
            By::Program => f.write_str("the program"),
            By::Plugin(names) => write!(f, "plugin `{names}`"),
        }
    }
}

#[derive(Debug)]
struct Asked {
    /// Checked between any two steps of a start, so it must cost next to nothing.
    now: AtomicBool,
    /// The first request: when, and by whose handle.
    at: OnceLock<(Instant, By)>,
    later: watch::Sender<bool>,
}

impl StopHandle {
    pub(crate) fn new() -> Self {
        StopHandle(
            Arc::new(Asked { now: AtomicBool::new(false), at: OnceLock::new(), later: watch::Sender::new(false) }),
            By::Agent,
        )
    }

    /// A handle for another owner.
    pub(crate) fn of(&self, by: By) -> Self {
        StopHandle(self.0.clone(), by)
    }

    /// Asks the agent to stop in order. Further calls change nothing. During a start it interrupts the start.
    pub fn stop(&self) {
        self.0.at.get_or_init(|| (Instant::now(), self.1));
        self.0.now.store(true, Ordering::Release);
        self.0.later.send_replace(true);
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.now.load(Ordering::Acquire)
    }

    /// When the stop was first requested, in real time.
    pub(crate) fn asked_at(&self) -> Option<Instant> {
        self.0.at.get().map(|(at, _)| *at)
    }

    /// Who first requested the stop, unless the reason has been logged already.
    pub(crate) fn asked_by(&self) -> Option<By> {
        self.0.at.get().map(|(_, by)| *by).filter(|by| *by != By::Agent)
    }

    /// Waits until a stop is requested.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn stopping(&self) {
        let mut asked = self.0.later.subscribe();
        // The sender is in `self`, so it cannot be gone.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}
