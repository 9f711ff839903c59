//! What a field is of may lead back to its plugin, also through others: own types of names of std's are right, std's are told of once.

use cninfra::prelude::*;

/// Types that are shared, as others have them.
mod own {
    pub struct OnceCell<T>(std::sync::OnceLock<T>);
    impl<T> Default for OnceCell<T> {
        fn default() -> Self {
            OnceCell(Default::default())
        }
    }
    #[derive(Default)]
    pub struct Cell<T>(pub T);
    #[derive(Default)]
    pub struct Rc<T>(pub T);
}
mod right {
    use super::own::{Cell, OnceCell, Rc};
    use cninfra::prelude::*;
    use std::{
        marker::PhantomData,
        sync::{Arc, Weak},
    };

    #[plugin]
    pub struct First {
        number: Cell<u8>,
        connection: OnceCell<Connection>,
        itself: OnceCell<Weak<Self>>,
        counted: Rc<Option<Weak<Self>>>,
        late: OnceCell<Dep<Second>>,
    }
    struct Connection {
        owner: Weak<First>,
    }
    #[plugin]
    pub struct Second {
        first: Dep<First>,
        late: OnceCell<Dep<Third>>,
    }
    #[plugin]
    pub struct Third {
        early: OnceCell<Dep<Second>>,
    }
    #[plugin]
    pub struct Round {
        all: OnceCell<Vec<Self>>,
    }
    #[plugin]
    pub struct Left {
        right: Weak<Right>,
    }
    #[plugin]
    pub struct Right {
        all: OnceCell<Vec<Weak<Left>>>,
        left: OnceCell<Arc<Left>>,
    }
    #[derive(Default)]
    pub struct State(u8);
    #[plugin(no_lifecycle)]
    pub struct Generic<T> {
        of: PhantomData<T>,
        state: State,
        own: Rc<PhantomData<T>>,
        itself: Option<Weak<Self>>,
    }
}
mod wrong {
    use cninfra::prelude::*;
    use std::{
        cell::{Cell, OnceCell, RefCell},
        collections::HashMap,
    };

    pub struct Session {
        owner: Dep<Second>,
    }
    #[plugin]
    pub struct First {
        late: RefCell<Option<Dep<Second>>>,                     //~ CN029
        cell: Cell<Option<Dep<Second>>>,                        //~ CN029
        itself: RefCell<Option<std::sync::Weak<Self>>>,         //~ CN029
        calls: std::sync::Mutex<Vec<(Box<dyn Fn()>, Session)>>, //~ CN029
        open: RefCell<Vec<Session>>,                            //~ CN029
    }
    impl Lifecycle for First {
        async fn init(&self, _: &Context) -> Result<()> {
            let _ = (&self.late, &self.cell, &self.itself, &self.calls, &self.open);
            Ok(())
        }
    }
    #[plugin(no_lifecycle)]
    pub struct Node {
        children: HashMap<String, Dep<Node>>, //~ CN033
        peers: Vec<(u8, Dep<Self>)>,          //~ CN033
    }
    #[plugin]
    pub struct Second {
        first: Dep<First>,
        session: OnceCell<Session>, //~ CN029
        calls: std::sync::Mutex<Vec<Box<dyn FnOnce(&First) + Sync>>>, //~ CN029
        last: RefCell<Option<Dep<First>>>, //~ CN029
    }
    impl Lifecycle for Second {
        async fn init(&self, _: &Context) -> Result<()> {
            let _ = (&self.first, &self.session, &self.calls, &self.last);
            Ok(())
        }
    }
}

#[derive(Qualifier)]
struct Backup;
#[derive(Flavor)]
struct App {
    first: Dep<right::First>,
    second: Dep<right::Second>,
    third: Dep<right::Third>,
    round: Dep<right::Round>,
    left: Dep<right::Left>,
    right: Dep<right::Right>,
    generic: Dep<right::Generic<Backup>>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}
