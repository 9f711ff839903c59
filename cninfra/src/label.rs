//! [`ServiceLabel`]: the name of an agent among its peers, and the prefix of its keys.

use crate::{Error, Result, config::from_text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr, sync::Arc};

/// The label of an agent without a configured one.
const DEFAULT: &str = "vpp1";

/// The prefix of the keys of all agents.
const ROOT: &str = "/vnf-agent/";

/// The maximum length of a label.
const LONGEST: usize = 253;

/// The name of an agent among its peers, and the prefix of its keys in a store that they share:
/// `/vnf-agent/<label>/..`.
///
/// It is set by `--microservice-label`, `MICROSERVICE_LABEL` or the key `agent.microservice-label`. Agents with the
/// same label share their keys. The default is `vpp1`, with a warning in the log. A label has 1 to 253 characters,
/// which are letters, digits, `.`, `-`, `_` and `:`, and is not `.` or `..`, so that it can be a part of any key.
///
/// ```
/// use cninfra::ServiceLabel;
///
/// let label: ServiceLabel = "node-1".parse()?;
/// assert_eq!(label.prefix(), "/vnf-agent/node-1/");
/// assert_eq!(label.of("node-2")?.prefix(), "/vnf-agent/node-2/");
/// assert_eq!(label.prefix_of_all(), "/vnf-agent/");
/// assert!("node/1".parse::<ServiceLabel>().is_err());
/// # Ok::<(), cninfra::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceLabel(Arc<str>);

impl ServiceLabel {
    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The prefix of this agent's keys: `/vnf-agent/<label>/`.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{ROOT}{}/", self.0)
    }

    /// The prefix of all agents' keys: `/vnf-agent/`.
    #[must_use]
    pub fn prefix_of_all(&self) -> &'static str {
        ROOT
    }

    /// The label of another agent, to find its keys.
    ///
    /// # Errors
    /// The text is not a valid label.
    pub fn of(&self, other: &str) -> Result<ServiceLabel> {
        other.parse()
    }
}

impl Default for ServiceLabel {
    /// The label of an agent that was given none: `vpp1`.
    fn default() -> Self {
        ServiceLabel(DEFAULT.into())
    }
}

impl FromStr for ServiceLabel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_of_label = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_' | ':');
        let wrong = match text {
            "" => "it is empty".to_string(),
            "." | ".." => "it would be another place in paths".to_string(),
            _ if text.len() > LONGEST => format!("it has {} characters", text.len()),
            _ => match text.chars().find(|char| !is_of_label(*char)) {
                Some(char) => format!("{char:?} cannot be in it"),
                None => return Ok(ServiceLabel(text.into())),
            },
        };
        let shown: String = text.chars().take(40).collect();
        let help = format!("write up to {LONGEST} letters, digits, `.`, `-`, `_` and `:`, such as `node-1`");
        Err(Error::msg(format_args!("`{}` is not a service label: {wrong}", shown.escape_debug())).with_help(help))
    }
}

impl fmt::Display for ServiceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ServiceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceLabel({})", self.0)
    }
}

impl Serialize for ServiceLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ServiceLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a service label", str::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_part_of_a_key_is_a_label() {
        for text in ["vpp1", "node-1.example.org", "a_b:c", "...", "0", &"x".repeat(LONGEST)] {
            let label: ServiceLabel = text.parse().unwrap();
            assert_eq!((label.as_str(), label.prefix()), (text, format!("/vnf-agent/{text}/")));
            let json = serde_json::to_string(&label).unwrap();
            assert_eq!(serde_json::from_str::<ServiceLabel>(&json).unwrap(), label);
        }
        assert_eq!(ServiceLabel::default().as_str(), "vpp1");
    }

    #[test]
    fn what_is_none_is_told_with_the_mend() {
        for (text, part) in [
            ("", "`` is not a service label: it is empty"),
            ("a/b", "'/' cannot be in it"),
            ("a b", "' ' cannot be in it"),
            ("ä", "'ä' cannot be in it"),
            ("a\n", "`a\\n` is not a service label: '\\n' cannot be in it"),
            ("..", "another place"),
            (&"x".repeat(LONGEST + 1), "it has 254 characters"),
        ] {
            let error = text.parse::<ServiceLabel>().unwrap_err();
            assert!(
                error.to_string().contains(part) && error.help().unwrap().contains("such as `node-1`"),
                "{error:?}"
            );
            let of = ServiceLabel::default().of(text).unwrap_err();
            assert_eq!(of.to_string(), error.to_string());
        }
    }
}
