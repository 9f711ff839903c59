//! Starts a Redis, prints its process id on standard error, and waits to be killed: a test then checks what happens to
//! the server.

use cninfra_testbed::{DEADLINE, Redis};

fn main() {
    let redis = Redis::start();
    eprintln!("holds {}", redis.pid().unwrap_or_default());
    std::thread::sleep(DEADLINE);
}
