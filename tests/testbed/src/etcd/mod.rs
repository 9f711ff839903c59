//! [`Etcd`]: a real etcd server.

mod cluster;
mod newer;
mod options;

pub use cluster::EtcdCluster;
pub use newer::Etcd36;
pub use options::EtcdOptions;

use crate::{
    Certs, Folder, Installed, Port, Server, send,
    server::{accepts, find, output, started},
};
use std::{
    env, fs,
    net::SocketAddr,
    ops::Deref,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// A real etcd server, alone or as a member of an [`EtcdCluster`]: Debian's `etcd-server`, or the program that the
/// variable `CNINFRA_ETCD` names. It is a [`Server`], so it can be killed, paused and restarted.
#[derive(Debug)]
pub struct Etcd {
    server: Server,
    ports: Ports,
    options: EtcdOptions,
    /// The user with all permissions, as `user:password`.
    root: Mutex<Option<String>>,
    folder: Folder,
}

/// Where a member listens: for clients, for other members, and for health checks, which never use TLS.
#[derive(Debug)]
struct Ports {
    client: Port,
    peer: Port,
    health: Port,
}

impl Ports {
    fn free() -> Ports {
        Ports { client: Port::free(), peer: Port::free(), health: Port::free() }
    }
}

impl Installed for Etcd {
    const NAME: &'static str = "etcd";

    fn missing() -> Option<String> {
        let packages = "etcd-server and etcd-client";
        match env::var_os("CNINFRA_ETCD") {
            None => crate::server::without(&["etcd", "etcdctl"], packages),
            Some(path) if !PathBuf::from(&path).is_file() => {
                Some(format!("CNINFRA_ETCD={} is not there", PathBuf::from(path).display()))
            }
            Some(_) => crate::server::without(&["etcdctl"], packages),
        }
    }
}

impl Etcd {
    /// Starts one, without TLS, users and data.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start() -> Etcd {
        EtcdOptions::default().start()
    }

    fn single(options: &EtcdOptions) -> Etcd {
        started(
            || {
                let ports = Ports::free();
                let members = format!("n1={}", options.peer_url(&ports.peer));
                Etcd::member("n1", ports, &members, options.clone(), true)
            },
            |etcd| vec![&etcd.server],
        )
    }

    /// A member that is not started yet. `alone`: it is ready only when it is healthy, which a member without the
    /// others never is.
    fn member(name: &str, ports: Ports, members: &str, options: EtcdOptions, alone: bool) -> Etcd {
        let folder = Folder::new();
        let args = args(name, &ports, members, &options, &folder);
        let program = options.program.clone().unwrap_or_else(program);
        let (client, health) = (ports.client.addr(), ports.health.addr());
        let ready = move || {
            if !alone {
                return accepts(client).map_err(|error| error.to_string());
            }
            let answer = send(health, "GET", "/health").map_err(|error| error.to_string())?;
            if answer.body.contains("\"true\"") { Ok(()) } else { Err(answer.body) }
        };
        let log = folder.path().join("log");
        let server = Server::new(format!("etcd {name} at {client}"), &program, args, log, ready);
        Etcd { server, ports, options, root: Mutex::default(), folder }
    }

    /// The address for clients.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.ports.client.addr()
    }

    /// The address as a URL: `http://127.0.0.1:2379`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.options.url(&self.ports.client)
    }

    /// Runs `etcdctl` against it, as root once there are users, and returns its output. It gives up after 5 seconds.
    ///
    /// # Panics
    /// It fails.
    pub fn ctl(&self, args: &[&str]) -> String {
        match self.try_ctl(args, Duration::from_secs(5)) {
            Ok(text) => text,
            Err(error) => panic!("{}: etcdctl {}: {error}", self.server.name(), args.join(" ")),
        }
    }

    /// Like [`ctl`](Etcd::ctl), but it may fail, and it gives up after `limit`.
    ///
    /// # Errors
    /// The command fails; the error is its output.
    pub fn try_ctl(&self, args: &[&str], limit: Duration) -> Result<String, String> {
        let root = self.root.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.ctl_as(root.as_deref(), args, limit)
    }

    /// Like [`try_ctl`](Etcd::try_ctl), as another user (`name:password`), or without one.
    ///
    /// # Errors
    /// The command fails; the error is its output.
    pub fn ctl_as(&self, user: Option<&str>, args: &[&str], limit: Duration) -> Result<String, String> {
        let mut command = Command::new(find("etcdctl").ok_or("etcdctl is not installed: run tests/run")?);
        command.env_clear().env("ETCDCTL_API", "3").args(["--endpoints", &self.endpoint()]);
        command.arg(format!("--command-timeout={}ms", limit.as_millis()));
        command.arg(format!("--dial-timeout={}ms", limit.as_millis()));
        if let Some(certs) = &self.options.certs {
            command.arg("--cacert").arg(certs.ca());
            if self.options.mutual {
                command.arg("--cert").arg(certs.client()).arg("--key").arg(certs.client_key());
            }
        }
        if let Some(user) = user {
            command.args(["--user", user]);
        }
        command.args(args);
        output(command, limit + Duration::from_secs(5))
    }

    /// The value of a key.
    ///
    /// # Panics
    /// It does not answer, or the value has more than one line.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<String> {
        self.ctl(&["get", "--print-value-only", key]).lines().next().map(str::to_string)
    }

    /// Creates a user `root` with this password, and enables authentication: from now on every client needs a user.
    ///
    /// # Panics
    /// It does not answer.
    pub fn enable_auth(&self, password: &str) {
        let root = format!("root:{password}");
        self.ctl(&["user", "add", &root]);
        self.ctl(&["role", "add", "root"]);
        self.ctl(&["user", "grant-role", "root", "root"]);
        self.ctl(&["auth", "enable"]);
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = Some(root);
    }

    /// Creates a user who may read and write all keys with this prefix, and no others.
    ///
    /// # Panics
    /// It does not answer.
    pub fn add_user(&self, name: &str, password: &str, prefix: &str) {
        self.ctl(&["user", "add", &format!("{name}:{password}")]);
        self.ctl(&["role", "add", name]);
        self.ctl(&["role", "grant-permission", "--prefix=true", name, "readwrite", prefix]);
        self.ctl(&["user", "grant-role", name, name]);
    }

    /// The folder of its data, which may be changed while it does not run.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Kills it, deletes its data, and restarts it with the same arguments: cluster and member keep their ids, and the
    /// revisions start again.
    ///
    /// # Panics
    /// It is not ready in time, or the data cannot be deleted.
    pub fn wipe(&self) {
        self.server.kill();
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = fs::remove_dir_all(self.data()) {
            panic!("the data of {}: {error}", self.server.name());
        }
        self.server.restart();
    }

    /// Like [`wipe`](Etcd::wipe), but with another cluster token: it is another cluster at the same address. Only for a
    /// single member.
    ///
    /// # Panics
    /// See [`wipe`](Etcd::wipe).
    pub fn replace(&self, token: &str) {
        let options = EtcdOptions { token: token.to_string(), ..self.options.clone() };
        let members = format!("n1={}", options.peer_url(&self.ports.peer));
        self.server.set_args(args("n1", &self.ports, &members, &options, &self.folder));
        self.wipe();
    }

    /// The value of this field in `etcdctl endpoint status`: `MemberID`, `ClusterID`, `Revision`, `Leader`, `RaftTerm`.
    ///
    /// # Errors
    /// It does not answer within 2 seconds, or the field is missing.
    pub fn status(&self, field: &str) -> Result<u64, String> {
        let text = self.try_ctl(&["endpoint", "status", "-w", "fields"], Duration::from_secs(2))?;
        let line = |line: &str| line.strip_prefix(&format!("\"{field}\" : "))?.trim().parse().ok();
        text.lines().find_map(line).ok_or_else(|| format!("no {field} in {text}"))
    }
}

