pub mod m {
    use cninfra::prelude::*;

    #[plugin]
    struct Hidden;

    #[derive(Flavor)]
    pub struct Mixed {
        hidden: Dep<Hidden>, //~ E0446
    }
}
