//! Whether a value may contain a secret, judged by its type: if so, it is not shown.

use crate::config::{
    said::{
        meant::{HIDES, LATER},
        shape::{Kind, Wanted},
    },
    written::way::{Step, Way},
};

/// The most places that are asked about, and the deepest: a type may contain itself.
const MOST_ASKED: usize = 500;
const DEEPEST: usize = 10;

/// May there be a secret at this place, or in the value there? If that cannot be known, there may.
pub(super) fn may_hold_secret(way: &[Step], ask: &dyn Fn(&[Step]) -> Wanted) -> bool {
    let mut asked = 0;
    holds(&mut way.to_vec(), way.len() + DEEPEST, &mut asked, ask)
}

fn holds(way: &mut Way, deepest: usize, asked: &mut usize, ask: &dyn Fn(&[Step]) -> Wanted) -> bool {
    *asked += 1;
    if way.len() > deepest || *asked > MOST_ASKED {
        return true;
    }
    let Wanted { shape, secret, open } = ask(way);
    let Some(shape) = shape.filter(|_| !secret && !open) else { return true };
    let mut inner = |step: Step| {
        way.push(step);
        let holds = holds(way, deepest, asked, ask);
        way.pop();
        holds
    };
    let key = |name: &str| Step::Key(name.to_string());
    match shape.kind {
        Kind::Struct(names) => {
            let fields = names.iter().filter(|name| !name.starts_with(LATER) && !name.starts_with(HIDES));
            fields.into_iter().any(|name| inner(key(name)))
        }
        Kind::Choice(names) => names.iter().any(|name| inner(key(name))),
        Kind::Map => inner(key("0")),
        Kind::List => inner(Step::Index(0)),
        Kind::Text | Kind::Number | Kind::Bool | Kind::Any | Kind::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Duration, Files, Known, Secret, Section as _, print};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        auth: Auth,
        maybe: Option<Auth>,
        all: Vec<Auth>,
        by_name: BTreeMap<String, Auth>,
        pair: (u8, u8),
        tokens: Secret<BTreeMap<String, String>>,
        user: Secret<User>,
        pairs: Vec<Secret<(String, String)>>,
        number: Secret<u16>,
        tagged: Tagged,
        untagged: Option<Untagged>,
        mode: Mode,
        looped: Option<Loop>,
        by_side: BTreeMap<Side, u8>,
        pile: Option<Pile>,
        beside: Option<Beside>,
    }

    /// Lists and mappings of secrets, in values that serde buffers.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Pile {
        Of {
            #[serde(default)]
            pws: Vec<Secret>,
            #[serde(default)]
            by: BTreeMap<String, Secret>,
            #[serde(default)]
            rows: Vec<User>,
            #[serde(default)]
            kids: Vec<Pile>,
            auth: Option<Auth>,
            pair: Option<(Secret, Secret)>,
            n: Option<u16>,
        },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c", rename_all = "kebab-case")]
    enum Beside {
        All(Vec<Secret>),
        One { user: User },
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Side {
        Left,
        Right,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Auth {
        #[default]
        None,
        Token(Token),
        Basic(User),
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Token {
        value: Option<Secret>,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct User {
        user: String,
        password: Secret,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        #[default]
        Plain,
        Named {
            password: Secret,
            time: Option<Duration>,
        },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Word(Secret),
        Both { name: String, password: Secret<u16> },
    }

    /// Contains no secrets.
    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        #[default]
        Off,
        Slow {
            every: Duration,
            limit: Option<std::time::Duration>,
            labels: BTreeMap<String, u8>,
        },
        Weights(Vec<f64>),
    }

    /// Contains itself.
    #[derive(Debug, Serialize, Deserialize)]
    enum Loop {
        End,
        Next(Box<Loop>),
    }

    /// Everything that is output about these values: the mistakes, and what is printed.
    fn said(file: &str, flags: &[(&str, &str)]) -> (Vec<String>, String) {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", Odd::META));
        folder.write("odd.conf", file);
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        for (key, text) in flags {
            config.set_flag("odd", key, text, key);
        }
        let folder = format!("{}/", folder.path().display());
        let wrong = config.check(&known);
        let wrong = wrong.iter().map(|told| match &told.help {
            Some(help) => format!("{told} | {help}").replace(&folder, ""),
            None => told.to_string().replace(&folder, ""),
        });
        let section = config.section::<Odd>("odd").map(|odd| format!("{odd:?}"));
        let section = section.unwrap_or_else(|error| format!("{error:?} {error}"));
        let printed = print(&config.effective(&known, &Config::new(), &Config::new()));
        (wrong.collect(), format!("{printed}\n{section}\n{config:?}"))
    }

    #[test]
    fn what_is_or_may_hold_a_secret_is_in_no_words() {
        const VALUES: &[(&str, &str)] = &[
            ("auth", "hunter2"),
            ("auth", "4711"),
            ("auth", "[hunter2]"),
            ("auth", "{hunter2: x}"),
            ("auth", "{hunter2: x, basic: {user: u}}"),
            ("auth", "{hunter2: x, hunter22: y}"),
            ("auth", "{basic: hunter2}"),
            ("auth", "{basic: 4711}"),
            ("auth", "{basic: {user: u, password: [hunter2]}}"),
            ("auth", "{token: {value: 4711}}"),
            ("maybe", "hunter2"),
            ("all", "[none, hunter2]"),
            ("all", "[{hunter2: x}]"),
            ("all", "4711"),
            ("by-name", "{a: hunter2}"),
            ("tokens", "{hunter2: [x]}"),
            ("tokens", "{hunter2: {hunter2: x}}"),
            ("tokens", "{a: [hunter2]}"),
            ("tokens", "[hunter2]"),
            ("tokens", "hunter2"),
            ("user", "{user: u, password: x, hunter2: y}"),
            ("user", "{user: [hunter2], password: x}"),
            ("user", "{user: 4711, password: x}"),
            ("pairs", "[[x, 4711]]"),
            ("pairs", "[[x, y, hunter2]]"),
            ("pairs", "[hunter2]"),
            ("pairs", "!hunter2 [x]"),
            ("tokens", "!hunter2 [x]"),
            ("all", "!hunter2 x"),
            ("auth", "!hunter2 x"),
            ("number", "hunter2"),
            ("number", "4711.5"),
            ("tagged", "hunter2"),
            ("tagged", "4711"),
            ("tagged", "{kind: hunter2}"),
            ("tagged", "{kind: named, password: 4711}"),
            ("tagged", "{kind: named, password: [hunter2]}"),
            ("pile", "{kind: of, pws: hunter2}"),
            ("pile", "{kind: of, pws: 4711}"),
            ("pile", "{kind: of, by: hunter2}"),
            ("pile", "{kind: of, rows: [hunter2]}"),
            ("pile", "{kind: of, rows: 4711}"),
            ("pile", "{kind: of, kids: [hunter2]}"),
            ("pile", "{kind: of, kids: [{kind: of, pws: hunter2}]}"),
            ("pile", "{kind: of, kids: hunter2}"),
            ("pile", "{kind: of, pair: hunter2}"),
            ("pile", "{kind: of, auth: {basic: hunter2}}"),
            ("pile", "{kind: of, auth: {none: hunter2}}"),
            ("pile", "{kind: of, auth: {token: 4711}}"),
            ("pile", "{kind: of, auth: 4711}"),
            ("pile", "{kind: of, kids: [{kind: 4711}]}"),
            ("beside", "{t: all, c: hunter2}"),
            ("beside", "{t: one, c: hunter2}"),
            ("beside", "{t: one, c: {user: hunter2}}"),
            ("untagged", "4711"),
            ("untagged", "[hunter2]"),
            ("untagged", "{name: x, password: hunter2}"),
        ];
        for (key, value) in VALUES {
            for (file, flags) in [(format!("{key}: {value}"), vec![]), (String::new(), vec![(*key, *value)])] {
                let (wrong, printed) = said(&file, &flags);
                let all = format!("{wrong:?}\n{printed}");
                // A flag's text is accepted where a text is wanted.
                let is_right = *key == "untagged" && *value == "4711" && file.is_empty();
                assert_eq!(wrong.is_empty(), is_right, "{key}: {value}: {all}");
                assert!(!all.contains("hunter2") && !all.contains("4711"), "{key}: {value}: {all}");
            }
        }
        for name in ["odd.conf", "odd.toml", "agent.yaml"] {
            let folder = Folder::new();
            let text = match name {
                "odd.toml" => "tokens = {hunter2 = 'x', hunter2 = 'y'}",
                "agent.yaml" => {
                    "odd: {tokens: {hunter2: x, hunter2: y}, user: {user: u, password: hunter2, password: y}}"
                }
                _ => "tokens: {hunter2: x, hunter2: y}\nauth: {token: {value: x, value: y}}",
            };
            folder.write(name, text);
            let (mut config, known) = (Config::new(), Known::none().plugin("odd", Odd::META));
            config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
            let wrong = config.check(&known);
            assert!(!wrong.is_empty() && !format!("{wrong:?}").contains("hunter2"), "{wrong:?}");
            assert_eq!(
                format!("{wrong:?}").contains("the key `value` is there twice"),
                name == "odd.conf",
                "{wrong:?}"
            );
            let library = crate::config::from_file::<Odd>("odd", folder.path().join(name)).unwrap_err();
            assert!(name == "agent.yaml" || !format!("{library:?}").contains("hunter2"), "{library:?}");
        }
        for flag in ["tokens.hunter2", "user.hunter2", "tokens.a.hunter2"] {
            let printed = said("", &[(flag, "[x]")]);
            let text = format!("{printed:?}").replace(&format!("flag --{flag}"), "");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn what_is_not_shown_is_told_with_its_place_and_its_mend() {
        let names =
            "takes `none`, `token` or `basic`, not what is there (it is not shown, since a secret may be there)";
        let first = |file: &str| said(file, &[]).0.remove(0);
        assert_eq!(first("auth: tokn"), format!("odd.conf:1:7: key `odd.auth` {names}"));
        assert_eq!(first("by-name:\n  a: 5"), format!("odd.conf:2:6: key `odd.by-name.a` {names}"));
        let hidden = "(it is not shown, since it is a secret)";
        let tokens = first("tokens:\n  a: x\n  b: [x]");
        assert_eq!(tokens, format!("odd.conf:3:6: key `odd.tokens`: its value does not fit {hidden}"));
        let user = first("user: {usr: x, password: y}");
        let unknown = format!("odd.conf:1:8: key `odd.user`: a key in it is unknown {hidden}");
        assert_eq!(user, format!("{unknown} | did you mean `user`? known keys: user, password"));
        let missing = first("user: {user: x}");
        assert!(missing.starts_with("odd.conf:1:7: key `odd.user`: the key `password` is missing"), "{missing}");
        assert_eq!(
            first("tagged: {kind: named, password: 4711}"),
            "odd.conf:1:33: key `odd.tagged` takes a text, not a number | put a text that looks like something else in quotes"
        );
        let hidden = "(it is not shown, since a secret may be there)";
        assert_eq!(
            first("tagged: {kind: x}"),
            format!("odd.conf:1:16: key `odd.tagged.kind` takes `plain` or `named`, not what is there {hidden}")
        );
        // Two variants that exclude each other.
        let beside = "key `odd.auth` takes one of `none`, `token` or `basic`: ";
        let one = "take one of them out";
        assert_eq!(
            first("auth:\n  Token: {}\n  basic: {user: u, password: x}"),
            format!("odd.conf:3:3: {beside}`basic` stands beside `token` of odd.conf:2:3 | {one}")
        );
        assert_eq!(
            first("auth: {token: {}, hunter2: x, TOKEN: {}}"),
            format!(
                "odd.conf:1:31: {beside}`token` stands beside `token` of odd.conf:1:8 and what is there of odd.conf:1:19 | {one}"
            )
        );
    }

    #[test]
    fn a_text_in_the_place_of_several_is_not_shown_and_others_are() {
        let told = said("pile: {kind: of, pws: hunter2, n: hunter}", &[]).0;
        let number = "takes a whole number from 0 to 65535, not the text `hunter`";
        assert_eq!(
            told,
            [
                "odd.conf:1:23: key `odd.pile.pws` takes a list, not a text | a list stands in brackets: `[\"a\", \"b\"]`".to_string(),
                format!("odd.conf:1:35: key `odd.pile.n` {number}")
            ]
        );
    }

    #[test]
    fn a_key_of_a_secret_that_two_files_set_is_not_shown() {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", Odd::META));
        folder.write("agent.yaml", "odd: {tokens: {hunter2: x}}");
        folder.write("odd.conf", "tokens: {hunter2: y}");
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        let wrong = config.check(&known);
        assert!(wrong.len() == 1 && wrong[0].what.starts_with("key `odd.tokens` is also set in "), "{wrong:?}");
    }

    #[test]
    fn where_there_is_no_secret_what_is_wrong_is_shown() {
        let names = "takes `off`, `slow` or `weights`, not";
        assert_eq!(said("mode: fast", &[]).0, [format!("odd.conf:1:7: key `odd.mode` {names} `fast`")]);
        assert_eq!(said("mode: 5", &[]).0, ["odd.conf:1:7: key `odd.mode` takes a name, not `5`"]);
        let key = "odd.conf:1:15: key `odd.by-side.up`: the key takes `left` or `right`, not `up`";
        assert_eq!(said("by-side: {up: 1}", &[]).0, [key]);
        // It is not known how deep the type goes.
        let looped = "odd.conf:1:9: key `odd.looped` takes `End` or `Next`, not what is there (it is not shown, since a secret may be there)";
        assert_eq!(said("looped: x", &[]).0, [looped]);
    }
}
