use cninfra::prelude::*;

struct Settings;

#[plugin] struct P0;
#[plugin] struct P1;
#[plugin] struct P2;
#[plugin] struct P3;
#[plugin] struct P4;
#[plugin] struct P5;
#[plugin] struct P6;
#[plugin] struct P7;
#[plugin] struct P8;
#[plugin] struct P9;
#[plugin] struct P10;
#[plugin] struct P11;
#[plugin] struct P12;

#[derive(Flavor)]
struct Wide {
    p0: Dep<P0>,
    p1: Dep<P1>,
    p2: Dep<P2>,
    p3: Dep<P3>,
    p4: Dep<P4>,
    p5: Dep<P5>,
    p6: Dep<P6>,
    wrong: Settings, //~ CN007
    p7: Dep<P7>,
    p8: Dep<P8>,
    p9: Dep<P9>,
    p10: Dep<P10>,
    p11: Dep<P11>,
    p12: Dep<P12>,
    no_plugin: Dep<Settings>, //~ CN006
}
