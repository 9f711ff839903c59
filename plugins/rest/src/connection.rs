//! Serves one connection, from its first byte to its end.

use crate::{
    clock::{Clock, Millis, NEVER},
    metrics::RequestMetrics,
    pulse::Pulse,
    service::Answerer,
    shared::Shared,
    socket::Socket,
};
use futures_util::FutureExt as _;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use std::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
    thread,
};
use tokio::{
    net::TcpStream,
    time::{Sleep, sleep_until},
};

/// The smallest buffer that hyper allows.
pub(crate) const LEAST_BUFFER: usize = 8 << 10;

/// The settings that all connections are made with.
pub(crate) fn protocol(shared: &Shared) -> http1::Builder {
    let mut http = http1::Builder::new();
    // A client that has shut down its sending side still waits for its response.
    http.half_close(true).header_read_timeout(None).max_buf_size(shared.limits.head_bytes.max(LEAST_BUFFER));
    http
}

/// Serves a connection until it ends or has used up its time. `drained` completes when the server drains.
pub(crate) async fn serve(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    drained: impl Future<Output = ()>,
) {
    // Responses are small and should not wait for more data (Nagle's algorithm).
    let _ = stream.set_nodelay(true);
    // Before the connection's time limits begin.
    shared.wait_until_settled().await;
    let _connected = shared.metrics.as_ref().map(RequestMetrics::count_connection);
    let pulse = Arc::new(Pulse::new(shared));
    let _cut = CutGuard(&pulse);
    let io = TokioIo::new(Socket::new(stream, peer, pulse.clone()));
    let mut connection = pin!(http.serve_connection(io, Answerer::new(pulse.clone(), peer)));
    let mut alarm = Alarm::default();
    let (mut drained, mut registered_waker) = (pin!(drained.fuse()), None::<Waker>);
    poll_fn(|task| {
        pulse.turn.on_poll();
        // It fails if the client goes away, which is no incident.
        if connection.as_mut().poll(task).is_ready() {
            pulse.on_close();
            return Poll::Ready(());
        }
        pulse.on_wait();
        // Polled once for each waker, only to register it: when the drain begins, this task is woken and sees it by the
        // clock.
        if !registered_waker.as_ref().is_some_and(|waker| waker.will_wake(task.waker())) {
            let _ = drained.as_mut().poll(task);
            registered_waker = Some(task.waker().clone());
        }
        let over = alarm.is_over(pulse.deadline(), &pulse.shared.clock, task);
        if over {
            pulse.on_close();
        }
        if over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Counts the request that is in flight when its connection is dropped. A panic is reported as such instead.
struct CutGuard<'a>(&'a Pulse);

impl Drop for CutGuard<'_> {
    fn drop(&mut self) {
        if self.0.is_serving() && !thread::panicking() {
            self.0.shared.cut.fetch_add(1, Relaxed);
        }
    }
}

/// Wakes a task when its time is over. Most of the time the end moves on before it is reached, so the timer is reset
/// only when it has fired, or when the new end is earlier.
#[derive(Default)]
struct Alarm {
    /// `None` until there is a limit.
    sleep: Option<Pin<Box<Sleep>>>,
    set: Millis,
}

impl Alarm {
    /// Whether the time is over, if it ends at `ends`.
    fn is_over(&mut self, ends: Millis, clock: &Clock, task: &mut Context<'_>) -> bool {
        if ends == NEVER {
            return false;
        }
        match &self.sleep {
            Some(sleep) if !sleep.is_elapsed() && self.set <= ends => return false,
            _ if ends <= clock.now() => return true,
            _ => {}
        }
        let at = clock.instant(ends);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if self.set != ends {
            sleep.as_mut().reset(at);
            self.set = ends;
        }
        // The time was not over by the clock above, but it may be by now.
        sleep.as_mut().poll(task).is_ready()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use std::{future::ready, task::Wake};
    use tokio::net::TcpListener;

    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn a_connection_may_go_on_after_the_drain_with_another_waker() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let shared = Arc::new(Shared::new(Router::new()));
        let drained = async { ready(()).await };
        let mut serving = pin!(serve(protocol(&shared), stream, peer, shared, drained));
        for _ in 0..3 {
            let waker = Waker::from(Arc::new(Nobody));
            assert!(serving.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }
}
