//! What checks a section takes it and says what is wrong with it.

use cninfra::{config::Invalid, prelude::*};

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Settings {
    port: u16,
}
impl Settings {
    fn is_valid(&self) -> bool {
        self.port > 0
    }
    fn check(&self, _most: u16) -> Result<(), Invalid> {
        Ok(())
    }
}

#[plugin]
struct Bool {
    #[config(check = Settings::is_valid)] //~ E0308
    config: Settings,
}
#[plugin]
struct Arguments {
    #[config(check = Settings::check)] //~ E0308
    config: Settings,
}
#[plugin(name = "right")]
struct Right {
    #[config(check = |settings: &Settings| settings.check(1))]
    config: Settings,
}

#[derive(Default)]
struct Forgotten {
    port: u16,
}
#[plugin]
struct NoSection {
    #[config(check = |section| Ok(drop(section.port)))]
    config: Forgotten, //~ CN026
}
