//! The start order is computed, the plugins of a level start together, and the stop goes in reverse order.

use crate::{plug, support::*};
use cninfra::{graph::Graph, prelude::*};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

plug!(A { b: Dep<B>, c: Dep<C> });
plug!(B { d: Dep<D> });
plug!(C { d: Dep<D> });
plug!(D {});

#[derive(Flavor)]
pub struct Diamond {
    pub a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    d: Dep<D>,
}

// Const data of exact size.
const _: () = assert!(Diamond::GRAPH.len() == 4 && Diamond::GRAPH.depth() == 3 && Diamond::GRAPH.before("D", "A"));
const _: () = assert!(Diamond::GRAPH.names().len() == 4 && Diamond::GRAPH.edges().len() == 4);
const _: () = assert!(Diamond::GRAPH.level(1).len() == 2 && Diamond::GRAPH.order()[0] == 3);
static GRAPH: &Graph = Diamond::GRAPH;

#[test]
fn is_computed() {
    assert_eq!(GRAPH.names(), ["D", "B", "C", "A"]);
    assert_eq!(GRAPH.order(), [3, 1, 2, 0]);
    assert_eq!(GRAPH.levels().collect::<Vec<_>>(), [&["D"][..], &["B", "C"], &["A"]]);
    assert_eq!(GRAPH.edges(), [("B", "D"), ("C", "D"), ("A", "B"), ("A", "C")]);
    assert!(!GRAPH.before("B", "C") && !GRAPH.before("A", "D"));
}

#[test]
fn before_takes_only_names_that_the_flavor_has() {
    let error = std::panic::catch_unwind(|| GRAPH.before("D", "Nobody")).unwrap_err();
    assert_eq!(
        error.downcast_ref::<String>().unwrap(),
        "CN024: flavor `Diamond` has no plugin named `Nobody`\n= help: plugins are named after their types: `D`, `B`, `C`, `A`"
    );
}

#[tokio::test]
async fn starts_in_order_and_closes_in_reverse() {
    let agent = Agent::<Diamond>::builder().record_events(true).start().await.unwrap();
    assert!(Dep::ptr_eq(&agent.a.b, &agent.b) && Dep::ptr_eq(&agent.b.d, &agent.a.c.d));
    let events = lines(GRAPH, &agent.close().await.unwrap());
    let expected = [
        "create D",
        "init D",
        "create B",
        "create C",
        "init B",
        "init C",
        "create A",
        "init A",
        "after_init D",
        "after_init B",
        "after_init C",
        "after_init A",
        "drain D",
        "drain B",
        "drain C",
        "drain A",
        "close A",
        "close C",
        "close B",
        "close D",
    ];
    assert_eq!(events, expected);
}

static MET: AtomicUsize = AtomicUsize::new(0);
async fn meet() {
    MET.fetch_add(1, SeqCst);
    while MET.load(SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
}
plug!(Left {} meet().await);
plug!(Right {} meet().await);

#[derive(Flavor)]
pub struct Both {
    left: Dep<Left>,
    right: Dep<Right>,
}

#[tokio::test]
async fn a_level_starts_together() {
    Agent::<Both>::start().await.unwrap().close().await.unwrap();
}

#[test]
fn a_graph_costs_no_spare_room() {
    assert_eq!(std::mem::size_of_val(GRAPH.nodes()), 4 * std::mem::size_of::<cninfra::graph::Node>());
    assert!(std::mem::size_of::<cninfra::graph::Node>() <= 72);
}
