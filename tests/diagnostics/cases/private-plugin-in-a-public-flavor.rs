pub mod m {
    use cninfra::prelude::*;

    #[plugin]
    struct Hidden;

    #[derive(Flavor)] //~ E0446
    pub struct Mixed {
        hidden: Dep<Hidden>,
    }
}
