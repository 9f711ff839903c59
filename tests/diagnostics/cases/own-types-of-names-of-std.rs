//! Types of one's own that are called as std's, by a word that is imported: they are what they are, and may well hold what has no size. Only what is
//! marked is wrong.

use cninfra::prelude::*;

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[plugin]
struct Memory;
impl Store for Memory {
    fn get(&self) -> u32 {
        1
    }
}
#[derive(Qualifier)]
struct Backup;
#[plugin]
#[derive(Default)]
struct Cache;

/// Aliases of what a family has, with bounds that few types fulfil: of one that is of what has no size, and of a `Weak` of one's own type, the path has to
/// say that it is not std's.
mod family {
    use super::{Cache, Store};
    use cninfra::prelude::*;
    use std::marker::PhantomData;

    pub trait Bound {}
    impl Bound for dyn Store {}
    impl Bound for str {}
    impl Bound for Cache {}
    impl Bound for u8 {}
    impl Bound for super::Backup {}
    impl<T> Bound for PhantomData<T> {}
    impl Bound for Dep<Cache> {}
    impl Bound for Box<Cache> {}
    pub trait Family {
        type Named<T>;
        type Of<T: ?Sized + Bound>;
    }
    pub struct Heap;
    pub struct Own<T: ?Sized>(PhantomData<fn(&T)>);
    impl<T: ?Sized> Default for Own<T> {
        fn default() -> Self {
            Own(PhantomData)
        }
    }
    impl Family for Heap {
        type Named<T> = Own<T>;
        type Of<T: ?Sized + Bound> = Own<T>;
    }
    type Vec<T> = <Heap as Family>::Named<T>;
    type Option<T> = <Heap as Family>::Of<T>;
    type HashSet<T> = <Heap as Family>::Of<T>;
    type Mutex<T> = <Heap as Family>::Of<T>;
    type Weak<T> = <Heap as Family>::Of<T>;
    type Cell<T> = <Heap as Family>::Of<T>;
    type Rc<T> = <Heap as Family>::Of<T>;

    #[plugin(no_lifecycle)]
    struct Holds {
        all: Vec<Cache>,
        last: Option<Cache>,
        boxed: Option<Box<Cache>>,
        known: HashSet<Dep<Cache>>,
        within: std::vec::Vec<Vec<Vec<Cache>>>,
        locked: self::Mutex<dyn Store>,
        weak: self::Weak<Cache>,
        cell: std::option::Option<Cell<Cache>>,
        plain: Weak<u8>,
        deep: std::sync::Mutex<std::vec::Vec<Weak<u8>>>,
    }
    /// Of parameters, whatever is asked of these.
    #[plugin(no_lifecycle)]
    struct Bounded<T: Key + Bound> {
        counted: Rc<T>,
        cell: std::option::Option<Cell<T>>,
    }
    #[plugin(no_lifecycle)]
    struct Where<T>
    where
        T: Bound,
    {
        counted: Rc<T>,
    }
    #[plugin(no_lifecycle)]
    struct Marked<T: Key> {
        counted: Rc<PhantomData<T>>,
        cell: Cell<PhantomData<T>>,
    }
    #[plugin(no_lifecycle)]
    struct Generic<T> {
        of: PhantomData<T>,
        all: Vec<T>,
        weak: self::Weak<Cache>,
        last: Option<Cache>,
        known: HashSet<Dep<Cache>>,
        locked: self::Mutex<dyn Store>,
    }
    #[derive(Flavor)]
    struct Few {
        holds: Dep<Holds>,
        generic: Dep<Generic<super::Backup>>,
        bounded: Dep<Bounded<super::Backup>>,
        bounded_too: Dep<Where<super::Backup>>,
        marked: Dep<Marked<super::Backup>>,
    }
}

/// Arguments that std's have not: more of them, and a constant by its name.
mod sized {
    use super::{Cache, Memory};
    use cninfra::prelude::*;
    use std::{marker::PhantomData, sync::Arc};

