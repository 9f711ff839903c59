//! `Weak` of `Rc`, also of the plugin itself, and what a generic plugin holds of its parameters: told once, on the field. Others are right.

use cninfra::prelude::*;
use std::{
    cell::Cell,
    marker::PhantomData,
    rc::Rc,
    sync::{Arc, Mutex},
};

#[derive(Qualifier)]
struct Backup;

mod counted {
    use cninfra::prelude::*;
    use std::rc::Weak;

    #[plugin]
    pub struct Tree {
        parent: Weak<u8>,           //~ CN029
        itself: Option<Weak<Self>>, //~ CN029
        by_name: Vec<Weak<Tree>>,   //~ CN029
    }
    impl Lifecycle for Tree {
        async fn init(&self, _: &Context) -> Result<()> {
            let _ = (self.parent.upgrade(), &self.itself, &self.by_name);
            Ok(())
        }
    }
}
mod shared {
    use cninfra::prelude::*;
    use std::sync::{Mutex, Weak};

    #[plugin]
    pub struct Bush {
        parent: Weak<u8>,
        itself: Option<Weak<Self>>,
        by_name: Mutex<Vec<Weak<Bush>>>,
        of: Weak<Node>,
    }
    #[derive(Default)]
    struct Node([u8; Bush::SIZE], std::sync::OnceLock<Bush>);
    impl Bush {
        const SIZE: usize = 3;
    }
    impl Lifecycle for Bush {
        async fn init(&self, _: &Context) -> Result<()> {
            let _ = (self.parent.upgrade(), &self.itself, &self.by_name, &self.of);
            Ok(())
        }
    }
}
#[plugin]
struct Path {
    weak: std::rc::Weak<u8>, //~ CN029
    right: std::sync::Weak<u8>,
}
impl Lifecycle for Path {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.weak.upgrade(), self.right.upgrade());
        Ok(())
    }
}

#[plugin]
struct Generic<T> {
    of: PhantomData<T>,
    cell: Cell<Option<T>>,            //~ CN029
    counted: Option<Rc<T>>,           //~ CN029
    right: Mutex<Option<Cell<T>>>,
    right_too: Arc<Mutex<Vec<T>>>,
}
impl<T: Key + Send + Sync> Lifecycle for Generic<T> {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.cell.take(), &self.counted, &self.right, &self.right_too);
        Ok(())
    }
}
mod own {
    use cninfra::prelude::*;

    pub struct Cell<T>(std::marker::PhantomData<T>);
    impl<T> Default for Cell<T> {
        fn default() -> Self {
            Cell(std::marker::PhantomData)
        }
    }
    #[plugin(no_lifecycle)]
    pub struct Right<T> {
        cell: Cell<T>,
        maybe: Option<Cell<T>>,
    }
}

#[derive(Flavor)]
struct App {
    counted: Dep<counted::Tree>,
    shared: Dep<shared::Bush>,
    path: Dep<Path>,
    generic: Dep<Generic<Backup>>,
    own: Dep<own::Right<Backup>>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}
