//! Resolves choices (enums) over all layers. The highest layer that names a variant decides which one holds. What lower
//! layers say about the same variant is kept and merged like any mapping; what they say about another variant is
//! removed.

use crate::config::written::{
    key, value,
    way::{Step, Way},
};
use figment::value::Value;
use std::collections::BTreeMap;

/// The ways to choices, and the names of their variants. None of them is in a list, since a list is taken from one
/// layer only.
pub(super) type Choices = BTreeMap<Way, &'static [&'static str]>;

/// Removes from the layers' values, the highest first, whatever does not belong to the variants that hold.
pub(super) fn retain_chosen<'a>(values: &mut [Value], choices: impl IntoIterator<Item = &'a Choices>) {
    // Outer choices come before inner ones, so that the inner choices of a removed variant are gone, too.
    let mut all = BTreeMap::new();
    all.extend(choices.into_iter().flatten());
    for (way, names) in all {
        retain_chosen_at(values, way, names);
    }
}

fn retain_chosen_at(values: &mut [Value], way: &[Step], names: &[&str]) {
    let mut saying = values.iter_mut().filter(|value| value::at(value, way).is_some());
    let Some(highest) = saying.next() else { return };
    let chosen = value::at(highest, way).and_then(|value| variant(value, names)).map(str::to_string);
    let (mut has_more, mut ends) = (false, chosen.is_none());
    for value in saying {
        let here = value::at(value, way);
        // A null ends the choice: nothing below it is kept.
        ends |= matches!(here, Some(Value::Empty(..)));
        let is_more =
            !ends && here.is_some_and(|here| here.as_dict().is_some() && variant(here, names) == chosen.as_deref());
        has_more |= is_more;
        if !is_more {
            value::remove(value, way);
        }
    }
    // A name alone only names the variant. It is removed, since figment would put it in the place of the mapping.
    if has_more && value::at(highest, way).is_some_and(|value| value.as_str().is_some()) {
        value::remove(highest, way);
    }
}

