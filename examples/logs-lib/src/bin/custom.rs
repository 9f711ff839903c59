//! A format of the program's own: level, component, process, fields, text.
//!
//! ```sh
//! cargo run -p logs-lib --bin custom
//! ```

use cninfra::{
    debug, error,
    logging::{Format, Level, LogSettings, Loggers, Output, Record},
    warn,
};
use std::fmt;

/// `DEBUG componentXY 4711 key=1, message="text"`
fn write(record: &Record<'_>, to: &mut dyn fmt::Write) -> fmt::Result {
    let level = record.level.as_str().to_ascii_uppercase();
    write!(to, "{level} {} {} ", record.logger, std::process::id())?;
    for (key, value) in record.fields {
        write!(to, "{key}={value}, ")?;
    }
    write!(to, "message={:?}", record.message)
}

fn main() {
    let loggers = Loggers::new("example", LogSettings::new().default_level(Level::Debug));
    Output::stderr().format(Format::custom(write)).install();

    let log = loggers.get("componentXY");
    debug!(log, answer = 42, "looks around");
    warn!(log, what = "a shadow", "sees something");
    error!(log, code = 1, fatal = true, "has to leave");
}
