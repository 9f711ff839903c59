//! rustc alone says that `Routes<()>` was expected, and not what makes it of the other one.
use cninfra::http::{
    Http, Routes,
    axum::extract::{FromRef, State},
};
use cninfra::prelude::*;
use std::sync::Arc;

/// A state that has others in it: which one is meant, rustc can not know.
#[derive(Clone)]
struct Both {
    names: Arc<Names>,
}
struct Names(Vec<String>);
impl FromRef<Both> for Arc<Names> {
    fn from_ref(both: &Both) -> Self {
        both.names.clone()
    }
}

async fn list(State(names): State<Arc<Vec<String>>>) -> String {
    names.join(", ")
}
async fn part(State(names): State<Arc<Names>>) -> String {
    names.0.join(", ")
}
async fn plain() -> &'static str {
    "plain"
}

#[plugin]
struct Web {
    http: Dep<dyn Http>,
    names: Arc<Vec<String>>,
}
impl Lifecycle for Web {
    async fn init(&self, cx: &Context) -> Result<()> {
        let routes = Routes::new().get("/plain", plain).get("/list", list);
        self.http.register(cx, routes)?; //~ CN037
        self.http.register(cx, Routes::new().get("/part", part))?; //~ CN035
        // as it should be: without a state, and with one
        self.http.register(cx, Routes::new().get("/plain", plain).get("/closure", async || "closure"))?;
        let routes = Routes::new().get("/list", list).with_state(self.names.clone());
        self.http.register(cx, routes)
    }
}
