//! Captures what is logged on one thread.

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
    /// Calls `run` with an output on this thread. `make` configures the output.
    pub fn during<T>(make: impl FnOnce(Output) -> Output, run: impl FnOnce() -> T) -> (T, String) {
        let written = Written::default();
        let done = during(make(Output::to(written.clone())), run);
        (done, written.text())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Calls `run` with this output on this thread.
pub fn during<T>(output: Output, run: impl FnOnce() -> T) -> T {
    // While there is only one subscriber, a thread without one disables all call sites that it meets first.
    static OTHER: OnceLock<Dispatch> = OnceLock::new();
    OTHER.get_or_init(|| Dispatch::new(registry()));
    tracing::subscriber::with_default(registry().with(output.layer()), run)
}

/// Parses each line as a JSON object.
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
