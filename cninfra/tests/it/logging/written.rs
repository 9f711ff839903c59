//! What is logged on one thread.

use cninfra::logging::Output;
use serde_json::Value;
use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};
use tracing::Dispatch;
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt as _, registry};

#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Runs with an output of `make`, on this thread.
    pub fn during<T>(make: impl FnOnce(Output) -> Output, run: impl FnOnce() -> T) -> (T, String) {
        let written = Written::default();
        let done = during(make(Output::to(written.clone())), run);
        (done, written.text())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs with this output, on this thread.
pub fn during<T>(output: Output, run: impl FnOnce() -> T) -> T {
    // while a subscriber is the only one, a thread without one switches call sites off for all that it meets first
    static OTHER: OnceLock<Dispatch> = OnceLock::new();
    OTHER.get_or_init(|| Dispatch::new(registry()));
    tracing::subscriber::with_default(registry().with(output.layer()), run)
}

/// A JSON object on each line.
pub fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
