//! Tests that no text becomes markup: names, reasons, values, origins.

use crate::forty::{self, REASON};
use cninfra::{
    config::Config,
    http::{Http, testing::InProcess},
    prelude::*,
};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

const TAG: &str = "<script>alert('&\"')</script>";
const ESCAPED: &str = "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;";

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HostileConfig {
    value: String,
    labels: BTreeMap<String, Vec<String>>,
}

#[plugin]
pub struct Hostile {
    #[config]
    config: HostileConfig,
}

impl Lifecycle for Hostile {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.status().report_because(cninfra::status::State::Degraded, self.config.value.as_str());
        Ok(())
    }
}

#[derive(Flavor)]
struct Named {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Dep<Pages>,
    hostile: Dep<Hostile>,
}

/// Asserts that all tags are those of the pages, so that no text has become one.
fn assert_inert(page: &str) {
    const TAGS: [&str; 39] = [
        "!doctype", "a", "b", "body", "br", "code", "dd", "defs", "div", "dl", "dt", "g", "h1", "h2", "head", "header",
        "html", "i", "main", "marker", "meta", "nav", "p", "path", "rect", "span", "strong", "style", "svg", "table",
        "tbody", "td", "text", "th", "thead", "title", "tr", "ul", "li",
    ];
    for tag in page.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>', '\n', '/']).next().unwrap();
        assert!(TAGS.contains(&name), "`<{tag}`");
        // Nor are there foreign attributes: outside of attribute values there are only names.
        let names = tag.split('>').next().unwrap().split('"').step_by(2).collect::<String>();
        assert!(!names.contains(" on") && !names.contains("alert"), "`<{tag}`");
    }
}

#[tokio::test]
async fn texts_of_the_config_and_of_plugins_are_no_markup() {
    let http = Arc::new(InProcess::default());
    let config = Config::new().set("hostile", "value", TAG).set("hostile", "labels", BTreeMap::from([(TAG, [TAG])]));
    let agent = Agent::<Named>::builder().config(config).bind::<dyn Http>(http.clone()).start().await.unwrap();
    for (path, times) in [("config", 3), ("status", 1), ("graph", 2)] {
        let page = http.client().get(&format!("/agent/{path}")).header("accept", "text/html").await;
        // In a quoted YAML string, a quote of the text is escaped.
        let found = page.text().replace("\\&quot;", "&quot;").matches(ESCAPED).count();
        assert!(found >= times, "{path}: {found} {}", page.text());
        assert_inert(page.text());
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_reasons_are_no_markup() {
    let (agent, addr) = forty::start().await;
    for path in ["graph", "timeline", "status", "config"] {
        let ask = move || cninfra_testbed::request(addr, "GET", &format!("/agent/{path}?format=html"));
        let page = tokio::task::spawn_blocking(ask).await.unwrap().body;
        assert_inert(&page);
        assert!(!page.contains(REASON));
        assert_eq!(page.contains("Store&lt;script&gt;"), path != "config", "{path}");
        for part in ["http://", "https://", "url(", "@import", "src=", "<link"] {
            let page = page.replace("url(#arrow)", "");
            assert!(!page.contains(part), "{path}: {part}");
        }
    }
    agent.close().await.unwrap();
}
