//! [`Port`]: a server only for the probes.

use cninfra::{
    Task,
    http::{RouteTable, Routes},
    prelude::*,
};
use cninfra_rest::{Endpoint, Handle, Server};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

/// How long requests in flight may take at the end.
const FINISHING: Duration = Duration::from_millis(200);

/// A server only for the probes. It answers from the plugin's `init` to its `close`: also while the agent starts, and
/// while it drains.
pub(crate) struct Port {
    pub(crate) local_addr: SocketAddr,
    handle: Handle,
    task: Task<usize>,
}

impl Port {
    pub(crate) async fn open(cx: &Context, endpoint: Endpoint, routes: Routes) -> Result<Self> {
        let mut table = RouteTable::new();
        table.add(cx.name(), routes)?;
        let bound = Server::bind(endpoint, table.router()).await;
        let server = bound.map_err(|error| {
            Error::from(error).with_help("choose another port by --probe-port, PROBE_PORT or `endpoint` in probe.conf")
        })?;
        let log = cx.log();
        let server = server.routes(table.index().clone()).report_to(move |incident| log.error(incident));
        let (local_addr, handle) = (server.local_addr(), server.handle());
        cx.log().info(format_args!("the probes have a port of their own: {local_addr}"));
        Ok(Port { local_addr, handle, task: cx.spawn("serve", server.serve()) })
    }

    pub(crate) async fn close(self) -> Result<()> {
        if timeout(FINISHING, self.handle.drain()).await.is_err() {
            self.handle.end().await;
        }
        self.task.await.context("the task of the probes' server").map(drop)
    }
}
