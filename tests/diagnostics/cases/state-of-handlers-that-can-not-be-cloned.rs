//! What a handler takes as its state: told where it is taken, and nowhere else, whatever is said of its routes then.
use cninfra::http::{
    Http, Path, Routes,
    axum::{
        extract::{Request, State},
        middleware::{Next, from_fn},
        response::Response,
    },
};
use cninfra::prelude::*;
use std::rc::Rc;

/// Without `Clone`.
struct Bare(u32);
/// Without `Send` and `Sync`.
#[derive(Clone)]
struct Local(Rc<u32>);

async fn bare(State(bare): State<Bare>) -> String {
    bare.0.to_string()
}
async fn local(State(local): State<Local>, _: Path<u32>) -> String {
    local.0.to_string()
}
async fn plain() -> &'static str {
    "plain"
}
async fn around(request: Request, next: Next) -> Response {
    next.run(request).await
}

#[plugin]
struct Web {
    http: Dep<dyn Http>,
}
impl Lifecycle for Web {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new()
            .get("/plain", plain)
            .get("/bare", bare) //~ CN035
            .summary("tells it")
            .layer(from_fn(around))
            .during_start()
            .with_state(Bare(1));
        let others = Routes::new()
            .get("/local/{id}", local) //~ CN035
            .merge(Routes::default())
            .with_state(Local(Rc::new(2)));
        self.http.register(cx, routes.merge(others))
    }
}
