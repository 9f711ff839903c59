//! Neither a function nor a response: whatever it is, in few lines.
use cninfra::http::Routes;

struct Own<T>(T);
#[derive(Clone)]
struct Cloned;

fn routes() -> Routes {
    Routes::new()
        .get("/a", 3) //~ CN035
        .post("/b", Own(1)) //~ CN035
        .put("/c", Cloned) //~ CN035
        .patch("/d", Ok::<_, std::io::Error>("a text")) //~ CN035
        .delete("/e", ("a text", String::new())) //~ CN035
}
