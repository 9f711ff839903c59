//! The macros that log text and fields.

/// Not to be called directly.
#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    () => { ::core::compile_error!("CN038: a log macro takes the logger first, as in `info!(cx.log(), \"..\")`") };
    ($level:ident, $tracing:ident, $log:expr, $($event:tt)+) => {{
        let log: &$crate::Logger = &$log;
        if log.is_enabled($crate::logging::Level::$level) {
            $crate::private::tracing::event!(
                $crate::private::tracing::Level::$tracing,
                agent = log.agent(),
                logger = log.name(),
                with = log.__with(),
                $($event)+
            )
        }
    }};
}

/// Logs that something is broken and needs attention: see [`info!`](crate::info).
#[macro_export]
macro_rules! error {
    ($text:literal $($event:tt)*) => { $crate::__log!() };
    ($field:ident = $($event:tt)*) => { $crate::__log!() };
    ($log:expr, $($event:tt)+) => { $crate::__log!(Error, ERROR, $log, $($event)+) };
}

/// Logs that something is not as it should be, but work continues: see [`info!`](crate::info).
#[macro_export]
macro_rules! warn {
    ($text:literal $($event:tt)*) => { $crate::__log!() };
    ($field:ident = $($event:tt)*) => { $crate::__log!() };
    ($log:expr, $($event:tt)+) => { $crate::__log!(Warn, WARN, $log, $($event)+) };
}

/// Logs something that an operator wants to know: a text, optionally with fields before it.
///
/// Fields are written as in [`tracing`]: `name`, `name = value` (numbers, texts, booleans, and `&dyn Error`),
/// `name = %value` for `Display`, `name = ?value` for `Debug`. Nothing is evaluated if the logger's level is higher.
///
/// ```
/// use cninfra::{info, logging::{Loggers, LogSettings}};
///
/// let log = Loggers::new("phonebook", LogSettings::new()).get("store");
/// let (peer, attempt) = ("10.0.0.1:2379", 3);
/// info!(log, "connects to {peer}");
/// info!(log, peer = %peer, attempt, "is connected");
/// ```
#[macro_export]
macro_rules! info {
    ($text:literal $($event:tt)*) => { $crate::__log!() };
    ($field:ident = $($event:tt)*) => { $crate::__log!() };
    ($log:expr, $($event:tt)+) => { $crate::__log!(Info, INFO, $log, $($event)+) };
}

/// Logs something that helps to find a defect: see [`info!`](crate::info).
#[macro_export]
macro_rules! debug {
    ($text:literal $($event:tt)*) => { $crate::__log!() };
    ($field:ident = $($event:tt)*) => { $crate::__log!() };
    ($log:expr, $($event:tt)+) => { $crate::__log!(Debug, DEBUG, $log, $($event)+) };
}

/// Logs a single step of the work: see [`info!`](crate::info).
#[macro_export]
macro_rules! trace {
    ($text:literal $($event:tt)*) => { $crate::__log!() };
    ($field:ident = $($event:tt)*) => { $crate::__log!() };
    ($log:expr, $($event:tt)+) => { $crate::__log!(Trace, TRACE, $log, $($event)+) };
}
