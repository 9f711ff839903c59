//! [`Given`]: a section `odd` for tests, made from a file, variables and flags.

use crate::config::sections::{config::Config, files::Files, known::Known, section::ConfigMeta};
use cninfra_testbed::Folder;

pub(super) struct Given {
    pub(super) config: Config,
    pub(super) known: Known,
    pub(super) folder: Folder,
}

impl Given {
    /// The section `odd` with this text as its file.
    pub(super) fn file(meta: ConfigMeta, file: &str) -> Self {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", meta));
        folder.write("odd.conf", file);
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        Given { config, known, folder }
    }

    /// Sets keys by variables, each named by the key in upper case.
    pub(super) fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        for (key, text) in variables {
            self.config.set_variable("odd", key, text, &key.to_uppercase());
        }
        self
    }

    /// Sets keys by flags, each named by the key.
    pub(super) fn flags(mut self, flags: &[(&str, &str)]) -> Self {
        for (key, text) in flags {
            self.config.set_flag("odd", key, text, key);
        }
        self
    }

    /// The mistakes with their places, and with files named without their folder.
    pub(super) fn wrong(&self) -> Vec<String> {
        let dir = format!("{}/", self.folder.path().display());
        self.config.check(&self.known).iter().map(|mistake| mistake.to_string().replace(&dir, "")).collect()
    }

    /// The same for a file of one line, without file name and line.
    pub(super) fn wrong_in_line(&self) -> Vec<String> {
        self.wrong().iter().map(|mistake| mistake.replace("odd.conf:1:", "")).collect()
    }
}
