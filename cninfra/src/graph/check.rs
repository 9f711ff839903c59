//! The compile errors about a flavor. They are written only if something is wrong, at the field of the flavor through
//! which it is reached. The flavor is then analysed again: once for all fields.
//!
//! A field's message has room for [`LINES`] lines: rustc adds five of its own, and our messages have at most twelve.

use crate::{Flag, inject::Nested};
use std::marker::PhantomData;

use super::{
    Graph, KeyMeta, Need,
    analyse::{Fault, NONE, Work},
    counts::counts,
    elsewhere::{Elsewhere, Group},
    instance::{self, is_generic},
    missing::{Lack, Missing},
    resolve::Provided,
    store::LARGEST,
    text::{self, Text},
};

type Message = Text<2400>;
const LINES: usize = 7;

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
/// The variables that every agent reads. The array is as long as that of the flags, so that one loop compares both.
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

/// The checks of a concrete flavor, with the sizes of its analysis.
#[doc(hidden)]
#[derive(Debug)]
pub struct Checks<F, const N: usize, const E: usize, const B: usize, const T: usize>(PhantomData<F>);

impl<F: Nested, const N: usize, const E: usize, const B: usize, const T: usize> Checks<F, N, E, B, T> {
    /// The compiler evaluates this at the first call of [`Checks::fail`], and keeps the result.
    const WORK: &'static Work<N, E, B, T> = &Work::analyse(F::TREE);
    /// Evaluated like `WORK`.
    const ELSEWHERE: &'static Elsewhere<N> = &Elsewhere::of(F::TREE);
    /// Evaluated like `WORK`.
    const MISSING: &'static Missing<E> = &Missing::of(Self::WORK, Self::ELSEWHERE);

    /// Called in a `const _` by generated code, once for each field, with the span of the field.
    #[track_caller]
    pub const fn field(graph: &Graph, top: u16) {
        if graph.broken {
            Self::fail(top)
        }
    }

    // A separate function, since the constants of a function are evaluated whenever it is called.
    #[track_caller]
    const fn fail(top: u16) {
        fail(Self::WORK, Self::MISSING, top)
    }
}

impl Graph {
    /// Fails with all errors. Called for generic flavors, which have no check of their own.
    #[doc(hidden)]
    #[track_caller]
    pub const fn check(&self) {
        if self.broken {
            if !counts(self.tree).fits(LARGEST.0, LARGEST.1) {
                panic!(
                    "CN028: a generic flavor holds at most 1024 plugins and 8192 edges\n= help: use a flavor without type parameters"
                )
            }
            let work = Work::<{ LARGEST.0 }, { LARGEST.1 }, 2048, 4096>::analyse(self.tree);
            let elsewhere = Elsewhere::of(self.tree);
            fail(&work, &Missing::of(&work, &elsewhere), NONE)
        }
        self.check_flags();
    }

