//! Texts that look like something else, in all the other places of a section where one was found: each is read with no
//! more than what is around it, and not with the whole section.

use super::{looks::texts_to_restore, trial::Trial};
use crate::config::{
    said::texts::{OriginalTexts, restore},
    wrong::failure::Failure,
};

/// The texts that are to be restored. `budget`: how many more values may be read to find them.
pub(super) fn texts_elsewhere(trial: &Trial<'_>, budget: &mut usize) -> OriginalTexts {
    let mut found = OriginalTexts::new();
    for (way, _) in trial.layers.originals(trial.merged, &[]) {
        // A key of the section itself has all of the section around it.
        let Some((_, around @ [_, ..])) = way.split_last() else { continue };
        let (mut value, dropped) = trial.reduced_to(around);
        // Texts that were found before may be in this part, too.
        restore(&mut value, found.iter().filter(|(way, _)| way.starts_with(around)));
        loop {
            let near = trial.of_part(&value, &dropped);
            let Err(Failure { what, spot: Some(spot) }) = near.try_read(&value) else { break };
            let texts = texts_to_restore((&what, &spot), &near, budget);
            if texts.is_empty() {
                break;
            }
            restore(&mut value, &texts);
            found.extend(texts);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Known, Secret, Section as _};
    use serde::{Deserialize, Deserializer, Serialize};
    use std::{cell::Cell, collections::BTreeMap};

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Users {
        all: BTreeMap<String, User>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum User {
        Basic {
            #[serde(deserialize_with = "counted")]
            user: String,
            password: Secret,
        },
    }

    fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        READ.set(READ.get() + 1);
        String::deserialize(deserializer)
    }

    #[test]
    fn hundreds_of_passwords_of_digits_are_found_without_reading_all_for_each() {
        const COUNT: usize = 350;
        for text in [|at| at, |_| 4711] {
            let (mut config, known) = (Config::new(), Known::none().plugin("users", Users::META));
            let user = BTreeMap::from([("kind", "Basic"), ("user", "u")]);
            let users: BTreeMap<String, _> = (0..COUNT).map(|at| (format!("k{at}"), user.clone())).collect();
            config = config.set("users", "all", users);
            for at in 0..COUNT {
                config.set_flag("users", &format!("all.k{at}.password"), &text(at).to_string(), "f");
            }
            READ.set(0);
            assert_eq!(config.check(&known), []);
            assert!(READ.get() < 30 * COUNT, "{}", READ.get());
            let Users { all } = config.section("users").unwrap();
            let is_it = |at: usize| {
                let User::Basic { password, .. } = &all[&format!("k{at}")];
                *password.reveal() == text(at).to_string()
            };
            assert!((0..COUNT).all(is_it));
        }
    }
}
