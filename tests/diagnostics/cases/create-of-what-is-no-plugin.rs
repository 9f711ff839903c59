use cninfra::prelude::*;

struct A;
impl Create for A { //~ CN006
    async fn create(_: (), _: &Context) -> Result<Self> {
        Ok(A)
    }
}
