//! [`Given`]: a section as tests give it, by a file, variables and flags.

use crate::config::sections::{config::Config, files::Files, known::Known, section::ConfigMeta};
use cninfra_testbed::Folder;

pub(super) struct Given {
    pub(super) config: Config,
    pub(super) known: Known,
    pub(super) folder: Folder,
}

impl Given {
    /// The section `odd`, of which its file says this.
    pub(super) fn file(meta: ConfigMeta, file: &str) -> Self {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", meta));
        folder.write("odd.conf", file);
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        Given { config, known, folder }
    }

    /// Each with the key in capitals as its name.
    pub(super) fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        for (key, text) in variables {
            self.config.set_variable("odd", key, text, &key.to_uppercase());
        }
        self
    }

    /// Each with the key as its name.
    pub(super) fn flags(mut self, flags: &[(&str, &str)]) -> Self {
        for (key, text) in flags {
            self.config.set_flag("odd", key, text, key);
        }
        self
    }

    /// What is wrong with it, with places; files by their names.
    pub(super) fn wrong(&self) -> Vec<String> {
        let dir = format!("{}/", self.folder.path().display());
        self.config.check(&self.known).iter().map(|told| told.to_string().replace(&dir, "")).collect()
    }

    /// The same of a file of one line, without that.
    pub(super) fn wrong_in_line(&self) -> Vec<String> {
        self.wrong().iter().map(|told| told.replace("odd.conf:1:", "")).collect()
    }
}
