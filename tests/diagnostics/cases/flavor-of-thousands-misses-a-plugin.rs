//! What is wrong with a flavor of any size is told in our words, and once. (A shared flavor is counted each time that it is reached.)
use cninfra::prelude::*;

#[plugin]
pub struct Missing;

#[plugin]
pub struct Api {
    missing: Dep<Missing>,
}

#[derive(Flavor)]
#[flavor(open)]
pub struct Ones {
    api: Dep<Api>,
}

macro_rules! eight {
    ($name:ident of $inner:ident) => {
        #[derive(Flavor)]
        #[flavor(open)]
        pub struct $name {
            a: $inner,
            b: $inner,
            c: $inner,
            d: $inner,
            e: $inner,
            f: $inner,
            g: $inner,
            h: $inner,
        }
    };
}
eight!(Eights of Ones);
eight!(SixtyFours of Eights);
eight!(Hundreds of SixtyFours);

#[derive(Flavor)]
pub struct Thousands {
    a: Hundreds, //~ CN001
    b: Hundreds,
    c: Hundreds,
    d: Hundreds,
    e: Hundreds,
}
