//! One connection of a link: carries data between client and server, as the link's mode says.

use super::serve::{Mode, Order, Seen};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    time::{sleep, timeout},
};

/// Long enough, since the server is on the same machine or near.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const PIECE: usize = 16 * 1024;

type Orders = watch::Receiver<Order>;

/// Serves a client's connection until both sides have ended. If one of them fails, or the link is cut, the client's
/// connection is reset.
///
/// `cuts` is the number of cuts when the client was accepted, so that a cut is noticed that comes before this task
/// runs.
pub(super) async fn connection(
    mut client: TcpStream,
    server: SocketAddr,
    mut orders: Orders,
    cuts: u64,
    seen: Arc<Seen>,
) {
    let carried = orders.clone();
    let is_whole = tokio::select! {
        _ = orders.wait_for(|order| order.cuts != cuts || order.mode == Mode::Gone) => false,
        carried = carry(&mut client, server, carried, &seen) => carried.is_ok(),
    };
    if !is_whole {
        // This fails if the connection is closed already, which does not matter.
        let _ = client.set_zero_linger();
    }
}

async fn carry(client: &mut TcpStream, server: SocketAddr, mut orders: Orders, seen: &Seen) -> io::Result<()> {
    open(&mut orders).await;
    let mut server = timeout(CONNECT_WITHIN, TcpStream::connect(server)).await??;
    // Delays are only those that the test asks for.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (ours, theirs) = (client.split(), server.split());
    let there = pump(ours.0, theirs.1, orders.clone(), |bytes| seen.add_sent(bytes));
    let back = pump(theirs.0, ours.1, orders, |bytes| seen.add_received(bytes));
    tokio::try_join!(there, back)?;
    Ok(())
}

/// Waits until the link is open. Returns the delay.
async fn open(orders: &mut Orders) -> Duration {
    let open = orders.wait_for(|order| matches!(order.mode, Mode::Open(_))).await.map(|order| order.mode);
    match open {
        Ok(Mode::Open(late)) => late,
        // The link is gone, and the connection will be dropped with it.
        _ => std::future::pending().await,
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut orders: Orders,
    has_carried: impl Fn(usize),
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        open(&mut orders).await;
        let bytes = tokio::select! {
            bytes = from.read(&mut piece) => bytes?,
            // Nothing is read while the link is paused.
            _ = orders.changed() => continue,
        };
        let late = open(&mut orders).await;
        if !late.is_zero() {
            sleep(late).await;
            open(&mut orders).await;
        }
        if bytes == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..bytes]).await?;
        has_carried(bytes);
    }
}
