//! The graph as text, for people and tools.

use cninfra::{
    graph::{Format, Need},
    prelude::*,
};
use fixture_connectors::Connectors;

#[test]
fn is_drawn_in_every_format() {
    let graph = Connectors::GRAPH;
    assert!(graph.dot().contains("  n1 [label=\"Health\"];\n") && graph.dot().contains("  n1 -> n0;\n"));
    let node = "  n2[\"Etcd&lt;Primary&gt; (etcd)\"]\n";
    assert!(graph.mermaid().contains(node) && graph.mermaid().contains("  n2 --> n0\n"), "{}", graph.mermaid());
    let text = "Connectors: 3 plugins on 2 levels\nlevel 0\n  Journal as Local::journal\nlevel 1\n  Health as Local::health needs Journal\n  \
        Etcd<Primary> (etcd) as Connectors::etcd provides dyn KvStore; needs Journal\n";
    assert_eq!(graph.text(), text);
    assert_eq!(Format::NAMES, ["dot", "mermaid", "json", "text"]);
    let forms = [graph.dot(), graph.mermaid(), graph.json(), graph.text()];
    for (name, form) in Format::NAMES.into_iter().zip(forms) {
        let format: Format = name.parse().unwrap();
        assert_eq!(graph.print(format), form, "{name}");
        assert!(form.ends_with('\n'), "{name}");
    }
    assert_eq!(
        "svg".parse::<Format>().unwrap_err().to_string(),
        "no graph format `svg`; one of dot, mermaid, json, text"
    );
}

#[test]
fn json_names_everything() {
    let json: serde_json::Value = serde_json::from_str(&Connectors::GRAPH.json()).unwrap();
    assert_eq!(json["flavor"], "Connectors");
    let expected = serde_json::json!({
        "name": "Etcd<Primary>", "plugin": "Etcd<Primary>", "instance": "etcd", "module": "fixture_connectors", "flavor": "Connectors",
        "field": "etcd", "level": 1, "optional": false, "provides": ["dyn KvStore"], "needs": ["Journal"], "needs_optionally": [],
    });
    assert_eq!(json["plugins"][2], expected);
}

#[plugin]
struct Twice {
    one: Dep<fixture_base::Journal>,
    other: Option<Dep<fixture_base::Journal>>,
}
#[derive(Flavor)]
struct Pair {
    local: fixture_base::Local,
    twice: Dep<Twice>,
}

#[test]
fn two_plugins_are_one_edge() {
    let graph = Pair::GRAPH;
    let place = graph.position("Twice");
    assert_eq!(graph.deps_of(place), [0, 0]);
    assert_eq!(graph.edges(), [("Health", "Journal"), ("Twice", "Journal")]);
    const _: () = assert!(Pair::GRAPH.edges().len() == 2);
    assert_eq!(graph.dot().matches("n2 -> n0").count(), 1);
    assert_eq!(graph.mermaid().matches("n2 --> n0").count(), 1);
    assert!(graph.text().ends_with("Twice as Pair::twice needs Journal\n"));
    let json: serde_json::Value = serde_json::from_str(&graph.json()).unwrap();
    assert_eq!(json["plugins"][2]["needs"], serde_json::json!(["Journal"]));
}

#[interface(many)]
trait Shelf {}
#[plugin]
struct Wood;
impl Shelf for Wood {}
impl Lifecycle for Wood {}
#[plugin]
struct Library {
    shelves: Vec<Dep<dyn Shelf>>,
    journal: Option<Dep<fixture_base::Journal>>,
}
#[derive(Flavor)]
struct Town {
    local: fixture_base::Local,
    #[provides(dyn Shelf)]
    wood: Dep<Wood>,
    library: Dep<Library>,
}

#[test]
fn a_dependency_says_how_it_is_asked_for() {
    let needs = |graph: &'static cninfra::graph::Graph, name: &str| {
        let all = graph.dependencies(graph.position(name));
        all.map(|(target, need)| (graph.names()[target], need)).collect::<Vec<_>>()
    };
    // If one field requires the plugin, it is required, whatever other fields say.
    assert_eq!(needs(Pair::GRAPH, "Twice"), [("Journal", Need::One)]);
    assert_eq!(needs(Town::GRAPH, "Library"), [("Wood", Need::All), ("Journal", Need::Optional)]);
    assert_eq!(needs(Connectors::GRAPH, "Etcd<Primary>"), [("Journal", Need::One)]);
    assert_eq!(needs(Town::GRAPH, "Wood"), []);
    // It is drawn in the same way.
    let graph = Town::GRAPH;
    let (library, wood, journal) = (graph.position("Library"), graph.position("Wood"), graph.position("Journal"));
    for (text, needed, optional) in [
        (graph.dot(), format!("n{library} -> n{wood};"), format!("n{library} -> n{journal} [style=dashed];")),
        (graph.mermaid(), format!("n{library} --> n{wood}\n"), format!("n{library} -.-> n{journal}\n")),
        (graph.text(), "needs Wood, Journal if it is there\n".into(), "Library as Town::library".into()),
    ] {
        assert!(text.contains(&needed) && text.contains(&optional), "{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&graph.json()).unwrap();
    let library = &json["plugins"][library];
    assert_eq!((&library["needs"][0], &library["needs"][1]), (&"Wood".into(), &"Journal".into()));
    assert_eq!(library["needs_optionally"], serde_json::json!(["Journal"]));
}

#[plugin(name = "keeper")]
struct HouseKeeper;
impl Lifecycle for HouseKeeper {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.stop_handle().stop();
        Err(Error::msg("no house"))
    }
}
#[derive(Flavor)]
struct House {
    keeper: Dep<HouseKeeper>,
}

/// Wherever the type's name is shown, the instance name follows, unless it is the same word: so a reader of one finds
/// the other.
#[tokio::test]
async fn a_plugin_that_has_two_names_is_told_by_both() {
    let graph = House::GRAPH;
    assert_eq!(graph.text(), "House: 1 plugins on 1 levels\nlevel 0\n  HouseKeeper (keeper) as House::keeper\n");
    assert!(graph.dot().contains("[label=\"HouseKeeper (keeper)\"]"), "{}", graph.dot());
    let error = Agent::<House>::builder().record_events(true).start().await.unwrap_err().to_string();
    for told in ["\n  - plugin `HouseKeeper (keeper)` failed in init: no house", "\n    HouseKeeper (keeper)  "] {
        assert!(error.contains(told), "{told}: {error}");
    }
}
