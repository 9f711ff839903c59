//! Logging without an agent: loggers by name, their levels, fields and children.
//!
//! ```sh
//! cargo run -p logs-lib --bin basic
//! ```

use cninfra::{
    debug, error, info,
    logging::{Level, LogSettings, Loggers, Output},
    warn,
};

fn main() -> cninfra::Result<()> {
    // The settings that apply from the beginning.
    let loggers = Loggers::new("beach", LogSettings::new().default_level(Level::Debug));
    // The records of the process go to standard error.
    Output::stderr().libraries(&loggers).install();

    let log = loggers.get("observer");
    log.debug("the observer has come to the beach");
    info!(log, animal = "walrus", count = 12, "a group comes out of the water");
    warn!(log, omen = true, "the group has grown");
    error!(log, temperature = -4, "the ice does not hold");

    // A logger with a field on all its records, and a child of it with a level of its own.
    let night = log.with("shift", "night");
    night.info("the watch has changed");
    let radio = night.child("radio");
    loggers.set("*.radio", Level::Error)?;
    radio.warn("nobody hears this");
    radio.error("calls for help");

    // A level may change at any time, for everyone who holds the logger.
    loggers.set("observer", Level::Warn)?;
    debug!(log, costly = %compute(), "neither seen nor computed");
    log.info("not seen either");
    loggers.reset_all();
    for logger in loggers.list() {
        info!(log, level = %logger.level, "logger {}", logger.name);
    }
    Ok(())
}

fn compute() -> u64 {
    unreachable!("what is off is not computed")
}
