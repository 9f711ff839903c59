use cninfra::prelude::*;
use std::marker::PhantomData;

macro_rules! wide {
    ($name:ident $t:ident: $($field:ident)*) => {
        #[derive(Flavor)]
        #[flavor(open)]
        struct $name<$t> {
            $($field: Dep<Item<$t>>,)*
        }
    };
}

#[plugin(no_lifecycle)]
struct Item<T> {
    t: PhantomData<T>,
}
wide!(Ten T: a b c d e f g h i j);

#[derive(Flavor)]
#[flavor(open)]
struct Hundred<T> {
    a: Ten<T>, b: Ten<T>, c: Ten<T>, d: Ten<T>, e: Ten<T>, f: Ten<T>, g: Ten<T>, h: Ten<T>, i: Ten<T>, j: Ten<T>,
}
#[derive(Flavor)]
struct Large<T> {
    a: Hundred<T>, b: Hundred<T>, c: Hundred<T>, d: Hundred<T>, e: Hundred<T>, f: Hundred<T>, g: Hundred<T>,
    h: Hundred<T>, i: Hundred<T>, j: Hundred<T>, k: Hundred<T>,
}

cninfra::check_flavor!(Large<fixture_connectors::Backup>); //~ CN028
