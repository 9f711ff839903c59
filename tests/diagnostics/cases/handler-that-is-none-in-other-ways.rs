//! What takes along what can not be cloned, a handler with two mistakes; and what is a handler beside functions.
use cninfra::http::{
    Http, Json, Path, Routes,
    axum::{
        extract::State,
        handler::Handler as _,
        http::StatusCode,
        middleware::{Next, from_fn},
        routing,
    },
};
use cninfra::prelude::*;
use std::sync::Mutex;

/// Neither `Serialize` nor a response.
struct Own;
struct Unique(Mutex<u32>);

async fn two_mistakes(_: Own) -> Own {
    Own
}
async fn locked(State(_): State<()>) -> String {
    let lock = Mutex::new(1);
    let held = lock.lock();
    std::future::ready(()).await;
    format!("{held:?}")
}
async fn not_serialized() -> Json<Own> {
    Json(Own)
}
async fn not_deserialized(_: Path<u8>, _: Json<Own>) {}

#[plugin]
struct Web {
    http: Dep<dyn Http>,
}
impl Lifecycle for Web {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new()
            .get("/b", two_mistakes) //~ CN035 CN035
            .get("/c", locked) //~ CN035
            .get("/d", not_serialized) //~ CN035
            .post("/e", not_deserialized) //~ CN035
            // as it should be
            .get("/h", "a text")
            .get("/i", (StatusCode::OK, "a text"))
            .get("/j", (async || "layered").layer(from_fn(async |request, next: Next| next.run(request).await)))
            .get("/k", routing::get(async || "a router"));
        self.http.register(cx, routes)
    }
}

fn closures() -> Routes {
    let unique = Unique(Mutex::new(1));
    Routes::new().get("/f", async move || unique.0.is_poisoned().to_string()) //~ CN035
}
