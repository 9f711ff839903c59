//! [`Log`]: keeps the log of one thread for a test.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
use tracing::Dispatch;
use tracing_subscriber::fmt::MakeWriter;

/// Everything that is logged while [`Log::during`] runs, at all levels.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// As long as the process has only one subscriber, tracing asks the current thread's subscriber when it first meets
    /// a call site. If that thread has none, the call site is disabled for all threads. So this creates a second
    /// subscriber.
    fn is_not_the_only_one() {
        static OTHER: OnceLock<Dispatch> = OnceLock::new();
        OTHER.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
    }

    pub(crate) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        Log::is_not_the_only_one();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::level_filters::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, run)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
