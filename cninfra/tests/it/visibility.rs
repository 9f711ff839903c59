//! Private plugins in private flavors, plugins that are `pub` in a private module, fields of any visibility.

use cninfra::prelude::*;

mod private {
    use super::*;

    #[plugin]
    struct Secret;

    #[plugin]
    struct Keeper {
        secret: Dep<Secret>,
    }

    #[derive(Flavor)]
    struct Set {
        secret: Dep<Secret>,
        keeper: Dep<Keeper>,
    }

    #[tokio::test]
    async fn a_private_flavor_holds_private_plugins() {
        let agent = Agent::<Set>::start().await.unwrap();
        assert!(Dep::ptr_eq(&agent.keeper.secret, &agent.secret));
        agent.close().await.unwrap();
    }
}

mod hidden {
    use super::*;

    /// `pub`, but nobody outside can name it.
    #[plugin]
    pub struct Engine;

    impl Engine {
        pub fn works(&self) -> bool {
            true
        }
    }

    #[derive(Flavor)]
    pub struct Car {
        engine: Dep<Engine>,
    }

    impl Car {
        pub fn drives(&self) -> bool {
            self.engine.works()
        }
    }
}
pub use hidden::Car;

#[derive(Flavor)]
pub(crate) struct Garage {
    pub(crate) car: Car,
}

#[tokio::test]
async fn a_public_flavor_hides_plugins_in_a_private_module() {
    let agent = Agent::<Garage>::start().await.unwrap();
    assert!(agent.car.drives());
    agent.close().await.unwrap();
}
