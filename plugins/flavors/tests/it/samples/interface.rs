#[interface(many)]                         // without `many`, only one plugin of a flavor may provide it: `Dep<dyn Source>`
trait Source {
    fn names(&self) -> Vec<String>;
}

#[plugin]
struct Fixed;

impl Source for Fixed {
    fn names(&self) -> Vec<String> {
        vec!["alice".to_string()]
    }
}

#[plugin]
struct Added {
    names: std::sync::Mutex<Vec<String>>,
}

impl Source for Added {
    fn names(&self) -> Vec<String> {
        self.names.lock().map(|names| names.clone()).unwrap_or_default()
    }
}

#[plugin]
struct Directory {
    sources: Vec<Dep<dyn Source>>,         // all its providers, in the flavor's order; they start first
}

#[derive(Flavor)]
struct Both {
    #[provides(dyn Source)]
    fixed: Dep<Fixed>,
    #[provides(dyn Source)]
    added: Dep<Added>,
    directory: Dep<Directory>,
}
