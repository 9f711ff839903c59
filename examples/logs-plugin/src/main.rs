//! A plugin's logger: levels, fields, a child, and a level that is set for a limited time.
//!
//! ```sh
//! cargo run -p logs-plugin                                       # from `info` on
//! cargo run -p logs-plugin -- --config-dir examples/logs-plugin  # as `logs.conf` there says
//! INITIAL_LOGLVL=error cargo run -p logs-plugin
//! CNINFRA_LOG='warn,logs-example=trace' cargo run -p logs-plugin -- --log-format json
//! ```

use cninfra::{logging::Level, prelude::*};
use std::{process::ExitCode, time::Duration};

/// Its logger has its instance name, `logs-example`.
#[plugin]
struct LogsExample {
    #[context]
    log: Logger,
}

impl Lifecycle for LogsExample {
    async fn init(&self, _: &Context) -> Result<()> {
        self.log.debug("Debug log example");
        self.log.info("Info log example");
        self.log.warn("Warn log example");
        self.log.error("Error log example");

        // Text with fields. If the level is off, nothing of it is computed.
        let (peer, attempt) = ("10.0.0.1:2379", 3);
        warn!(self.log, peer, attempt, "Warn log example with fields");

        // A part of the plugin has a logger of its own, `logs-example.child`, here with a field on all its records.
        let child = self.log.child("child").with("session", 7);
        child.info("Child info log example");
        child.debug("Child debug log example");
        Ok(())
    }

    async fn after_init(&self, cx: &Context) -> Result<()> {
        let (cx, log) = (cx.clone(), self.log.clone());
        cx.clone().spawn_main("example", async move {
            // As an operator could do it from outside: for a limited time, after which the previous level applies
            // again.
            cx.loggers().set_for("logs-example*", Level::Trace, Duration::from_millis(300))?;
            log.trace("Trace log example, for a while");
            tokio::time::sleep(Duration::from_millis(600)).await;
            log.trace("never seen");
            log.info("Stopping agent...");
            Ok(())
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct LogsAgent {
    example: Dep<LogsExample>,
}

fn main() -> ExitCode {
    Agent::<LogsAgent>::main()
}
