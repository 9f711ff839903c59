//! A plugin with routes: a phonebook over HTTP.
//!
//! ```sh
//! cargo run -p rest-handler
//! curl -X PUT localhost:9191/contacts/alice -H 'content-type: application/json' -d '{"phone":"555-0100"}'
//! curl localhost:9191/contacts
//! curl -X DELETE localhost:9191/contacts/alice
//! ```

use cninfra::{
    http::{
        Http, Json, Path, Routes,
        axum::{
            extract::State,
            http::StatusCode,
            response::{IntoResponse, Response},
        },
        error_response,
    },
    prelude::*,
};
use cninfra_flavors::Rpc;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contact {
    phone: String,
}

/// The contacts by name. Clones share them, so all handlers use the same contacts.
#[derive(Clone, Default)]
struct Contacts(Arc<Mutex<BTreeMap<String, Contact>>>);

impl Contacts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Contact>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> BTreeMap<String, Contact> {
        self.lock().clone()
    }

    fn get(&self, name: &str) -> Response {
        self.lock().get(name).map_or_else(nobody, |contact| Json(contact).into_response())
    }

    fn put(&self, name: String, contact: Contact) -> StatusCode {
        if self.lock().insert(name, contact).is_some() { StatusCode::OK } else { StatusCode::CREATED }
    }

    fn delete(&self, name: &str) -> Response {
        if self.lock().remove(name).is_some() { StatusCode::NO_CONTENT.into_response() } else { nobody() }
    }
}

/// In JSON, as all errors of the server are. (A status alone would have no body.)
fn nobody() -> Response {
    error_response(StatusCode::NOT_FOUND, "nobody has that name")
}

#[plugin]
struct PhoneBook {
    http: Dep<dyn Http>,
    contacts: Contacts,
}

impl Lifecycle for PhoneBook {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new()
            .get("/contacts", async |State(contacts): State<Contacts>| Json(contacts.all()))
            .summary("lists the contacts")
            .get("/contacts/{name}", async |State(contacts): State<Contacts>, Path(name): Path<String>| {
                contacts.get(&name)
            })
            .summary("tells a contact")
            .put("/contacts/{name}", write_down)
            .summary("writes a contact down")
            .delete("/contacts/{name}", async |State(contacts): State<Contacts>, Path(name): Path<String>| {
                contacts.delete(&name)
            })
            .summary("forgets a contact")
            .with_state(self.contacts.clone());
        self.http.register(cx, routes)
    }
}

async fn write_down(
    State(contacts): State<Contacts>,
    Path(name): Path<String>,
    Json(contact): Json<Contact>,
) -> StatusCode {
    contacts.put(name, contact)
}

#[derive(Flavor)]
struct RestHandler {
    rpc: Rpc,
    phone_book: Dep<PhoneBook>,
}

fn main() -> ExitCode {
    Agent::<RestHandler>::main()
}