/// For the methods that control the process.
impl Deref for Etcd {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn program() -> PathBuf {
    env::var_os("CNINFRA_ETCD").map_or_else(|| find("etcd").unwrap_or_else(|| "etcd".into()), PathBuf::from)
}

fn args(name: &str, ports: &Ports, members: &str, options: &EtcdOptions, folder: &Folder) -> Vec<String> {
    let data = folder.path().join("data").display().to_string();
    let (client, peer) = (options.url(&ports.client), options.peer_url(&ports.peer));
    let health = format!("http://{}", ports.health.addr());
    let mut args: Vec<String> = [
        ["--name", name],
        ["--data-dir", &data],
        ["--listen-client-urls", &client],
        ["--advertise-client-urls", &client],
        ["--listen-peer-urls", &peer],
        ["--initial-advertise-peer-urls", &peer],
        ["--listen-metrics-urls", &health],
        ["--initial-cluster", members],
        ["--initial-cluster-token", &options.token],
        ["--initial-cluster-state", "new"],
        ["--logger", "zap"],
    ]
    .concat()
    .into_iter()
    .map(str::to_string)
    .collect();
    if let Some(certs) = &options.certs {
        args.extend(tls(certs, options.mutual));
    }
    args.extend(options.args.iter().cloned());
    args
}

fn tls(certs: &Arc<Certs>, mutual: bool) -> Vec<String> {
    let file = |flag: &str, path: PathBuf| format!("{flag}={}", path.display());
    let mut args = vec![file("--cert-file", certs.server()), file("--key-file", certs.server_key())];
    if mutual {
        args.extend([file("--trusted-ca-file", certs.ca()), "--client-cert-auth".to_string()]);
    }
    args
}
