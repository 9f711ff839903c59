//! An `async move` closure lends what it takes along to its future: so neither of them goes to other threads, which is one mistake.
use cninfra::http::{Path, Routes};
use std::{cell::Cell, rc::Rc, sync::Arc};

fn taken_along() -> Routes {
    let (counted, text, cell) = (Rc::new(1), Rc::new(String::new()), Arc::new(Cell::new(1)));
    Routes::new()
        .get("/a", async move || counted.to_string()) //~ CN035
        .get("/b", move || { //~ CN035
            let text = text.clone();
            async move { text.to_string() }
        })
        .get("/c", async move |Path(name): Path<String>| format!("{name}{}", cell.get())) //~ CN035
}

/// What is fine.
fn clones() -> Routes {
    let counted = Arc::new(1);
    Routes::new().get("/a", async move || counted.to_string())
}
