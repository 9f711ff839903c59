//! The messages. They are made only when something is wrong, on the field of the flavor that brings it in.
//!
//! A field's message has room for [`LINES`] lines, since rustc adds five of its own and a message of ours has twelve at most.

use crate::Flag;

use super::{
    Graph, Need, Tree,
    analyse::{Fault, NONE, Provided, Work, counts},
    store::LARGEST,
    text::{self, Text},
};

type Message = Text<2400>;
const LINES: usize = 7;
/// When a flavor is wrong it is analysed again, with room for this many plugins.
type Room = Work<2048, 16384, 2048, 8192>;

/// The flags that every agent has.
pub(crate) const AGENT_FLAGS: [&str; 12] = [
    "check-config",
    "config-dir",
    "graph",
    "help",
    "log-format",
    "log-level",
    "log-levels",
    "logs-config",
    "microservice-label",
    "print-config",
    "set",
    "version",
];
/// The variables that every agent reads. (As many, to be looked at together.)
const AGENT_VARIABLES: [&str; 12] = [
    "",
    "CONFIG_DIR",
    "",
    "",
    "CNINFRA_LOG_FORMAT",
    "INITIAL_LOGLVL",
    "CNINFRA_LOG",
    "LOGS_CONFIG",
    "MICROSERVICE_LABEL",
    "",
    "",
    "",
];

impl Graph {
    /// Called in a `const _` by generated code, once for each field, on the span of the field.
    #[doc(hidden)]
    #[track_caller]
    pub const fn check_field(&self, top: u16) {
        if self.broken {
            fail(self.tree, top)
        }
    }

    /// Fails with all that is wrong. Called for generic flavors, which have no check of their own.
    #[doc(hidden)]
    #[track_caller]
    pub const fn check(&self) {
        if self.broken {
            if !counts(self.tree).fits(LARGEST.0, LARGEST.1) {
                panic!("CN028: a generic flavor holds at most 1024 plugins and 8192 edges\n= help: make it concrete")
            }
            fail(self.tree, NONE)
        }
        self.check_flags();
    }

    /// Two plugins that declare the same flag.
    #[doc(hidden)]
    #[track_caller]
    pub const fn check_flags(&self) {
        let mut i = if self.broken { self.nodes.len() } else { 0 };
        while i < self.nodes.len() {
            let mine = self.nodes[i].plugin.flags;
            let mut k = 0;
            while k < mine.len() {
                let mut a = 0;
                while a < AGENT_FLAGS.len() {
                    if text::same(AGENT_FLAGS[a], mine[k].name) || text::same(AGENT_VARIABLES[a], mine[k].env) {
                        fail_flag(&mine[k], "the agent itself", self.nodes[i].plugin.key.name);
                    }
                    a += 1;
                }
                let mut j = 0;
                while j <= i {
                    let other = self.nodes[j].plugin.flags;
                    let mut l = 0;
                    while l < other.len() && (j < i || l < k) {
                        if text::same(other[l].name, mine[k].name) || text::same(other[l].env, mine[k].env) {
                            fail_flag(&mine[k], self.nodes[j].plugin.key.name, self.nodes[i].plugin.key.name);
                        }
                        l += 1;
                    }
                    j += 1;
                }
                k += 1;
            }
            i += 1;
        }
    }
}

#[track_caller]
const fn fail_flag(flag: &Flag, a: &str, b: &str) -> ! {
    let mut text = Message::new();
    text.put_all(&[
        "CN025: flag `--",
        flag.name,
        "` (variable `",
        flag.env,
        "`) is declared twice, by ",
        a,
        " and by ",
        b,
    ]);
    panic!("{}", text.as_str())
}

/// `what`: "no plugin" or "more than one plugin".
#[track_caller]
pub(super) const fn fail_name(graph: &Graph, name: &str, what: &str) -> ! {
    let mut text = Message::new();
    text.put_all(&["CN024: flavor `", graph.name(), "` has ", what, " named `", name, "`"]);
    panic!("{}", text.as_str())
}

#[track_caller]
const fn fail(tree: &'static Tree, top: u16) {
    let room = Room::analyse(tree);
    let mut report = Report { text: Message::new(), lines: 0 };
    let mut i = 0;
    while i < room.n {
        if top == NONE || room.top[i] == top {
            if room.first[i] as usize == i {
                report.dependencies(&room, i);
            }
            report.declaration(&room, i);
        }
        i += 1;
    }
    if report.lines > LINES {
        report.text.put("\n.. and ");
        report.text.put_number(report.lines - LINES);
        report.text.put(" more");
    }
    if !report.text.is_empty() {
        panic!("{}", report.text.as_str())
    }
}

struct Report {
    text: Message,
    lines: usize,
}

impl Report {
    /// Starts a new entry of two lines; false when the message is full.
    const fn next(&mut self) -> bool {
        self.lines += if self.lines < LINES { 2 } else { 1 };
        if self.lines > LINES + 1 {
            return false;
        }
        if !self.text.is_empty() {
            self.text.put("\n");
        }
        true
    }

