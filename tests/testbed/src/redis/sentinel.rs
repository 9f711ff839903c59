//! [`RedisSentinel`]: a Redis with a replica, and three sentinels that watch them.

use super::{LIMIT, Redis, RedisOptions, options, program, resp};
use crate::{
    Certs, Folder, Installed, Port, Server,
    server::{started, wait_until},
};
use std::net::SocketAddr;

/// A Redis, a replica of it, and three sentinels, which make a master of the replica about two seconds after the master was gone.
///
/// A proxy may stand before each Redis: see [`behind`](RedisSentinel::behind). Sentinels themselves are reached at their own addresses, or through a proxy that the client is given; what they tell of each other are
/// their own addresses.
#[derive(Debug)]
pub struct RedisSentinel {
    servers: [Redis; 2],
    announced: [SocketAddr; 2],
    sentinels: Vec<Sentinel>,
    /// Both servers' ports for TLS, if they talk that.
    _secure: Vec<Port>,
}

#[derive(Debug)]
struct Sentinel {
    server: Server,
    port: Port,
    /// That for TLS, if it talks it.
    secure: Option<Port>,
    _folder: Folder,
}

/// What the sentinels call the master.
const MASTER: &str = "mymaster";

impl Installed for RedisSentinel {
    const NAME: &'static str = "redis-sentinel";

    fn missing() -> Option<String> {
        // `redis-server --sentinel` is the same program
        Redis::missing()
    }
}

impl RedisSentinel {
    /// What the sentinels call the master.
    pub const MASTER: &'static str = MASTER;

    /// Starts all five.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start() -> RedisSentinel {
        RedisSentinel::behind(&RedisOptions::default(), |addr| addr)
    }

    /// Starts all five, which talk TLS with each other, and with who wants it: clients find the sentinels at [`tls_addrs`](RedisSentinel::tls_addrs).
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn with_tls(certs: &Certs) -> RedisSentinel {
        RedisSentinel::made(&RedisOptions::default(), &|addr| addr, Some(certs))
    }

    /// The same, each Redis with a proxy before it: `proxy` is given its address, before it is started, and returns the proxy's. Replica and sentinels go through the proxies, as clients do: a cut proxy is
    /// a master that is gone for all. Where somebody else takes a port in between, all is made anew, `proxy` called once more: the last two addresses count.
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
                // the replica needs its data at once, not after the usual five seconds
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

    /// Both Redis servers: the first one is the master at first.
    #[must_use]
    pub fn servers(&self) -> &[Redis; 2] {
        &self.servers
    }

    /// The processes of the sentinels.
    #[must_use]
    pub fn sentinels(&self) -> Vec<&Server> {
        self.sentinels.iter().map(|sentinel| &sentinel.server).collect()
    }

    /// Where the sentinels listen.
    #[must_use]
    pub fn sentinel_addrs(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().map(|sentinel| sentinel.port.addr()).collect()
    }

    /// Where they listen for those who talk TLS: empty where they do not.
    #[must_use]
    pub fn tls_addrs(&self) -> Vec<SocketAddr> {
        self.sentinels.iter().filter_map(|sentinel| sentinel.secure.as_ref()).map(Port::addr).collect()
    }

    /// Which of the two is the master, as all sentinels that run say, and as it says itself.
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

    /// Waits until another one than `before` is the master, and returns which.
    ///
    /// # Panics
    /// It is not so in time.
    pub fn wait_for_failover(&self, before: usize) -> usize {
        wait_until("a failover", || {
            self.master().and_then(|now| if now == before { Err("none".into()) } else { Ok(now) })
        })
    }

    /// Waits until each sentinel knows the replica and the other sentinels: only then they can make another one the master.
    ///
    /// # Panics
    /// It is not so in time.
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
