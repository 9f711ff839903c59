//! One layer of a config, with where it comes from.

use figment::{
    Metadata, Profile, Provider, Source,
    value::{Dict, Map},
};
use std::path::PathBuf;

pub(super) struct Layer {
    metadata: Metadata,
    sections: Dict,
}

impl Layer {
    pub(super) fn named(origin: &str, sections: Dict) -> Self {
        Layer { metadata: Metadata::named(origin.to_string()), sections }
    }

    pub(super) fn file(path: PathBuf, sections: Dict) -> Self {
        Layer { metadata: Metadata::from("config file", Source::File(path)), sections }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok([(Profile::Default, self.sections.clone())].into())
    }
}