/// The variant that a value names; `None` if it names none.
pub(super) fn variant<'a>(value: &'a Value, names: &[&'a str]) -> Option<&'a str> {
    match value {
        Value::Dict(_, dict) if dict.len() == 1 => dict.keys().next().map(String::as_str),
        Value::String(_, text) => names.iter().find(|name| key::same(name, text)).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Files, Known, Secret, Section as _, given::Given, print};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        auth: Auth,
        maybe: Option<Auth>,
        tagged: Tagged,
        untagged: Untagged,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Auth {
        #[default]
        None,
        Token(String),
        Basic(Basic),
        OverTls {
            min_version: u8,
            #[serde(default)]
            inner: Inner,
        },
        Pair(u8, u8),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Basic {
        user: String,
        password: Secret,
        realm: Option<String>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Inner {
        #[default]
        Nothing,
        Ends {
            low: u8,
            high: u8,
        },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Plain { port: u16 },
        Named { name: String, port: u16 },
    }

    impl Default for Tagged {
        fn default() -> Self {
            Tagged::Plain { port: 0 }
        }
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Port(u16),
        Both { host: String, port: u16 },
    }

    impl Default for Untagged {
        fn default() -> Self {
            Untagged::Port(0)
        }
    }

    fn read(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Odd {
        let Given { config, known, .. } = Given::file(Odd::META, file).variables(variables).flags(flags);
        assert_eq!(config.check(&known), [], "{file}");
        config.section("odd").unwrap()
    }

    fn wrong(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
        Given::file(Odd::META, file).variables(variables).flags(flags).wrong()
    }

    fn basic(user: &str, password: &str, realm: Option<&str>) -> Auth {
        let password = Secret::new(password.to_string());
        Auth::Basic(Basic { user: user.to_string(), password, realm: realm.map(str::to_string) })
    }

    #[test]
    fn the_parts_of_a_variant_may_be_in_several_layers() {
        let (user, password) = ("auth: {basic: {user: u}}", ("auth.basic.password", "x"));
        assert_eq!(read(user, &[], &[password]).auth, basic("u", "x", None));
        assert_eq!(read(user, &[password], &[]).auth, basic("u", "x", None));
        assert_eq!(
            read(user, &[("AUTH.BASIC.PASSWORD", "x")], &[("Auth.Basic.Realm", "r")]).auth,
            basic("u", "x", Some("r"))
        );
        // Keys of a higher layer override those of a lower one; lists and texts are taken whole.
        assert_eq!(
            read("auth: {Basic: {user: u, password: y}}", &[password], &[("auth.basic.user", "v")]).auth,
            basic("v", "x", None)
        );
        assert_eq!(read("auth: {pair: [1, 2]}", &[], &[("auth.pair", "[3, 4]")]).auth, Auth::Pair(3, 4));
        assert_eq!(read("auth: {token: a}", &[], &[("auth.TOKEN", "b")]).auth, Auth::Token("b".into()));
        // A mapping without a value removes nothing from the layers below.
        let both = "auth: {basic: {user: u, password: y}}";
        assert_eq!(read(both, &[], &[("auth", "{basic: }")]).auth, basic("u", "y", None));
        // Neither does a name alone.
        assert_eq!(read(both, &[], &[("auth", "Basic")]).auth, basic("u", "y", None));
        assert_eq!(read("auth: basic", &[password], &[("auth.basic.user", "v")]).auth, basic("v", "x", None));
        assert_eq!(read(both, &[("auth", "basic")], &[password]).auth, basic("u", "x", None));
        let over = "maybe: {basic: {user: u, realm: r}}";
        assert_eq!(read(over, &[], &[("maybe.basic.password", "x")]).maybe, Some(basic("u", "x", Some("r"))));
        // A choice within a choice.
        let ends = "auth: {over_tls: {MinVersion: 3, inner: {ends: {low: 1}}}}";
        let expected = Auth::OverTls { min_version: 3, inner: Inner::Ends { low: 1, high: 2 } };
        assert_eq!(read(ends, &[], &[("auth.OverTls.inner.ends.high", "2")]).auth, expected);
    }

    #[test]
    fn what_is_said_of_another_variant_is_not_there() {
        let both = "auth: {basic: {user: u, password: y}}";
        assert_eq!(read(both, &[], &[("auth.token", "t")]).auth, Auth::Token("t".into()));
        assert_eq!(read(both, &[], &[("auth", "none")]).auth, Auth::None);
        assert_eq!(read("auth: none", &[], &[("auth", both[6..].trim())]).auth, basic("u", "y", None));
        // Also if the layer with another variant is between two with the same one.
        let (token, password) = (("auth.token", "t"), ("auth.basic.password", "x"));
        assert_eq!(read(both, &[token], &[password]).auth, basic("u", "x", None));
        assert_eq!(read(both, &[("auth", "none")], &[password]).auth, basic("u", "x", None));
        // Removing a variant also removes the choices in it.
        let ends = "auth: {over-tls: {min-version: 3, inner: {ends: {low: 1, high: 2}}}}";
        assert_eq!(read(ends, &[], &[token]).auth, Auth::Token("t".into()));
        let nothing = Auth::OverTls { min_version: 3, inner: Inner::Nothing };
        assert_eq!(read(ends, &[], &[("auth.over-tls.inner", "nothing")]).auth, nothing);
        // A null removes what the layers below say.
        let over = "maybe: {basic: {user: u, password: y}}";
        assert_eq!(read(over, &[("maybe", "")], &[]).maybe, None);
        let missing = wrong(over, &[("maybe", "")], &[("maybe.basic.password", "x")]);
        assert!(
            missing.len() == 1 && missing[0].contains("key `odd.maybe.basic`: the key `user` is missing"),
            "{missing:?}"
        );
        // What is ignored must be valid all the same.
        let found = wrong("auth: {basic: {user: 5}}", &[], &[token]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], "odd.conf:1:15: key `odd.auth.basic`: the key `password` is missing");
        assert!(found[1].starts_with("odd.conf:1:22: key `odd.auth.basic.user` takes a text"), "{found:?}");
        let found = wrong("auth: {basic: {user: u}}", &[], &[token]);
        assert_eq!(found, ["odd.conf:1:15: key `odd.auth.basic`: the key `password` is missing"]);
    }

    #[test]
    fn what_is_wrong_with_a_variant_of_several_layers_is_told_where_it_is() {
        // It is reported once, at the file, since that is written by a person.
        let found = wrong("auth:\n  basic:\n    realm: r", &[], &[("auth.basic.password", "x")]);
        assert_eq!(found, ["odd.conf:3:5: key `odd.auth.basic`: the key `user` is missing"]);
        let found = wrong("auth: {basic: {usr: u}}", &[("auth.basic.realm", "r")], &[("auth.basic.password", "x")]);
        assert_eq!(found, ["odd.conf:1:16: key `odd.auth.basic.usr` is unknown"]);
        let found = wrong("auth: {basic: {user: 5}}", &[], &[("auth.basic.password", "x")]);
        assert_eq!(found, ["odd.conf:1:22: key `odd.auth.basic.user` takes a text, not `5`"]);
        let found = wrong("auth: {basic: {user: u}}", &[], &[("auth.basic.realm", "r"), ("auth.basic.nick", "x")]);
        let missing = "odd.conf:1:15: key `odd.auth.basic`: the key `password` is missing";
        assert_eq!(found, [missing, "flag --auth.basic.nick: key `odd.auth.basic.nick` is unknown"]);
        let found = wrong(
            "auth: {over-tls: {min-version: 1}}",
            &[("auth.over-tls.inner", "5")],
            &[("auth.over-tls.inner.ends.low", "x")],
        );
        assert!(
            found
                .iter()
                .any(|mistake| mistake.starts_with("variable AUTH.OVER-TLS.INNER: key `odd.auth.over-tls.inner` takes")),
            "{found:?}"
        );
        let flag = |mistake: &str| found.contains(&format!("flag --auth.over-tls.inner.ends.low: {mistake}"));
        let byte = "takes a whole number from 0 to 255, not the text `x`";
        assert!(flag(&format!("key `odd.auth.over-tls.inner.ends.low` {byte}")), "{found:?}");
        assert!(flag("key `odd.auth.over-tls.inner.ends`: the key `high` is missing"), "{found:?}");
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn two_files_say_one_variant() {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", Odd::META));
        let check = |whole: &str, own: &str| {
            folder.write("agent.yaml", whole);
            folder.write("odd.conf", own);
            let mut config = Config::new();
            config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
            let dir = format!("{}/", folder.path().display());
            let wrong: Vec<_> =
                config.check(&known).iter().map(|mistake| mistake.to_string().replace(&dir, "")).collect();
            (wrong, config.section::<Odd>("odd").ok().map(|odd| odd.auth))
        };
        let (wrong, auth) = check("odd: {auth: {basic: {user: u}}}", "auth: {basic: {password: x}}");
        assert_eq!((wrong, auth), (vec![], Some(basic("u", "x", None))));
        let (wrong, _) = check("odd: {auth: {token: t}}", "auth: {basic: {user: u, password: x}}");
        assert_eq!(wrong, ["odd.conf:1:1: key `odd.auth` is also set in agent.yaml:1:7"]);
        let (wrong, _) = check("odd: {auth: {basic: {user: u}}}", "auth: {basic: {user: v, password: x}}");
        assert_eq!(wrong, ["odd.conf:1:16: key `odd.auth.basic.user` is also set in agent.yaml:1:22"]);
    }

    #[test]
    fn each_part_is_printed_with_its_layer() {
        let printed = |file: &str, flag: (&str, &str)| {
            let Given { config, known, folder } = Given::file(Odd::META, file).flags(&[flag]);
            let printed = print(&config.effective(&known, &Config::new(), &Config::new()));
            printed.replace(&format!("{}/", folder.path().display()), "")
        };
        let text = printed("auth: {over-tls: {min-version: 3}}", ("auth.over-tls.inner.ends", "{low: 1, high: 2}"));
        for line in ["min-version: 3  # odd.conf:1:19", "low: 1  # flag --auth.over-tls.inner.ends"] {
            assert!(text.lines().any(|printed| printed.trim() == line), "{line}: {text}");
        }
        let text = printed("auth: {basic: {user: u}}", ("auth.basic.password", "hunter2"));
        let line = r#"# auth: {"basic":{"user":"u","password":"***","realm":null}}  # flag --auth.basic.password and odd.conf:1:1, a secret"#;
        assert!(text.lines().any(|printed| printed.trim() == line), "{text}");
    }

    /// Only the type's own code knows what these values are, so they are merged key by key, like other mappings.
    #[test]
    fn tagged_and_untagged_ones_are_merged_as_mappings() {
        let named = "tagged: {kind: named, name: a, port: 1}";
        let expected = Tagged::Named { name: "a".into(), port: 2 };
        assert_eq!(read(named, &[], &[("tagged.port", "2")]).tagged, expected);
        let found = wrong(named, &[], &[("tagged.kind", "plain")]);
        assert!(found.len() == 1 && found[0].contains("key `odd.tagged.name` is unknown"), "{found:?}");
        // A part of an overridden value is not checked by itself.
        assert_eq!(wrong(named, &[("tagged.kind", "plain")], &[("tagged.kind", "named")]), [""; 0]);
        assert_eq!(wrong("tagged: {port: 5}", &[("tagged.kind", "plain")], &[("tagged.port", "2")]), [""; 0]);
        let both = "untagged: {host: a, port: 1}";
        assert_eq!(read(both, &[], &[("untagged.port", "2")]).untagged, Untagged::Both { host: "a".into(), port: 2 });
        assert_eq!(read(both, &[], &[("untagged", "7")]).untagged, Untagged::Port(7));
    }
}
