#[plugin]
struct Plugin {
    http: Dep<dyn Http>,
}
impl Lifecycle for Plugin {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, Routes::new().get("/hello", hello))
    }
}
