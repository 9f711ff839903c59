//! rustc says what the function is, we say what a handler is: axum's own error has neither.
use cninfra::http::{
    Http, Path, Routes,
    axum::extract::State,
};
use cninfra::prelude::*;
use std::{io, sync::Arc};

struct Own;

async fn no_response() -> Own {
    Own
}
async fn other_error() -> Result<String, io::Error> {
    Ok(String::new())
}
fn not_async() -> String {
    String::new()
}
async fn body_first(_: String, _: Path<u8>) {}
async fn no_extractor(name: &str) -> String {
    name.to_string()
}
async fn not_sent() -> String {
    let held = std::rc::Rc::new(1);
    no_response().await;
    held.to_string()
}
async fn with_state(State(text): State<Arc<String>>) -> String {
    text.to_string()
}

#[plugin]
struct Web {
    http: Dep<dyn Http>,
}
impl Lifecycle for Web {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new()
            .get("/a", no_response) //~ CN035
            .get("/b", other_error) //~ CN035
            .get("/c", not_async) //~ CN035
            .post("/d", body_first) //~ CN035
            .put("/e", no_extractor) //~ CN035
            .delete("/f", not_sent) //~ CN035
            .get("/g", || "not async") //~ CN035
            .patch("/h", with_state)
            .with_state(Arc::new(String::new()));
        self.http.register(cx, routes)
    }
}
