use cninfra::prelude::*;

mod part {
    use cninfra::prelude::*;

    #[plugin]
    pub struct Web {
        journal: Dep<fixture_base::Journal>,
        http: Dep<fixture_base::Http>,
    }

    #[derive(Flavor)]
    #[flavor(open)]
    pub struct Part {
        pub web: Dep<Web>,
    }
}

#[derive(Flavor)]
struct All {
    part: part::Part, //~ CN001+CN001
}