    /// Fails if two plugins declare the same flag.
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
                    let agents = Flag::new(AGENT_FLAGS[a], "").env(AGENT_VARIABLES[a]);
                    if same(&agents, &mine[k]) && !self.is_reported(i, i) {
                        fail_flag(&mine[k], &agents, None, self.nodes[i].plugin.key.name);
                    }
                    a += 1;
                }
                let mut j = 0;
                while j <= i {
                    let other = self.nodes[j].plugin.flags;
                    let mut l = 0;
                    while l < other.len() && (j < i || l < k) {
                        if same(&other[l], &mine[k]) && !self.is_reported(i, j) {
                            fail_flag(
                                &mine[k],
                                &other[l],
                                Some(self.nodes[j].plugin.key.name),
                                self.nodes[i].plugin.key.name,
                            );
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

    /// Whether a nested flavor contains both plugins and reports the error itself.
    const fn is_reported(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.nodes[a], &self.nodes[b]);
        Group::new().with(a.home.id, a.field()).with(b.home.id, b.field()).reported_in(self.tree)
    }
}

/// Whether the two have the same flag or the same variable.
const fn same(a: &Flag, b: &Flag) -> bool {
    text::same(a.name, b.name) || (!a.env.is_empty() && text::same(a.env, b.env))
}

#[track_caller]
const fn fail_flag(flag: &Flag, other: &Flag, first: Option<&str>, b: &str) -> ! {
    let is_flag = text::same(flag.name, other.name);
    let by: [&str; 5] = match first {
        Some(a) if text::same(a, b) => ["both times by `", b, "`", "", ""],
        Some(a) => ["by `", a, "` and by `", b, "`"],
        None => ["by the agent itself and by `", b, "`", "", ""],
    };
    text::fail(&[
        "CN025: ",
        if is_flag { "flag `--" } else { "variable `" },
        if is_flag { flag.name } else { flag.env },
        "` is declared twice, ",
        by[0],
        by[1],
        by[2],
        by[3],
        by[4],
        "\n= help: rename it in the `flags` of `",
        b,
        if is_flag { "`, after its plugin, such as `http-port`" } else { "`, after its plugin, such as `HTTP_PORT`" },
    ])
}

#[track_caller]
const fn fail<const N: usize, const E: usize, const B: usize, const T: usize>(
    work: &Work<N, E, B, T>,
    missing: &Missing<E>,
    top: u16,
) {
    let mut report = Report { text: Message::new(), lines: 0, last: 0, hidden: 0 };
    let mut i = 0;
    while i < work.n {
        if top == NONE || work.top[i] == top {
            if work.first[i] as usize == i {
                report.dependencies(work, missing, i);
            }
            report.declaration(work, i);
            report.cycle(work, i);
        }
        i += 1;
    }
    if report.hidden > 0 {
        report.text.put("\n.. and ");
        report.text.put_number(report.hidden);
        report.text.put(" more");
    }
    if !report.text.is_empty() {
        panic!("{}", report.text.as_str())
    }
}

struct Report {
    text: Message,
    lines: usize,
    /// Where the last entry begins.
    last: usize,
    /// The number of entries for which there was no room.
    hidden: usize,
}

impl Report {
    /// Starts a new entry with that many lines. Returns false if the message is full.
    const fn next(&mut self, lines: usize) -> bool {
        if self.hidden > 0 || self.lines + lines > LINES {
            if self.hidden == 0 && self.lines == LINES {
                // The last line is needed for the number of entries that are not shown.
                self.text.cut(self.last);
                self.hidden = 1;
            }
            self.hidden += 1;
            return false;
        }
        self.last = self.text.len();
        self.lines += lines;
        if !self.text.is_empty() {
            self.text.put("\n");
        }
        true
    }

    /// Adds the errors in the plugin's dependencies.
    const fn dependencies<const N: usize, const E: usize, const B: usize, const T: usize>(
        &mut self,
        work: &Work<N, E, B, T>,
        missing: &Missing<E>,
        spot: usize,
    ) {
        let plugin = work.plugins[spot].key.name;
        let deps = work.plugins[spot].deps;
        let mut k = 0;
        while k < deps.len() {
            let dep = deps[k].key;
            let one = matches!(deps[k].need, Need::One);
            if !matches!(deps[k].need, Need::All) {
                match work.provided(&deps[k]) {
                    Provided::No => {
                        if let Some(lack) = missing.reported_at(dep.id, spot, k)
                            && self.next(2)
                        {
                            self.put_missing(work, lack, plugin, dep);
                        }
                    }
                    Provided::By(provider)
                        if one
                            && work.optional[provider as usize]
                            && !Group::new().spot(work, spot).spot(work, provider as usize).reported_in(work.tree)
                            && self.next(2) =>
                    {
                        let p = provider as usize;
                        self.text.put_all(&[
                            "CN022: `",
                            plugin,
                            "` needs `",
                            dep.name,
                            "`, but `",
                            work.flavors[p].name,
                            "::",
                            work.fields[p].name,
                            "` is optional: it can be switched off\n= help: use `Option<Dep<",
                            dep.name,
                            ">>`, or declare the field as `Dep<",
                            work.plugins[p].key.name,
                            ">`",
                        ]);
                    }
                    Provided::Several(a, b)
                        if !Group::new()
                            .spot(work, spot)
                            .spot(work, a as usize)
                            .spot(work, b as usize)
                            .reported_in(work.tree)
                            && self.next(2) =>
                    {
                        let (a, b) = (a as usize, b as usize);
                        self.text.put_all(&[
                            "CN017: `",
                            plugin,
                            "` needs one `",
                            dep.name,
                            "`, but `",
                            work.flavors[a].name,
                            "::",
                            work.fields[a].name,
                            "` and `",
                            work.flavors[b].name,
                            "::",
                            work.fields[b].name,
                            "` both provide it\n= help: use `Vec<Dep<",
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

    /// Adds a missing plugin or interface that this plugin is the first to need.
    const fn put_missing<const N: usize, const E: usize, const B: usize, const T: usize>(
        &mut self,
        work: &Work<N, E, B, T>,
        lack: &Lack,
        plugin: &str,
        dep: &KeyMeta,
    ) {
        let interface = is_interface(dep.name);
        let code = if interface { "CN002: `" } else { "CN001: `" };
        self.text.put_all(&[code, plugin, "` needs `", dep.name, "`"]);
        let mut named = 0;
        while named < lack.others.len() && lack.others[named] != NONE {
            let other = work.plugins[lack.others[named] as usize].key.name;
            self.text.put_all(&[if named == 0 { " (also needed by `" } else { ", `" }, other, "`"]);
            named += 1;
        }
        if lack.count as usize > named {
            self.text.put(" and ");
            self.text.put_number(lack.count as usize - named);
            self.text.put(" more");
        }
        self.text.put_all(&[if named > 0 { ")" } else { "" }, ", but flavor `", work.tree.key.name, "` "]);
        if interface {
            self.text.put_all(&[
                "binds no plugin to it\n= help: add `#[provides(",
                dep.name,
                ")]` to the field of a plugin that implements it, or add a flavor with such a plugin",
            ]);
        } else {
            self.text.put_all(&[
                "has no such plugin\n= help: add a field `Dep<",
                dep.name,
                ">` (from module ",
                dep.module,
                "), or a flavor that contains it",
            ]);
        }
    }

    /// Adds the error in the declaration itself.
    const fn declaration<const N: usize, const E: usize, const B: usize, const T: usize>(
        &mut self,
        work: &Work<N, E, B, T>,
        spot: usize,
    ) {
        let plugin = work.plugins[spot].key;
        if matches!(work.fault[spot], Fault::None) {
            return;
        }
        let at = work.other[spot] as usize;
        if Group::new().spot(work, spot).spot(work, at).reported_in(work.tree) || !self.next(2) {
            return;
        }
        let there = work.plugins[at].key;
        let places = [
            "`",
            work.flavors[at].name,
            "::",
            work.fields[at].name,
            "` and `",
            work.flavors[spot].name,
            "::",
            work.fields[spot].name,
            "`",
        ];
        match work.fault[spot] {
            Fault::Duplicate => {
                self.text.put_all(&["CN004: plugin `", plugin.name, "` is declared twice, by "]);
                self.text.put_all(&places);
                self.text.put(if is_generic(plugin.name) {
                    "\n= help: remove one of them; if you want two instances, their qualifiers have the same identity: two with one name in a file need an `id`"
                } else {
                    "\n= help: remove one of them, or distinguish two instances by a qualifier type parameter"
                });
            }
            Fault::Identity => self.text.put_all(&[
                "CN016: two plugins have the same identity: `",
                there.module,
                "::",
                there.name,
                "` and `",
                plugin.module,
                "::",
                plugin.name,
                "`\n= help: add `#[plugin(id = \"..\")]` to one of them",
            ]),
            Fault::Instance => {
                self.text.put_all(&["CN020: two plugins have the same instance name `", plugin.instance, "`: "]);
                self.text.put_all(&places);
                instance::help(&mut self.text, work.plugins[at], work.plugins[spot]);
            }
            _ => {
                let [mine, other] = work.ambiguous_keys(spot);
                if !text::same(mine.module, other.module) || !text::same(mine.name, other.name) {
                    self.text.put_all(&[
                        "CN016: two interfaces have the same identity: `",
                        mine.name,
                        "` in module ",
                        mine.module,
                        " and `",
                        other.name,
                        "` in module ",
                        other.module,
                        "\n= help: add `#[interface(id = \"..\")]` to one of them",
                    ]);
                    return;
                }
                self.text.put_all(&["CN003: `", mine.name, "` is provided twice, by "]);
                self.text.put_all(&places);
                self.text.put("\n= help: remove one `#[provides]`, or declare the trait with `#[interface(many)]`");
            }
        }
    }

    /// Adds the cycle that is reported at this plugin.
    const fn cycle<const N: usize, const E: usize, const B: usize, const T: usize>(
        &mut self,
        work: &Work<N, E, B, T>,
        spot: usize,
    ) {
        if !work.cycle[spot] {
            return;
        }
        if Group::cycle(work, spot).reported_in(work.tree) {
            return;
        }
        // If there is no room for both, the path is more important than the help.
        let helped = self.lines + 2 <= LINES;
        if !self.next(1 + helped as usize) {
            return;
        }
        let name = work.plugins[spot].key.name;
        self.text.put_all(&["CN005: dependency cycle in flavor `", work.tree.key.name, "`: ", name]);
        let mut at = work.after[spot] as usize;
        let mut steps = 0;
        while at != spot && steps < 24 {
            self.text.put_all(&[" -> ", work.plugins[at].key.name]);
            at = work.after[at] as usize;
            steps += 1;
        }
        if at != spot {
            self.text.put(" -> ..");
        }
        self.text.put_all(&[" -> ", name]);
        if helped && work.after[spot] as usize == spot {
            self.itself(work, spot);
        } else if helped {
            self.text.put("\n= help: move what they share into a separate plugin, or let one plugin register with another in its `init`");
        }
    }

    /// Adds the help for a plugin that depends on itself, by its type or by an interface that it provides.
    const fn itself<const N: usize, const E: usize, const B: usize, const T: usize>(
        &mut self,
        work: &Work<N, E, B, T>,
        spot: usize,
    ) {
        let deps = work.plugins[spot].deps;
        let provides = work.fields[spot].provides;
        let mut k = 0;
        while k < deps.len() {
            let mut i = 0;
            while i < provides.len() {
                if provides[i].key.id == deps[k].key.id {
                    let interface = deps[k].key.name;
                    self.text.put_all(&[
                        "\n= help: it provides `",
                        interface,
                        "` itself: depend on another provider by its type, or remove `#[provides(",
                        interface,
                        ")]` from its field",
                    ]);
                    return;
                }
                i += 1;
            }
            k += 1;
        }
        self.text.put("\n= help: remove the field: a plugin can use `self`");
    }
}

const fn is_interface(name: &str) -> bool {
    name.len() > 4 && text::same(name.split_at(4).0, "dyn ")
}
