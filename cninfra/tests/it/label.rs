//! The service label of an agent.

use crate::logging::{Written, objects};
use cninfra::{logging::Format, prelude::*, testing::paused};

#[plugin(no_lifecycle)]
pub struct Lone {
    #[context]
    cx: Context,
}

#[derive(Flavor)]
pub struct App {
    lone: Dep<Lone>,
}

/// The warnings in the log of a start.
fn warnings(label: Option<&str>) -> Vec<String> {
    let run = || {
        paused(async {
            let builder = Agent::<App>::builder();
            let builder = match label {
                Some(label) => builder.label(label),
                None => builder,
            };
            let agent = builder.start().await.unwrap();
            assert_eq!(agent.label(), label.unwrap_or("vpp1"));
            let keys = agent.lone.cx.service_label();
            assert_eq!((agent.service_label(), keys.prefix()), (keys, format!("/vnf-agent/{}/", agent.label())));
            agent.close().await.unwrap();
        });
    };
    let ((), text) = Written::during(|output| output.format(Format::Json), run);
    let warnings = objects(&text).into_iter().filter(|record| record["level"] == "warn");
    warnings.map(|record| format!("{}: {}", record["logger"], record["msg"])).collect()
}

#[test]
fn the_label_that_nobody_sets_is_warned_of() {
    let [warning] = &warnings(None)[..] else { panic!("one warning") };
    for part in ["\"agent\": ", "no service label is set: it is `vpp1`", "--microservice-label or MICROSERVICE_LABEL"] {
        assert!(warning.contains(part), "{warning}");
    }
    assert_eq!(warnings(Some("vpp1")), [""; 0], "somebody has said so");
    assert_eq!(warnings(Some("node-1")), [""; 0]);
}

#[test]
fn a_label_that_is_none_fails_the_start() {
    paused(async {
        for label in ["", "a/b", "..", "a b"] {
            let error = Agent::<App>::builder().label(label).start().await.unwrap_err();
            let text = error.to_string();
            assert_eq!(error.exit_code(), 2, "{text}");
            for part in ["`agent.microservice-label`", "is not a service label", "such as `node-1`"] {
                assert!(text.contains(part), "{text}");
            }
        }
    });
}