    const ROOM: usize = 4;

    pub struct Vec<T: ?Sized, const N: usize>(PhantomData<fn(&T)>);
    impl<T: ?Sized, const N: usize> Default for Vec<T, N> {
        fn default() -> Self {
            Vec(PhantomData)
        }
    }
    #[derive(Default)]
    pub struct Weak<const N: usize>(u8);

    #[plugin(no_lifecycle)]
    struct Holds {
        weak: Weak<ROOM>,
        last: Option<Vec<Cache, ROOM>>,
        all: Arc<Vec<u8, ROOM>>,
        plugins: Vec<Dep<Memory>, ROOM>,
        within: std::vec::Vec<Vec<Cache, ROOM>>,
        names: Vec<str, ROOM>,
    }
    #[derive(Flavor)]
    struct Few {
        holds: Dep<Holds>,
    }
}

mod own {
    use cninfra::prelude::*;
    use std::marker::PhantomData;

    pub trait Named {}
    impl Named for str {}
    impl Named for dyn super::Store {}

    pub struct Vec<T: ?Sized>(PhantomData<fn(&T)>);
    pub struct HashMap<K: ?Sized + Named, V: ?Sized>(PhantomData<fn(&K)>, PhantomData<fn(&V)>);
    pub struct Mutex<T: ?Sized>(PhantomData<fn(&T)>);
    pub struct Rc<T: ?Sized>(PhantomData<fn(&T)>);
    pub struct RwLock<T: ?Sized>(std::cell::Cell<u8>, PhantomData<fn(&T)>);
    pub type Option<T> = cninfra::Dep<T>;
    /// A plugin, and a flavor of it.
    #[plugin(no_lifecycle)]
    pub struct VecDeque<T: ?Sized> {
        of: PhantomData<fn(&T)>,
    }
    #[derive(Flavor)]
    #[flavor(open)]
    pub struct BTreeSet<T: ?Sized> {
        queue: Dep<VecDeque<T>>,
    }

    impl<T: ?Sized> Default for Vec<T> {
        fn default() -> Self {
            Vec(PhantomData)
        }
    }
    impl<K: ?Sized + Named, V: ?Sized> Default for HashMap<K, V> {
        fn default() -> Self {
            HashMap(PhantomData, PhantomData)
        }
    }
    impl<T: ?Sized> Default for Rc<T> {
        fn default() -> Self {
            Rc(PhantomData)
        }
    }
    impl<T: ?Sized> Default for RwLock<T> {
        fn default() -> Self {
            RwLock(Default::default(), PhantomData)
        }
    }
    impl<T: ?Sized> Default for Mutex<T> {
        fn default() -> Self {
            Mutex(PhantomData)
        }
    }
}
use own::{BTreeSet, HashMap, Mutex, Option, Rc, RwLock, Vec, VecDeque};

#[plugin]
struct Reader {
    stores: Vec<dyn Store>,
    names: HashMap<str, [u8]>,
    several: (u8, Vec<[Vec<[u8]>]>),
    queue: Dep<VecDeque<dyn Store>>,
    #[dep]
    store: Option<dyn Store>,
    #[default(Vec::default())]
    hooks: Vec<dyn Fn(u8)>,
    pub locked: Mutex<dyn Store>,
    wrong: std::vec::Vec<dyn Store>, //~ CN036
}
#[plugin]
struct Right {
    stores: Vec<dyn Store>,
    #[cfg(all())]
    queue: Dep<VecDeque<dyn Store>>,
    #[cfg(all())]
    locked: Mutex<dyn Store>,
}
impl Lifecycle for Right {
    async fn init(&self, _: &Context) -> Result<()> {
        let (_, _): (&Vec<dyn Store>, &Mutex<dyn Store>) = (&self.stores, &self.locked);
        Ok(())
    }
}
/// As private as their fields may be.
#[plugin]
pub struct Public {
    stores: Vec<dyn Store>,
    itself: Vec<dyn Fn(&Self, Vec<Self>)>,
    maybe: HashMap<str, Self>,
}
#[plugin(no_lifecycle)]
struct Generic<T> {
    stores: Vec<dyn Store>,
    names: HashMap<str, T>,
    #[dep]
    store: Option<dyn Store>,
}

