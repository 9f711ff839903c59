//! [`RedisSentinel`]: a Redis master with a replica, and three sentinels that monitor them.

use super::{LIMIT, Redis, RedisOptions, options, program, resp};
use crate::{
    Certs, Folder, Installed, Port, Server,
    server::{started, wait_until},
};
use std::net::SocketAddr;

/// A Redis master, its replica, and three sentinels, which promote the replica about two seconds after the master has
/// failed.
///
/// There may be a proxy in front of each Redis server: see [`behind`](RedisSentinel::behind). The sentinels are reached
/// at their own addresses, or through a proxy that the client is given; to each other they announce their own
/// addresses.
#[derive(Debug)]
pub struct RedisSentinel {
    servers: [Redis; 2],
    announced: [SocketAddr; 2],
    sentinels: Vec<Sentinel>,
    /// The TLS ports of both servers, if TLS is used.
    _secure: Vec<Port>,
}

#[derive(Debug)]
struct Sentinel {
    server: Server,
    port: Port,
    /// Its TLS port, if TLS is used.
    secure: Option<Port>,
    _folder: Folder,
}

/// The name of the master in the sentinels' config.
const MASTER: &str = "mymaster";

impl Installed for RedisSentinel {
    const NAME: &'static str = "redis-sentinel";

    fn missing() -> Option<String> {
        // `redis-server --sentinel` is the same program.
        Redis::missing()
    }
}

impl RedisSentinel {
    /// The name of the master in the sentinels' config.
    pub const MASTER: &'static str = MASTER;

