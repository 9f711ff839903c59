//! Compares the analysis of random flavors with a naive oracle.

use super::{
    Binding, DepMeta, Field, Item, KeyMeta, Need, PluginMeta, Told, Tree, Work,
    analyse::NONE,
    missing::Missing,
    text::{HASH_START, hash},
};
use std::collections::{BTreeMap, BTreeSet};

/// xorshift64*, so that all machines test the same flavors.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn leak_all<T>(values: Vec<T>) -> &'static [T] {
    Vec::leak(values)
}

fn key(name: String, id: u64) -> &'static KeyMeta {
    let name: &'static str = String::leak(name);
    leak(KeyMeta { name, module: "oracle", id, instance: name, instance_id: hash(HASH_START, name) })
}

/// The declarations of a random flavor, in a form that the oracle understands.
struct Case {
    tree: &'static Tree,
    /// The dependencies of each declared plugin.
    deps: BTreeMap<&'static str, Vec<(&'static str, Need)>>,
    /// For each interface: whether it is a collection, and its providers in declaration order.
    providers: BTreeMap<&'static str, (bool, Vec<&'static str>)>,
    optional: BTreeSet<&'static str>,
}

/// The oracle's result.
struct Truth {
    broken: bool,
    cyclic: bool,
    edges: BTreeSet<(&'static str, &'static str)>,
    levels: BTreeMap<&'static str, usize>,
}

fn random_case(random: &mut Random) -> Case {
    let n = 1 + random.below(20);
    // Dependencies that point only backwards ensure that some flavors are correct. In one of three flavors they may
    // point anywhere.
    let anywhere = random.chance(33);
    let keys: Vec<_> = (0..n).map(|i| key(format!("P{i}"), random.next())).collect();
    let interfaces: Vec<_> = (0..3).map(|i| (key(format!("dyn I{i}"), random.next()), random.chance(50))).collect();
    let stranger = key("Stranger".to_string(), random.next());
    let mut metas = Vec::new();
    let mut deps = BTreeMap::new();
    for i in 0..n {
        let mut mine = Vec::new();
        for _ in 0..random.below(4) {
            let reach = if anywhere { n } else { i };
            let dep = match random.below(20) {
                0 => DepMeta { key: stranger, need: Need::Optional },
                1 if anywhere => DepMeta { key: stranger, need: Need::One },
                2..5 if anywhere || i > n / 2 => {
                    let (interface, many) = interfaces[random.below(3)];
                    let need = if many && random.chance(70) {
                        Need::All
                    } else {
                        [Need::One, Need::Optional][random.below(2)]
                    };
                    DepMeta { key: interface, need }
                }
                _ if reach > 0 => {
                    let need = if random.chance(80) { Need::One } else { Need::Optional };
                    DepMeta { key: keys[random.below(reach)], need }
                }
                _ => continue,
            };
            mine.push(dep);
        }
        deps.insert(keys[i].name, mine.iter().map(|dep| (dep.key.name, dep.need)).collect());
        metas.push(leak(PluginMeta { deps: leak_all(mine), ..PluginMeta::bare(keys[i]) }));
    }
    let mut providers: BTreeMap<_, _> = interfaces.iter().map(|(key, many)| (key.name, (*many, Vec::new()))).collect();
    let mut optional = BTreeSet::new();
    // Shuffled among a root and nested flavors, some of which are reached twice.
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, random.below(i + 1));
    }
    let flavors = 1 + random.below(4);
    let mut fields: Vec<Vec<Field>> = (0..flavors).map(|_| Vec::new()).collect();
    let mut bound: BTreeMap<usize, Vec<Binding>> = BTreeMap::new();
    for (key, many) in &interfaces {
        for _ in 0..random.below(3) {
            // Only plugins of the first half provide interfaces, so that their users can come later.
            let plugin = random.below(n.div_ceil(2));
            let all = bound.entry(plugin).or_default();
            if !all.iter().any(|binding| binding.key.id == key.id) {
                all.push(Binding { key, many: *many });
            }
        }
    }
    for i in order {
        let is_optional = random.chance(10);
        if is_optional {
            optional.insert(keys[i].name);
        }
        let item = if is_optional { Item::Optional(metas[i]) } else { Item::Plugin(metas[i]) };
        let name: &'static str = String::leak(format!("p{i}"));
        let provides = leak_all(bound.remove(&i).unwrap_or_default());
        for binding in provides {
            providers.entry(binding.key.name).or_default().1.push(keys[i].name);
        }
        fields[random.below(flavors)].push(Field { name, item, provides });
    }
    let tree = |name: &str, random: &mut Random, fields| {
        let key = key(name.to_string(), random.next());
        leak(Tree { key, package: "oracle", version: "0", fields: leak_all(fields), told: Told::Around })
    };
    let mut fields = fields.into_iter();
    let mut root = fields.next().unwrap_or_default();
    for (i, nested) in fields.enumerate() {
        let nested = tree(&format!("F{i}"), random, nested);
        for _ in 0..1 + random.below(2) {
            let field = Field { name: String::leak(format!("f{i}")), item: Item::Flavor(nested), provides: &[] };
            root.insert(random.below(root.len() + 1), field);
        }
    }
    Case { tree: tree("Root", random, root), deps, providers, optional }
}

