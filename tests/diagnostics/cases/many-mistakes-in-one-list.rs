//! Each wrong entry of a list is told, and so is everything else that is wrong beside it.
use cninfra::prelude::*;

#[plugin]
pub struct Clock;
#[interface]
pub trait Store {}
#[interface]
pub trait Cache {}
pub struct Settings;

#[plugin(deps = (
    &Clock, //~ CN010
    Clock,
    &'a Clock, //~ CN010
    Option<&'static Clock>, //~ CN010
    dyn Store + Cache, //~ CN010
    impl Store, //~ CN010
    Clock Clock, //~ CN010
    Vec<dyn Store>, //~ CN012
    Settings, //~ CN006
    Unknown, //~ E0425
))]
pub struct Listed {
    #[config] //~ CN010
    unknown: Unheard, //~ E0425
}
impl Create for Listed {
    async fn create((a, b, c, d): Self::Deps, _: &Context) -> Result<Self> {
        drop((a, b, c, d));
        Err(Error::msg("none"))
    }
}

/// What is wrong with the parameters hides no dependency that does not name one.
#[plugin(deps = (Settings, Clock))] //~ CN006
pub struct Lent<'a> { //~ CN014
    name: &'a str,
}
#[plugin]
pub struct Sized<T, const N: usize> { //~ CN014
    of: std::marker::PhantomData<[T; N]>,
    settings: Dep<Settings>, //~ CN006
    other: Dep<T>,
}
#[derive(Deps)]
pub struct Needs<'a> { //~ CN014
    settings: Dep<Settings>, //~ CN006
    lent: Dep<Lent<'a>>,
}
#[derive(Flavor)]
pub struct Parts<const N: usize> { //~ CN014
    settings: Dep<Settings>, //~ CN006
    clock: Dep<Clock>,
}

#[derive(Flavor)]
pub struct App {
    #[provides(dyn Store, &dyn Cache, 7)] //~ CN011 CN010 CN010
    clock: Dep<Clock>,
    settings: Dep<Settings>, //~ CN006
    bare: Settings, //~ CN007
    #[provides(Dep<dyn Store>)] //~ CN010
    again: Dep<Clock>,
}

#[interface]
pub trait Sink {
    fn write<T>( //~ CN032
        &self,
        of: impl Store, //~ CN032
        other: Self, //~ CN032
    ) -> impl Store; //~ CN032
}
