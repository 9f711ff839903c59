#[tokio::test]
async fn it_greets_without_a_server() {
    let http = std::sync::Arc::new(cninfra::http::testing::InProcess::default());
    let agent = Agent::<Hello>::builder().bind::<dyn Http>(http.clone()).start().await.unwrap();
    let answer = http.client().get("/hello").await; // also .post(..).json(&value), .header(..)
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "Hello!")); // and .header(..), .json::<T>()
    agent.close().await.unwrap();
}
