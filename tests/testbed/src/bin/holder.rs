//! Starts a Redis, says on standard error which process it is, and waits to be killed: what becomes of the server then is what a test looks at.

use cninfra_testbed::{DEADLINE, Redis};

fn main() {
    let redis = Redis::start();
    eprintln!("holds {}", redis.pid().unwrap_or_default());
    std::thread::sleep(DEADLINE);
}
