//! [`RedisCluster`]: three Redis primaries that share the keys, and their replicas.

mod migration;

pub use migration::Migration;

use super::{Redis, RedisOptions};
use crate::{
    Certs, Installed, Port,
    server::{started, wait_until},
};
use std::net::SocketAddr;

/// Three Redis primaries that share the 16384 hash slots, each with a replica if requested: at first nodes 0 to 2 are
/// the primaries, and 3 to 5 their replicas.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
    ids: Vec<String>,
    /// The ports of the cluster bus, one for each node.
    _buses: Vec<Port>,
    /// The TLS port of each node, if TLS is used.
    secure: Vec<Port>,
}

const SLOTS: u16 = 16384;

impl Installed for RedisCluster {
    const NAME: &'static str = "redis-cluster";

    fn missing() -> Option<String> {
        Redis::missing()
    }
}

impl RedisCluster {
    /// Starts three primaries without replicas: if one is killed, its slots are unavailable until it is restarted.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start() -> RedisCluster {
        RedisCluster::behind(&RedisOptions::default(), false, |addr| addr)
    }

    /// Starts three primaries with one replica each.
    ///
    /// # Panics
    /// See [`start`](RedisCluster::start).
    #[must_use]
    pub fn with_replicas() -> RedisCluster {
        RedisCluster::behind(&RedisOptions::default(), true, |addr| addr)
    }

    /// Starts three primaries without replicas, which also accept TLS, on separate ports: see
    /// [`tls_endpoints`](RedisCluster::tls_endpoints). Clients with TLS are redirected to those.
    ///
    /// # Panics
    /// See [`start`](RedisCluster::start).
    #[must_use]
    pub fn with_tls(certs: &Certs) -> RedisCluster {
        RedisCluster::made(&RedisOptions::default(), 3, &|addr| addr, Some(certs))
    }

    /// Starts three primaries, each node with a proxy in front of it. `proxy` is called with the node's address before
    /// the node is started, and returns the proxy's, which is announced to clients. Replication uses the proxies, too,
    /// but the cluster bus does not, so that nodes do not consider a node down only because its proxy is cut. If
    /// another process takes a port meanwhile, everything is started again, with new calls of `proxy`; only the last
    /// addresses count.
    ///
    /// # Panics
    /// See [`start`](RedisCluster::start).
    #[must_use]
    pub fn behind(options: &RedisOptions, replicas: bool, proxy: impl Fn(SocketAddr) -> SocketAddr) -> RedisCluster {
        RedisCluster::made(options, if replicas { 6 } else { 3 }, &proxy, None)
    }

    fn made(
        options: &RedisOptions,
        count: usize,
        proxy: &dyn Fn(SocketAddr) -> SocketAddr,
        certs: Option<&Certs>,
    ) -> RedisCluster {
        let make = || {
            let (mut nodes, mut buses, mut secure) = (Vec::new(), Vec::new(), Vec::new());
            for i in 0..count {
                let (port, bus) = (Port::free(), Port::free());
                let announced = proxy(port.addr());
                let mut options = options.clone();
                if let Some(certs) = certs {
                    let port = Port::free();
                    options = options.tls_too(port.number(), certs);
                    // Also among the nodes: otherwise they would not announce their TLS ports to each other.
                    options = options.line("tls-cluster yes").line("tls-replication yes");
                    options = options.line(&format!("cluster-announce-tls-port {}", port.number()));
                    secure.push(port);
                }
                let options = options
                    .line("cluster-enabled yes")
                    .line("cluster-config-file nodes.conf")
                    .line("cluster-node-timeout 2000")
                    .line(&format!("cluster-port {}", bus.number()))
                    .line(&format!("cluster-announce-ip {}", announced.ip()))
                    .line(&format!("cluster-announce-port {}", announced.port()))
                    .line(&format!("cluster-announce-bus-port {}", bus.number()))
                    .line("repl-diskless-sync-delay 0");
                nodes.push(Redis::on(port, &format!("redis node {i}"), options));
                buses.push(bus);
            }
            RedisCluster { nodes, ids: Vec::new(), _buses: buses, secure }
        };
        let mut cluster = started(make, |cluster| cluster.nodes.iter().map(|node| &node.server).collect());
        cluster.join();
        cluster
    }

    /// Makes a cluster of nodes that do not know each other.
    fn join(&mut self) {
        self.ids = (0..self.nodes.len()).map(|i| self.ok(i, &["CLUSTER", "MYID"])).collect();
        for i in 0..self.nodes.len() {
            // Each node gets its epoch now, so that they need not agree on that first.
            self.ok(i, &["CLUSTER", "SET-CONFIG-EPOCH", &(i + 1).to_string()]);
            if i > 0 {
                let (port, bus) = (self.nodes[i].port.number().to_string(), self._buses[i].number().to_string());
                self.ok(0, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
            }
        }
        let primaries = self.nodes.len().min(3);
        for i in 0..primaries {
            let share = |i: usize| usize::from(SLOTS) * i / primaries;
            self.ok(i, &["CLUSTER", "ADDSLOTSRANGE", &share(i).to_string(), &(share(i + 1) - 1).to_string()]);
        }
        for i in primaries..self.nodes.len() {
            let primary = self.ids[i - primaries].clone();
            wait_until("a node that knows its primary", || {
                let reply = self.nodes[i].call(&["CLUSTER", "REPLICATE", &primary]);
                if reply.is_error() { Err(format!("{reply:?}")) } else { Ok(()) }
            });
        }
        self.wait();
        for i in primaries..self.nodes.len() {
            wait_until("a replica that is in touch with its primary", || {
                match self.nodes[i].info("replication", "master_link_status") {
                    Ok(status) if status == "up" => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            });
        }
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The addresses of all nodes, separated by commas.
    #[must_use]
    pub fn endpoints(&self) -> String {
        self.nodes.iter().map(|node| node.addr().to_string()).collect::<Vec<_>>().join(",")
    }

    /// Their addresses for TLS; empty without TLS.
    #[must_use]
    pub fn tls_endpoints(&self) -> String {
        self.secure.iter().map(|port| port.addr().to_string()).collect::<Vec<_>>().join(",")
    }

    /// Waits until all running nodes know all others, and report that all slots are served.
    ///
    /// # Panics
    /// They do not in time.
    pub fn wait(&self) {
        for node in self.nodes.iter().filter(|node| node.is_running()) {
            wait_until("a cluster that is well", || {
                let reply = node.call(&["CLUSTER", "INFO"]);
                let text = reply.text().unwrap_or_default();
                let known = format!("cluster_known_nodes:{}", self.nodes.len());
                if text.contains("cluster_state:ok") && text.contains(&known) { Ok(()) } else { Err(text.to_string()) }
            });
        }
    }

    /// The hash slot of a key.
    ///
    /// # Panics
    /// No node runs.
    #[must_use]
    pub fn slot(&self, key: &str) -> u16 {
        let reply = self.running().call(&["CLUSTER", "KEYSLOT", key]);
        reply.number().and_then(|slot| u16::try_from(slot).ok()).unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// The index of the node that itself says that it owns this slot.
    ///
    /// # Panics
    /// None owns it in time.
    #[must_use]
    pub fn owner(&self, slot: u16) -> usize {
        wait_until(&format!("an owner of slot {slot}"), || {
            let has = |i: &usize| self.nodes[*i].is_running() && self.owner_as_said_by(*i, slot) == Some(*i);
            (0..self.nodes.len()).find(has).ok_or_else(|| "none".to_string())
        })
    }

    /// Runs a command on the node that owns the key. Redirections are not followed.
    ///
    /// # Panics
    /// There is no response.
    pub fn call(&self, key: &str, command: &[&str]) -> super::Reply {
        self.nodes[self.owner(self.slot(key))].call(command)
    }

    /// The index of the node that owns this slot, according to node `i`.
    fn owner_as_said_by(&self, i: usize, slot: u16) -> Option<usize> {
        let reply = self.nodes[i].call(&["CLUSTER", "SLOTS"]);
        let slot = i64::from(slot);
        let holds = |range: &&super::Reply| match range.list() {
            [first, last, ..] => first.number() <= Some(slot) && last.number() >= Some(slot),
            _ => false,
        };
        let id = reply.list().iter().find(holds)?.list().get(2)?.list().get(2)?.text()?;
        self.ids.iter().position(|known| known == id)
    }

    fn running(&self) -> &Redis {
        self.nodes.iter().find(|node| node.is_running()).unwrap_or_else(|| panic!("no node runs"))
    }

    /// Runs a command that must succeed.
    fn ok(&self, i: usize, command: &[&str]) -> String {
        let reply = self.nodes[i].call(command);
        assert!(!reply.is_error(), "{}: {command:?}: {reply:?}", self.nodes[i].name());
        reply.text().unwrap_or_default().to_string()
    }
}