/// Follows the definitions, however slow that is.
fn truth(case: &Case) -> Truth {
    let mut broken = case.providers.values().any(|(many, all)| !many && all.len() > 1);
    let mut edges = BTreeSet::new();
    for (plugin, deps) in &case.deps {
        for (on, need) in deps {
            let all: Vec<&str> = match case.providers.get(on) {
                Some((_, providers)) => providers.clone(),
                None => case.deps.keys().copied().filter(|name| name == on).collect(),
            };
            match need {
                Need::One => broken |= all.len() != 1 || case.optional.contains(all[0]),
                Need::Optional => broken |= all.len() > 1,
                Need::All => {}
            }
            edges.extend(all.into_iter().map(|target| (*plugin, target)));
        }
    }
    // Reachability by transitive closure.
    let mut reach = edges.clone();
    loop {
        let more: BTreeSet<_> = reach
            .iter()
            .flat_map(|(a, b)| edges.iter().filter(move |(c, _)| c == b).map(move |(_, d)| (*a, *d)))
            .collect();
        let before = reach.len();
        reach.extend(more);
        if reach.len() == before {
            break;
        }
    }
    let cyclic = reach.iter().any(|(a, b)| a == b);
    // The lowest levels, raised until nothing changes.
    let mut levels: BTreeMap<_, usize> = case.deps.keys().map(|name| (*name, 0)).collect();
    let too_low = |levels: &BTreeMap<&str, usize>| edges.iter().find(|(a, b)| levels[a] <= levels[b]).copied();
    while let Some((a, b)) = too_low(&levels).filter(|_| !cyclic) {
        levels.insert(a, levels[b] + 1);
    }
    Truth { broken: broken || cyclic, cyclic, edges, levels }
}

#[test]
fn random_flavors_are_as_the_oracle_says() {
    let mut random = Random(0x5eed_cafe_f00d_0001);
    let (mut right, mut cycles, mut broken) = (0, 0, 0);
    for round in 0..4000 {
        let case = random_case(&mut random);
        let truth = truth(&case);
        let work = Work::<128, 2048, 128, 512>::analyse(case.tree);
        let cycle = work.cycle[..work.n].contains(&true);
        assert_eq!(work.broken, truth.broken, "round {round}");
        if truth.broken {
            broken += 1;
            cycles += usize::from(truth.cyclic);
            let ambiguous = case.providers.values().any(|(many, all)| !many && all.len() > 1);
            assert_cycles(&work, &truth, round);
            // Of two providers the analysis uses the first, and the oracle both, so they may find different cycles.
            assert!(cycle == truth.cyclic || ambiguous || several(&case), "round {round}");
            continue;
        }
        right += 1;
        let graph = leak(work.store()).graph();
        assert_eq!(graph.len(), case.deps.len(), "round {round}: every plugin once");
        let edges: BTreeSet<_> = graph.edges().iter().collect();
        assert_eq!(edges, truth.edges, "round {round}");
        for (place, node) in graph.nodes().iter().enumerate() {
            assert_eq!(usize::from(node.level), truth.levels[node.name()], "round {round}: least level");
            for target in graph.deps_of(place) {
                assert!(usize::from(*target) < place, "round {round}: a plugin comes after what it needs");
            }
        }
        assert!(graph.nodes().is_sorted_by_key(|node| node.level), "round {round}");
    }
    assert!(right > 500 && cycles > 500 && broken - cycles > 200, "{right} right, {cycles} cyclic, {broken} broken");
}