    /// What is wrong with what the plugin needs.
    const fn dependencies(&mut self, room: &Room, spot: usize) {
        let (plugin, flavor) = (room.plugins[spot].key.name, room.tree.key.name);
        let deps = room.plugins[spot].deps;
        let mut k = 0;
        while k < deps.len() {
            let dep = deps[k].key;
            let one = matches!(deps[k].need, Need::One);
            if !matches!(deps[k].need, Need::All) {
                match room.provided(&deps[k]) {
                    Provided::No if one && self.next() => {
                        if is_interface(dep.name) {
                            self.text.put_all(&[
                                "CN002: `",
                                plugin,
                                "` needs `",
                                dep.name,
                                "`, but flavor `",
                                flavor,
                                "` binds no plugin to it\n= help: put `#[provides(",
                                dep.name,
                                ")]` on the field of a plugin that implements it",
                            ]);
                        } else {
                            self.text.put_all(&[
                                "CN001: `",
                                plugin,
                                "` needs `",
                                dep.name,
                                "`, but flavor `",
                                flavor,
                                "` has no such plugin\n= help: add a field `Dep<",
                                dep.name,
                                ">` (of module ",
                                dep.module,
                                "), or a flavor that holds it",
                            ]);
                        }
                    }
                    Provided::By(provider) if one && room.optional[provider as usize] && self.next() => {
                        let p = provider as usize;
                        self.text.put_all(&[
                            "CN022: `",
                            plugin,
                            "` needs `",
                            dep.name,
                            "`, but `",
                            room.flavors[p].name,
                            "::",
                            room.fields[p].name,
                            "` is optional: it may be switched off\n= help: take `Option<Dep<",
                            dep.name,
                            ">>`, or make the field `Dep<",
                            room.plugins[p].key.name,
                            ">`",
                        ]);
                    }
                    Provided::Several(a, b) if self.next() => {
                        let (a, b) = (a as usize, b as usize);
                        self.text.put_all(&[
                            "CN017: `",
                            plugin,
                            "` needs one `",
                            dep.name,
                            "`, but `",
                            room.flavors[a].name,
                            "::",
                            room.fields[a].name,
                            "` and `",
                            room.flavors[b].name,
                            "::",
                            room.fields[b].name,
                            "` both provide it\n= help: take `Vec<Dep<",
                            dep.name,
                            ">>`",
                        ]);
                    }
                    _ => {}
                }
            }
            k += 1;
        }
    }

    /// What is wrong with the declaration itself.
    const fn declaration(&mut self, room: &Room, spot: usize) {
        let (plugin, flavor) = (room.plugins[spot].key, room.tree.key.name);
        if matches!(room.fault[spot], Fault::None) || !self.next() {
            return;
        }
        let mut at = room.other[spot] as usize;
        if matches!(room.fault[spot], Fault::Cycle) {
            self.text.put_all(&["CN005: dependency cycle in flavor `", flavor, "`: ", plugin.name]);
            let mut steps = 0;
            while at != spot && steps < 24 {
                self.text.put_all(&[" -> ", room.plugins[at].key.name]);
                at = room.other[at] as usize;
                steps += 1;
            }
            if at != spot {
                self.text.put(" -> ..");
            }
            self.text.put_all(&[" -> ", plugin.name]);
            return;
        }
        let there = room.plugins[at].key;
        let places = [
            "`",
            room.flavors[at].name,
            "::",
            room.fields[at].name,
            "` and `",
            room.flavors[spot].name,
            "::",
            room.fields[spot].name,
            "`",
        ];
        match room.fault[spot] {
            Fault::Duplicate => {
                self.text.put_all(&["CN004: plugin `", plugin.name, "` is declared twice, by "]);
                self.text.put_all(&places);
                self.text.put("\n= help: keep one of them, or tell the instances apart by a qualifier type parameter");
            }
            Fault::Identity => self.text.put_all(&[
                "CN016: two plugins have one identity: `",
                there.module,
                "::",
                there.name,
                "` and `",
                plugin.module,
                "::",
                plugin.name,
                "`\n= help: give one of them `#[plugin(id = \"..\")]`",
            ]),
            Fault::Instance => {
                self.text.put_all(&["CN020: two plugins have the instance name `", plugin.instance, "`: "]);
                self.text.put_all(&places);
                self.text.put("\n= help: give one of them `#[plugin(name = \"..\")]`");
            }
            _ => {
                self.text.put_all(&["CN003: `", room.ambiguous_key(spot).name, "` is provided twice, by "]);
                self.text.put_all(&places);
                self.text.put("\n= help: keep one `#[provides]`, or declare the trait with `#[interface(many)]`");
            }
        }
    }
}

const fn is_interface(name: &str) -> bool {
    name.len() > 4 && text::same(name.split_at(4).0, "dyn ")
}