    /// Starts all five servers.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start() -> RedisSentinel {
        RedisSentinel::behind(&RedisOptions::default(), |addr| addr)
    }

    /// Starts all five servers, which use TLS among themselves, and accept it from clients: those find the sentinels at
    /// [`tls_addrs`](RedisSentinel::tls_addrs).
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn with_tls(certs: &Certs) -> RedisSentinel {
        RedisSentinel::made(&RedisOptions::default(), &|addr| addr, Some(certs))
    }

    /// Starts all five servers, with a proxy in front of each Redis server. `proxy` is called with the server's address
    /// before the server is started, and returns the proxy's. The replica and the sentinels use the proxies, as clients
    /// do: if a proxy is cut, that server is unreachable for all of them. If another process takes a port meanwhile,
    /// everything is started again, with new calls of `proxy`; only the last two addresses count.
    ///
    /// # Panics
    /// See [`start`](RedisSentinel::start).
    #[must_use]
    pub fn behind(options: &RedisOptions, proxy: impl Fn(SocketAddr) -> SocketAddr) -> RedisSentinel {
        RedisSentinel::made(options, &proxy, None)
    }

    fn made(options: &RedisOptions, proxy: &dyn Fn(SocketAddr) -> SocketAddr, certs: Option<&Certs>) -> RedisSentinel {
        let make = || {
            let ports = [Port::free(), Port::free()];
            let secure: Vec<Port> = certs.iter().flat_map(|_| [Port::free(), Port::free()]).collect();
            let announced = match secure.as_slice() {
                [first, second] => [first.addr(), second.addr()],
                _ => [proxy(ports[0].addr()), proxy(ports[1].addr())],
            };
            let announce = |addr: SocketAddr| {
                let mut options = options.clone();
                if let Some(certs) = certs {
                    options = options.tls_too(addr.port(), certs).line("tls-replication yes");
                }
                let options = options.line(&format!("replica-announce-ip {}", addr.ip()));
                // The replica needs its data at once, not after the default five seconds.
                options.line(&format!("replica-announce-port {}", addr.port())).line("repl-diskless-sync-delay 0")
            };
            let replicates = format!("replicaof {} {}", announced[0].ip(), announced[0].port());
            let [first, second] = ports;
            let first = Redis::on(first, "the first redis", announce(announced[0]));
            let second = Redis::on(second, "the second redis", announce(announced[1]).line(&replicates));
            RedisSentinel { servers: [first, second], announced, sentinels: Vec::new(), _secure: secure }
        };
        let mut all = started(make, |all| all.servers.iter().map(|redis| &redis.server).collect());
        wait_until("a replica that is in touch with its master", || {
            match all.servers[1].info("replication", "master_link_status") {
                Ok(status) if status == "up" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        let sentinels = started(
            || (0..3).map(|i| sentinel(i, all.announced[0], options.password.as_deref(), certs)).collect::<Vec<_>>(),
            |sentinels| sentinels.iter().map(|sentinel| &sentinel.server).collect(),
        );
        all.sentinels = sentinels;
        all.wait();
        all
    }

    /// Both Redis servers. At first, the first one is the master.
    #[must_use]
    pub fn servers(&self) -> &[Redis; 2] {
        &self.servers
    }

    /// The processes of the sentinels.
    #[must_use]
    pub fn sentinels(&self) -> Vec<&Server> {
        self.sentinels.iter().map(|sentinel| &sentinel.server).collect()
    }

    /// The addresses of the sentinels.
    #[must_use]
    pub fn sentinel_addrs(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().map(|sentinel| sentinel.port.addr()).collect()
    }

    /// Their addresses for TLS; empty without TLS.
    #[must_use]
    pub fn tls_addrs(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().filter_map(|sentinel| sentinel.secure.as_ref()).map(Port::addr).collect()
    }

    /// The index of the master, if all running sentinels and the server itself agree on it.
    ///
    /// # Errors
    /// They do not agree.
    pub fn master(&self) -> Result<usize, String> {
        let mut said: Vec<SocketAddr> = Vec::new();
        for sentinel in self.sentinels.iter().filter(|sentinel| sentinel.server.is_running()) {
            let command = vec!["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER];
            let reply = resp::call(sentinel.port.addr(), &[command], LIMIT).map_err(|error| error.to_string())?;
            let text: Vec<&str> = reply.list().iter().filter_map(|part| part.text()).collect();
            said.push(text.join(":").parse().map_err(|_| format!("{reply:?}"))?);
        }
        let master = *said.first().ok_or("no sentinel runs")?;
        if said.iter().any(|addr| *addr != master) {
            return Err(format!("the sentinels do not agree: {said:?}"));
        }
        let master =
            self.announced.iter().position(|addr| *addr == master).ok_or_else(|| format!("who is {master}?"))?;
        match self.servers[master].info("replication", "role") {
            Ok(role) if role == "master" => Ok(master),
            other => Err(format!("{}: {other:?}", self.servers[master].name())),
        }
    }

    /// Waits until the master is another one than `before`, and returns its index.
    ///
    /// # Panics
    /// There is no failover in time.
    pub fn wait_for_failover(&self, before: usize) -> usize {
        wait_until("a failover", || {
            self.master().and_then(|now| if now == before { Err("none".into()) } else { Ok(now) })
        })
    }

    /// Waits until each sentinel knows the replica and the other sentinels: before that, they cannot promote the
    /// replica.
    ///
    /// # Panics
    /// They do not in time.
    pub fn wait(&self) {
        for sentinel in &self.sentinels {
            wait_until("sentinels that know of each other", || {
                let command = vec!["SENTINEL", "MASTER", MASTER];
                let reply = resp::call(sentinel.port.addr(), &[command], LIMIT).map_err(|error| error.to_string())?;
                let fields: Vec<&str> = reply.list().iter().filter_map(|part| part.text()).collect();
                let knows = |field: &str, value: &str| fields.chunks(2).any(|pair| pair == [field, value]);
                let all = knows("num-slaves", "1") && knows("num-other-sentinels", "2") && knows("flags", "master");
                if all { Ok(()) } else { Err(format!("{fields:?}")) }
            });
        }
    }
}

fn sentinel(number: usize, master: SocketAddr, password: Option<&str>, certs: Option<&Certs>) -> Sentinel {
    let (folder, port) = (Folder::new(), Port::free());
    let mut file = format!("bind 127.0.0.1\nport {}\ndir {}\n", port.number(), folder.path().display());
    file += &format!("sentinel monitor {MASTER} {} {} 2\n", master.ip(), master.port());
    file += &format!("sentinel down-after-milliseconds {MASTER} 1000\nsentinel failover-timeout {MASTER} 5000\n");
    if let Some(password) = password {
        file += &format!("sentinel auth-pass {MASTER} {password}\n");
    }
    let secure = certs.map(|certs| {
        let port = Port::free();
        file += &options::tls(port.number(), certs, false);
        file += "tls-replication yes\n";
        port
    });
    folder.write("sentinel.conf", &file);
    let addr = port.addr();
    let ready = move || match resp::call(addr, &[vec!["PING"]], LIMIT) {
        Ok(reply) if reply.text() == Some("PONG") => Ok(()),
        other => Err(format!("PING: {other:?}")),
    };
    let args = vec![folder.path().join("sentinel.conf").display().to_string(), "--sentinel".to_string()];
    let log = folder.path().join("log");
    let server = Server::new(format!("sentinel {number} at {addr}"), &program(), args, log, ready);
    Sentinel { server, port, secure, _folder: folder }
}