/// Every reported cycle is a cycle, and shares no plugin with another one.
fn assert_cycles(work: &Work<128, 2048, 128, 512>, truth: &Truth, round: usize) {
    let mut told = BTreeSet::new();
    for first in (0..work.n).filter(|spot| work.cycle[*spot]) {
        let mut at = first;
        loop {
            let after = usize::from(work.after[at]);
            let (from, to) = (work.plugins[at].key.name, work.plugins[after].key.name);
            assert!(truth.edges.contains(&(from, to)), "round {round}: {from} does not depend on {to}");
            assert!(told.insert(at), "round {round}: {from} is in two cycles, or the cycle never ends");
            at = after;
            if at == first {
                break;
            }
        }
    }
}

/// Whether a plugin depends on one provider of a collection that has several. The flavor is broken then, and has no
/// edge to any of them.
fn several(case: &Case) -> bool {
    case.deps.values().flatten().any(|(on, need)| {
        *need != Need::All && case.providers.get(on).is_some_and(|(_, providers)| providers.len() > 1)
    })
}

/// Each missing thing is reported once, at the first plugin that needs it, with all others that do.
#[test]
fn random_flavors_lack_what_the_oracle_says() {
    let mut random = Random(0x5eed_cafe_f00d_0002);
    let (mut all, mut most) = (0, 0);
    for round in 0..4000 {
        let case = random_case(&mut random);
        let work = Work::<128, 2048, 128, 512>::analyse(case.tree);
        let missing = Missing::of(&work, &super::elsewhere::Elsewhere::of(case.tree));
        let (mut told, mut users) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for spot in (0..work.n).filter(|spot| usize::from(work.first[*spot]) == *spot) {
            let plugin = work.plugins[spot].key.name;
            for (k, dep) in work.plugins[spot].deps.iter().enumerate() {
                if let Some(lack) = missing.reported_at(dep.key.id, spot, k) {
                    let others = lack.others.iter().filter(|other| **other != NONE);
                    let others: Vec<_> = others.map(|other| work.plugins[usize::from(*other)].key.name).collect();
                    let twice = told.insert(dep.key.name, (plugin, others, usize::from(lack.count)));
                    assert!(twice.is_none(), "round {round}: {} is told of twice", dep.key.name);
                }
                let there = match case.providers.get(dep.key.name) {
                    Some((_, providers)) => !providers.is_empty(),
                    None => case.deps.contains_key(dep.key.name),
                };
                let users = users.entry(dep.key.name).or_default();
                if dep.need == Need::One && !there && !users.contains(&plugin) {
                    users.push(plugin);
                }
            }
        }
        users.retain(|_, users| !users.is_empty());
        for (name, users) in &users {
            let (first, others, count) = &told[name];
            assert_eq!(*first, users[0], "round {round}: who needs {name} first");
            assert_eq!(*others, users[1..users.len().min(4)], "round {round}: who needs {name}, too");
            assert_eq!(*count, users.len() - 1, "round {round}: how many others need {name}");
            most = most.max(*count);
        }
        assert_eq!(told.len(), users.len(), "round {round}");
        all += told.len();
    }
    assert!(all > 1000 && most > 3, "{all} things are missing, one of them to {most} more");
}

/// The lookup by type uses only the low 28 bits of an id. If two ids have the same ones, the flavor has to be refused:
/// otherwise the injection would be wrong.
#[test]
fn ids_that_differ_above_their_digits_only_are_one_identity() {
    let flavor = |ids: [u64; 2]| {
        let fields = ids.iter().enumerate().map(|(i, id)| Field {
            name: "field",
            item: Item::Plugin(leak(PluginMeta::bare(key(format!("P{i}"), *id)))),
            provides: &[],
        });
        let fields = leak_all(fields.collect());
        let tree = leak(Tree { key: key("Both".to_string(), 1), package: "", version: "", fields, told: Told::Around });
        Work::<2, 0, 0, 8>::analyse(tree)
    };
    let (low, high) = (0x0abc_def0, 1 << 40);
    assert!(!flavor([low, low + 1]).broken);
    let work = flavor([low, low + high]);
    assert!(work.broken && work.fault[1] == super::analyse::Fault::Identity && work.other[1] == 0);
}

/// Bindings have numbers of 16 bits, like plugins and edges.
#[test]
#[should_panic(expected = "65534 bindings")]
fn a_flavor_of_too_many_bindings_is_refused() {
    let binding = Binding { key: key("dyn I".to_string(), 2), many: true };
    let plugin = Item::Plugin(leak(PluginMeta::bare(key("P".to_string(), 3))));
    let fields = leak_all(vec![Field { name: "field", item: plugin, provides: leak_all(vec![binding; 65_535]) }]);
    let _ =
        super::counts(&Tree { key: key("All".to_string(), 1), package: "", version: "", fields, told: Told::Around });
}
