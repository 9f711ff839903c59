//! [`StopHandle`]: how an agent is asked to stop.

use tokio::sync::watch;

/// Asks an agent to stop, from anywhere: it is cheap to clone and may outlive the agent.
#[derive(Clone, Debug)]
pub struct StopHandle(watch::Sender<bool>);

impl StopHandle {
    pub(crate) fn new() -> Self {
        StopHandle(watch::Sender::new(false))
    }

    /// Asks the agent to stop in order; asking again changes nothing. During a start it interrupts the start.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Has somebody asked?
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn stopping(&self) {
        let mut asked = self.0.subscribe();
        // an error says that the sender is gone, but it is `self`
        let _ = asked.wait_for(|asked| *asked).await;
    }
}
