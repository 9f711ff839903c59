//! What a handler takes and gives has a long name: rustc shortens it, and says where the full one is.
use cninfra::http::{Json, Path, Query, Routes, axum::{extract::State, http::{HeaderMap, StatusCode}}};
use cninfra::prelude::*;
use std::{collections::HashMap, sync::Arc};

struct OfAContactThatIsChanged;
#[derive(Clone)]
struct TheStateOfAllHandlersOfThisPlugin;

async fn takes(
    State(_): State<Arc<TheStateOfAllHandlersOfThisPlugin>>,
    _: HeaderMap,
    _: Path<(String, String)>,
    _: Query<HashMap<String, String>>,
    _: Json<OfAContactThatIsChanged>,
) -> Result<Json<HashMap<String, Vec<String>>>, StatusCode> {
    Err(StatusCode::NOT_FOUND)
}
async fn gives() -> Result<Json<HashMap<String, Vec<HashMap<String, Vec<String>>>>>, HashMap<String, Vec<HashMap<String, String>>>> {
    Ok(Json(HashMap::new()))
}
fn gives_at_once() -> Result<Json<HashMap<String, Vec<HashMap<String, Vec<String>>>>>, HashMap<String, Vec<HashMap<String, String>>>> {
    Ok(Json(HashMap::new()))
}

fn routes() -> Routes {
    Routes::new()
        .get("/a", takes) //~ CN035
        .get("/b", gives) //~ CN035
        .get("/c", gives_at_once) //~ CN035
        .with_state(Arc::new(TheStateOfAllHandlersOfThisPlugin))
}