/// A parameter may have the name of what has no size, also beside a field that may not be there.
#[plugin(no_lifecycle)]
struct Named<Path: Key + Default, OsStr: Key + Default> {
    #[cfg(all())]
    number: u8,
    path: Path,
    text: OsStr,
}

/// They may be of plugins: what would be a plugin without `Dep` in std's, and a `Dep` in what is empty, is not so in them.
#[plugin]
struct Holding {
    caches: Vec<Cache>,
    by_path: own::Vec<Cache>,
    counted: Rc<Cache>,
    maybe: std::option::Option<own::Rc<Cache>>,
    named: HashMap<str, Dep<Cache>>,
    named_by_path: own::HashMap<str, Dep<Cache>>,
    deep: Vec<Rc<Box<dyn Store>>>,
    of_std: std::vec::Vec<Cache>,                  //~ CN033
    held: std::vec::Vec<(u8, Vec<Dep<Cache>>)>,
    held_of_std: std::vec::Vec<Box<(u8, Dep<Cache>)>>, //~ CN033
    locked: RwLock<Cache>,                         //~ CN029
}
/// Beside others, and what leads back to the plugin.
#[plugin]
struct Leading {
    itself: (Vec<dyn Store>, std::sync::Weak<Self>),
    held: std::collections::HashMap<u8, (std::sync::Weak<Self>, Dep<Cache>)>, //~ CN033
    named: HashMap<str, (std::sync::Weak<Self>, Dep<Cache>)>,
}
#[plugin]
struct Counting {
    counted: (Vec<dyn Store>, std::rc::Rc<u8>), //~ CN029
}
/// Of what is plain if it is std's nothing is asked: what an agent says of it is all.
#[plugin]
struct Plain {
    locked: RwLock<u8>,
}
#[derive(Flavor)]
struct Unshared {
    plain: Dep<Plain>,
}
async fn start_unshared() {
    drop(Agent::<Unshared>::start().await); //~ CN019
}

#[interface]
pub trait Shown {
    fn show(&self);
}
#[derive(Deps)]
pub struct PublicNeeds {
    queue: Dep<VecDeque<dyn Shown>>,
    shown: Option<dyn Shown>,
}
#[derive(Flavor)]
#[flavor(open)]
pub struct PublicFlavor {
    queue: Dep<VecDeque<dyn Shown>>,
}

#[derive(Deps)]
struct Needs {
    memory: Dep<Memory>,
    store: Option<dyn Store>,
    queue: Dep<VecDeque<dyn Store>>,
}
#[plugin(deps = Needs)]
struct Needing {
    stores: Vec<dyn Store>,
    needs: Needs,
}
impl Create for Needing {
    async fn create(needs: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Needing { stores: Vec::default(), needs })
    }
}
#[derive(Deps)]
struct Wrong {
    stores: Vec<dyn Store>, //~ CN010
    memory: Dep<Memory>,
}

#[derive(Flavor)]
struct App {
    needing: Dep<Needing>,
    cache: Dep<Cache>,
    right: Dep<Right>,
    generic: Dep<Generic<Backup>>,
    set: BTreeSet<dyn Store>,
    #[provides(dyn Store)]
    memory: Dep<Memory>,
}
/// They are a part of the wiring.
#[derive(Flavor)]
struct Lacking {
    needing: Dep<Needing>, //~ CN002+CN001
    memory: Dep<Memory>,
}
#[derive(Flavor)]
struct Other {
    memory: Dep<Memory>,
    stores: Vec<dyn Store>, //~ CN007
}

async fn start() {
    drop(Agent::<App>::start().await);
}
