//! Tests of the drawings: each plugin, its state, its edges.

use crate::{
    forty::{self, Forty},
    small::start,
};
use cninfra::{graph::Need, prelude::*, testing::paused};

fn page(path: &'static str) -> String {
    paused(async move {
        let (agent, client) = start().await;
        let page = client.get(path).header("accept", "text/html").await.text().to_string();
        agent.close().await.unwrap();
        page
    })
}

#[test]
fn a_graph_shows_each_plugin_with_its_state_and_its_edges() {
    let page = page("/agent/graph");
    // Name, state and time, in this order.
    for (place, class, name, word, took) in [
        (0, "good", "Rest", "ok", ""),
        (1, "good", "Store", "ok", "20.0ms"),
        (2, "bad optional", "Cache", "error", "5.0ms"),
        (3, "good", "Pages", "ok", "0"),
        (4, "bad", "Api", "failed", "0"),
        (5, "good", "Last", "ok", "0"),
    ] {
        let from = page.find(&format!("<a id=\"n{place}\" class=\"node {class}\" href=\"#p{place}\"")).expect(name);
        let node = &page[from..from + page[from..].find("</a>").unwrap()];
        for part in [format!(">{name}</text>"), format!(">{word}</text>"), format!(">{took}</text>")] {
            assert!(node.contains(&part), "{part}: {node}");
        }
        assert!(page.contains(&format!("<tr id=\"p{place}\"><td><code>{name}</code>")), "{name}");
    }
    let title = "<title>Api (api)\nfailed: plugin `Api` failed in init: no licence; ignored\ninit 0\nneeds Store, Cache\nneeded by Last</title>";
    assert!(page.contains(title), "{page}");
    let edges: Vec<&str> =
        page.split("<g class=\"edges\">").nth(1).unwrap().split("</g>").next().unwrap().lines().collect();
    let has = |class: &str| edges.iter().filter(|edge| edge.starts_with(&format!("<path class=\"{class}\""))).count();
    // From a plugin to its dependency. An optional dependency is dashed.
    assert_eq!([has("e0 e3"), has("e1 e4"), has("e2 e4 optional"), has("e4 e5")], [1; 4], "{edges:?}");
    assert_eq!(edges.iter().filter(|edge| edge.contains("marker-end")).count(), 4);
}

#[test]
fn a_plugin_has_both_its_names_where_they_differ() {
    for (path, both, one) in [
        ("/agent/graph", "<code>Rest</code> <span class=\"dim\">(http)</span>", "<code>Store</code></td>"),
        ("/agent/timeline", "<code>http</code> <span class=\"dim\">(Rest)</span>", "<code>store</code></th>"),
        ("/agent/status", "<code>http</code> <span class=\"dim\">(Rest)</span>", "<code>store</code></td>"),
    ] {
        let page = page(path);
        assert!(page.contains(both) && page.contains(one), "{path}: {page}");
    }
}

#[test]
fn a_timeline_has_a_bar_for_each_step_that_took_time() {
    let page = page("/agent/timeline");
    for part in [
        "its last step ended 21.0ms after that, and 0 is its begin.",
        "style=\"left:0.000%;width:95.238%\" title=\"init: 20.0ms at 0, done\"",
        "<i class=\"bar init critical\" style=\"left:0.000%;width:95.238%\"",
        "<i class=\"bar init\" style=\"left:0.000%;width:23.810%\"",
        "<i class=\"bar after_init critical\" style=\"left:95.238%;width:4.762%\"",
        "<i class=\"bar bad\" style=\"left:95.238%;width:0.000%\" title=\"init: 0 at 20.0ms, failed\"",
        "<td class=\"time\">0 <strong class=\"bad\">failed</strong></td><td class=\"time\">–</td></tr>",
        "<td class=\"time\">20.0ms <b class=\"critical\">*</b></td>",
        "<span style=\"left:0.000%\">0</span><span style=\"left:47.619%\">10ms</span>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches("<i class=\"bar").count(), 4 + 4, "the legend's and the steps'");
    assert_eq!(page.matches("<tr class=\"level\">").count(), 3);
}

/// What comes before the first step takes up space, too.
#[tokio::test(flavor = "multi_thread")]
async fn no_bar_is_longer_than_the_scale() {
    let (agent, addr) = forty::start().await;
    let ask = move || cninfra_testbed::request_with(addr, "GET", "/agent/timeline", "Accept: text/html");
    let page = tokio::task::spawn_blocking(ask).await.unwrap().body;
    let bars: Vec<(f64, f64)> = page
        .split("style=\"left:")
        .filter_map(|bar| bar.split('"').next()?.strip_suffix('%')?.split_once("%;width:"))
        .map(|(left, width)| (left.parse().unwrap(), width.parse().unwrap()))
        .collect();
    assert!(bars.len() > 40 && bars.iter().all(|(left, _)| *left > 0.0), "{bars:?}");
    let end = bars.iter().map(|(left, width)| left + width).fold(0.0, f64::max);
    assert!((end - 100.0).abs() < 0.01, "{end}");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_has_a_word_and_long_names_are_shortened() {
    let (agent, addr) = forty::start().await;
    let ask = move || cninfra_testbed::request_with(addr, "GET", "/agent/graph", "Accept: text/html");
    let page = tokio::task::spawn_blocking(ask).await.unwrap().body;
    for (class, word, count) in [
        ("good", "ok", 35),
        ("warn", "degraded", 1),
        ("warn", "retrying", 1),
        ("bad", "failed", 1),
        ("bad", "error", 1),
        ("off", "disabled", 1),
    ] {
        assert_eq!(
            page.matches(&format!("<text class=\"word\" x=\"29\" y=\"37\">{word}</text>")).count(),
            count,
            "{word}"
        );
        assert!(page.contains(&format!("<span class=\"state {class}\"><svg")), "{class}");
    }
    assert!(
        page.contains(">VeryLongN…ollector</text>")
            && page.contains("<title>VeryLongNamedTelemetryAndDiagnosticsCollector (")
    );
    // Edges that take the same way arrive as one; optional ones are dashed.
    let optional = (0..Forty::GRAPH.len()).flat_map(|place| Forty::GRAPH.dependencies(place));
    assert_eq!(optional.filter(|(_, need)| *need == Need::Optional).count(), 4);
    assert!(page.contains(" optional\" d=\""));
    agent.close().await.unwrap();
}
