use cninfra::http::{Http, Json, Path, Query, Routes, error_response};
use cninfra::http::axum::{extract::State, http::StatusCode, response::Response};
use std::{collections::BTreeMap, sync::{Mutex, MutexGuard, PoisonError}};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Contact {
    phone: String,
}

#[derive(serde::Deserialize)]
struct Page {
    #[serde(default)]
    skip: usize,
}

#[plugin]
struct Contacts {
    by_name: Mutex<BTreeMap<String, Contact>>,       // no dependency: filled from its `Default`
    #[default(100)]
    most: usize,
}

impl Contacts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Contact>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[plugin]
struct Phonebook {
    http: Dep<dyn Http>,
    contacts: Dep<Contacts>,
}

impl Lifecycle for Phonebook {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new()
            .get("/contacts", list)                  // GET /contacts?skip=100
            .get("/contacts/{name}", tell)
            .put("/contacts/{name}", write_down)
            .get("/motto", motto)
            .with_state(self.contacts.clone());      // handlers outlive `&self`, so they get clones of what they need
        self.http.register(cx, routes)
    }
}

async fn list(State(contacts): State<Dep<Contacts>>, Query(page): Query<Page>) -> Json<Vec<String>> {
    Json(contacts.lock().keys().skip(page.skip).take(contacts.most).cloned().collect())
}

async fn tell(State(contacts): State<Dep<Contacts>>, Path(name): Path<String>) -> Result<Json<Contact>, Response> {
    let found = contacts.lock().get(&name).cloned();
    found.map(Json).ok_or_else(|| error_response(StatusCode::NOT_FOUND, "nobody has that name"))
}

async fn write_down(
    State(contacts): State<Dep<Contacts>>,
    Path(name): Path<String>,
    Json(contact): Json<Contact>,                    // the body is the last argument
) -> StatusCode {
    contacts.lock().insert(name, contact);
    StatusCode::NO_CONTENT
}

async fn motto() -> Result<String> {
    let motto = std::env::var("MOTTO").context("the phonebook's motto")?;  // an error is answered with 500
    Ok(motto.to_uppercase())
}
