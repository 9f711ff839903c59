//! Fields of a generic plugin that would be filled with a default where the flavor's plugin is meant: told of the plugin alone, whatever its parameters are.

use cninfra::prelude::*;
use std::{collections::HashMap, marker::PhantomData, sync::Arc};

#[interface(many)]
trait Routes {
    fn count(&self) -> usize;
}
#[plugin]
#[derive(Default)]
struct Database;
#[derive(Qualifier)]
struct Backup;

#[plugin(no_lifecycle)]
struct Store<T> {
    of: PhantomData<T>,
    database: Database,                 //~ CN033
    counted: Arc<Database>,             //~ CN033
    maybe: Option<Database>,            //~ CN033
    all: Vec<Arc<Database>>,            //~ CN033
    routes: Vec<Box<dyn Routes>>,       //~ CN033
    named: HashMap<u8, Dep<Database>>,  //~ CN033
    right: Option<Vec<T>>,
    right_too: Option<u8>,
    #[default(Database)]
    own: Database,
}
/// None of its parameters is in the type, and it leads back to the plugin.
#[plugin(no_lifecycle)]
struct Leading<T> {
    of: PhantomData<T>,
    bytes: Buffer,
}
#[derive(Default)]
struct Buffer(Option<[u8; Leading::<Backup>::SIZE]>);
impl<T> Leading<T> {
    const SIZE: usize = 3;
}

#[derive(Flavor)]
struct App {
    store: Dep<Store<Backup>>,
    leading: Dep<Leading<Backup>>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}
