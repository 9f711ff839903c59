//! The reports of a failed start or stop, for a person to read.

use super::{
    cause::Cause,
    failure::{PluginError, StartError, StopError},
    timeline::Timeline,
};
use crate::foreign::Panic;
use std::fmt::{self, Formatter};

// `unwrap` prints the `Debug` text, for example in a test, so it is the report as well.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        start(f, self)
    }
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        stop(f, self)
    }
}

fn start(f: &mut Formatter<'_>, error: &StartError) -> fmt::Result {
    let took = error.took;
    if error.interrupted() {
        write!(f, "the start was interrupted after {took:.1?}")?;
    } else if error.is_config() {
        f.write_str("the agent did not start: its config is not valid")?;
    } else {
        write!(f, "the agent did not start: it failed after {took:.1?}")?;
    }
    list(f, &error.errors)?;
    if !error.rollback.is_empty() {
        f.write_str("\nwhile what had begun was closed")?;
        list(f, &error.rollback)?;
    }
    if error.events.is_empty() { Ok(()) } else { write!(f, "\n{}", Timeline::new(error.graph, &error.events)) }
}

fn stop(f: &mut Formatter<'_>, error: &StopError) -> fmt::Result {
    if !error.run.is_empty() {
        f.write_str("the agent failed")?;
        list(f, &error.run)?;
    }
    if !error.errors.is_empty() {
        f.write_str(if error.run.is_empty() { "" } else { "\n" })?;
        f.write_str("the agent did not stop in order")?;
        list(f, &error.errors)?;
    }
    Ok(())
}

pub(in crate::agent) fn list(f: &mut Formatter<'_>, errors: &[PluginError]) -> fmt::Result {
    for error in errors {
        f.write_str("\n  - ")?;
        error.what(f)?;
        let mut causes = Vec::new();
        match &error.cause {
            Cause::Config(cause) | Cause::Failed(cause) => causes = cause.chain(),
            Cause::Panicked(panic) => causes.push(panic.message.clone()),
            Cause::TimedOut(_) | Cause::Blocked { .. } => {}
        }
        let mut causes = causes.iter();
        if let Some(first) = causes.next() {
            write!(f, ": {first}")?;
        }
        // The config is read before anything begins, so there is no time to show.
        if !matches!(error.cause, Cause::Config(_)) && !error.elapsed.is_zero() {
            write!(f, " (after {:.1?})", error.elapsed)?;
        }
        if let Cause::Panicked(Panic { location: Some(location), .. }) = &error.cause {
            write!(f, "\n    at {location}")?;
        }
        for cause in causes {
            write!(f, "\n    caused by: {cause}")?;
        }
        if let Some(help) = error.help() {
            write!(f, "\n    help: {help}")?;
        }
    }
    Ok(())
}
