#[plugin]
struct Store {
    session: std::sync::OnceLock<Session>,           // set at the end of `init`
}

impl Store {
    async fn get(&self, key: &str) -> Result<String> {
        let session = self.session.get().context("the store is not connected")?;
        session.get(key).await
    }
}
