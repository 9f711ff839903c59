use cninfra::prelude::*;

#[plugin]
enum A { //~ CN010
    B,
}
#[plugin]
union C { //~ CN010
    d: u8,
}
#[plugin]
fn e() {} //~ CN010
#[plugin]
trait F {} //~ CN010
#[plugin]
impl A {} //~ CN010
#[derive(Flavor)]
enum G { //~ CN010
    H,
}
#[derive(Flavor)]
struct I; //~ CN010
#[derive(Deps)]
enum J { //~ CN010
    K,
}
#[interface]
struct L; //~ CN010
