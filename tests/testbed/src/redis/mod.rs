//! [`Redis`]: a real Redis server.

mod cluster;
mod options;
mod resp;
mod sentinel;

pub use cluster::{Migration, RedisCluster};
pub use options::RedisOptions;
pub use resp::Reply;
pub use sentinel::RedisSentinel;

use crate::{
    Folder, Installed, Port, Server,
    server::{accepts, find, output, started},
};
use std::{io, net::SocketAddr, ops::Deref, path::PathBuf, process::Command, time::Duration};

/// A real Redis server, alone or as a part of a [`RedisSentinel`] or a [`RedisCluster`]. It is a [`Server`], so it can
/// be killed, paused and restarted.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: Port,
    options: RedisOptions,
    _folder: Folder,
}

/// How long a response may take.
const LIMIT: Duration = Duration::from_secs(5);

impl Installed for Redis {
    const NAME: &'static str = "redis";

    fn missing() -> Option<String> {
        crate::server::without(&["redis-server", "redis-cli"], "redis-server and redis-tools")
    }
}

impl Redis {
    /// Starts a server that publishes all changes, without TLS, users and data.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start() -> Redis {
        RedisOptions::default().start()
    }

    fn single(options: &RedisOptions) -> Redis {
        started(|| Redis::on(Port::free(), "redis", options.clone()), |redis| vec![&redis.server])
    }

    /// A server that is not started yet.
    fn on(port: Port, name: &str, options: RedisOptions) -> Redis {
        let folder = Folder::new();
        folder.write("redis.conf", &options.file(port.number(), &folder.path().display().to_string()));
        let (addr, tls) = (port.addr(), options.certs.is_some());
        let ready = move || {
            if tls {
                // It listens only when its data is loaded.
                return accepts(addr).map_err(|error| error.to_string());
            }
            match resp::call(addr, &[vec!["PING"]], LIMIT) {
                Ok(reply) if matches!(reply.text(), Some(text) if text == "PONG" || text.starts_with("NOAUTH")) => {
                    Ok(())
                }
                other => Err(format!("PING: {other:?}")),
            }
        };
        let args = vec![folder.path().join("redis.conf").display().to_string()];
        let log = folder.path().join("log");
        let server = Server::new(format!("{name} at {addr}"), &program(), args, log, ready);
        Redis { server, port, options, _folder: folder }
    }

    /// The address for clients.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// The address as a URL: `redis://127.0.0.1:6379`, or `rediss://` for TLS.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", if self.options.certs.is_some() { "rediss" } else { "redis" }, self.addr())
    }

    /// Runs a command, without TLS, with the password of the options: `redis.call(&["SET", "name", "value"])`.
    ///
    /// # Panics
    /// There is no response. An error of Redis is a response.
    pub fn call(&self, command: &[&str]) -> Reply {
        match self.try_call(command, LIMIT) {
            Ok(reply) => reply,
            Err(error) => panic!("{}: {command:?}: {error}", self.server.name()),
        }
    }

    /// Like [`call`](Redis::call), but it may fail, and it gives up after `limit`.
    ///
    /// # Errors
    /// There is no connection, or no response.
    pub fn try_call(&self, command: &[&str], limit: Duration) -> io::Result<Reply> {
        let auth = self.options.password.as_deref().map(|password| vec!["AUTH", password]);
        let commands: Vec<Vec<&str>> = auth.into_iter().chain([command.to_vec()]).collect();
        resp::call(self.addr(), &commands, limit)
    }

    /// Runs `redis-cli` against it, with TLS if the options require that, and returns its output. `args` may begin with
    /// options: `["--user", "reader", "--pass", "secret", "GET", "name"]`.
    ///
    /// # Errors
    /// Its output, if it fails; or it does not end within 5 seconds.
    pub fn cli(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(find("redis-cli").ok_or("redis-cli is not installed: run tests/run")?);
        command.env_clear().args(["-h", "127.0.0.1", "-p", &self.port.number().to_string()]);
        if let Some(certs) = &self.options.certs {
            command.arg("--tls").arg("--cacert").arg(certs.ca());
            if self.options.mutual {
                command.arg("--cert").arg(certs.client()).arg("--key").arg(certs.client_key());
            }
        }
        if let Some(password) = &self.options.password {
            command.env("REDISCLI_AUTH", password);
        }
        // With `-e`, an error of Redis is one of the command.
        command.arg("-e").args(args);
        output(command, LIMIT).map(|text| text.trim_end().to_string())
    }

    /// The value of this field in this section of `INFO`.
    ///
    /// # Errors
    /// There is no response, or no such field.
    pub fn info(&self, section: &str, field: &str) -> Result<String, String> {
        let reply = self.try_call(&["INFO", section], LIMIT).map_err(|error| error.to_string())?;
        let text = reply.text().unwrap_or_default();
        let line = |line: &str| line.strip_prefix(field)?.strip_prefix(':').map(str::to_string);
        text.lines().find_map(line).ok_or_else(|| format!("no {field} in {text}"))
    }
}

/// For the methods that control the process.
impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn program() -> PathBuf {
    find("redis-server").unwrap_or_else(|| "redis-server".into())
}
