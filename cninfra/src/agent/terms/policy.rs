//! [`StartPolicy`]: what happens when a plugin's `init` fails.

use std::{str::FromStr, time::Duration};

/// What happens when a plugin's [`init`](crate::Lifecycle::init) fails, or exceeds its limit.
///
/// With [`Retry`](StartPolicy::Retry) and [`Ignore`](StartPolicy::Ignore) the agent starts without the plugin, and the
/// plugin's status is [`Degraded`](crate::status::State::Degraded), with the reason. Plugins that depend on it start
/// all the same. Until it is up, their calls to it fail or wait. So these policies are for plugins that can bear that,
/// such as the client of a server that may come up later.
///
/// A panic fails the start whatever the policy is, and so does a plugin that uses up the time of the whole start.
/// Therefore a plugin with such a policy has a third of that time during the start, unless a lower limit is set for it
/// (`<plugin>.limits.init`, `agent.limits.init`, `agent.plugin-start-timeout` or
/// [`Builder::limit`](crate::agent::Builder::limit)). Attempts after the start have the plugin's own limit.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
#[non_exhaustive]
pub enum StartPolicy {
    /// The start fails.
    #[default]
    Fail,
    /// After the agent has started, `init` is called again until it succeeds; then `after_init` follows. It is tried at
    /// once when a plugin that it depends on comes up. `close` is called once, in any case.
    Retry(Backoff),
    /// The agent runs without the plugin: neither `after_init` nor `drain` is called, but `close` is. A plugin that
    /// recovers by itself reports that ([`Status::recovered`](crate::status::Status::recovered)); from then on its
    /// status is shown as it is.
    Ignore,
}

impl StartPolicy {
    /// [`Retry`](StartPolicy::Retry) with the default delays.
    #[must_use]
    pub fn retry() -> Self {
        StartPolicy::Retry(Backoff::default())
    }
}

impl FromStr for StartPolicy {
    type Err = crate::Error;

    /// Parses `fail`, `retry` or `ignore`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "fail" => Ok(StartPolicy::Fail),
            "retry" => Ok(StartPolicy::retry()),
            "ignore" => Ok(StartPolicy::Ignore),
            _ => Err(crate::Error::msg(format_args!("no start policy `{text}`"))
                .with_help("write `fail`, `retry` or `ignore`")),
        }
    }
}

/// How long to wait between two attempts. The delay doubles each time, from `first` up to `most`. The actual wait is a
/// random part of it, between half and all, so that many agents do not try at the same moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Backoff {
    /// The delay before the second attempt. Default: 500 ms.
    pub first: Duration,
    /// The longest delay. Default: 30 s.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { first: Duration::from_millis(500), most: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// Delays from `first` up to `most`.
    #[must_use]
    pub const fn new(first: Duration, most: Duration) -> Self {
        Backoff { first, most }
    }

    /// The delay after `failed` failed attempts, at least one. `random` is a number from 0 to 1.
    pub(crate) fn delay(&self, failed: u32, random: f64) -> Duration {
        let doubled = 2u32.checked_pow(failed.saturating_sub(1)).and_then(|factor| self.first.checked_mul(factor));
        let whole = doubled.map_or(self.most, |delay| delay.min(self.most));
        // Whatever is configured, there is a pause between two attempts.
        whole.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0).max(Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_are_spread() {
        let backoff = Backoff { first: Duration::from_millis(100), most: Duration::from_secs(1) };
        let whole: Vec<_> = (1..=6).map(|failed| backoff.delay(failed, 1.0).as_millis()).collect();
        assert_eq!(whole, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.delay(1, 0.0).as_millis(), 50);
        assert_eq!(backoff.delay(u32::MAX, 0.0).as_millis(), 500);
        let none = Backoff { first: Duration::ZERO, most: Duration::ZERO };
        assert!(none.delay(1, 0.0) > Duration::ZERO);
    }

    #[test]
    fn it_is_read_from_text() {
        assert_eq!("retry".parse::<StartPolicy>().unwrap(), StartPolicy::Retry(Backoff::default()));
        assert_eq!("ignore".parse::<StartPolicy>().unwrap(), StartPolicy::Ignore);
        let error = "never".parse::<StartPolicy>().unwrap_err();
        assert_eq!((error.to_string().as_str(), error.help().is_some()), ("no start policy `never`", true));
    }
}
