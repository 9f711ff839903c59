//! [`Redis`]: a real Redis.

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

/// A real Redis, alone or as a part of a [`RedisSentinel`] or a [`RedisCluster`]. It is a [`Server`], so it can be killed, paused and started again.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: Port,
    options: RedisOptions,
    _folder: Folder,
}

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(5);

impl Installed for Redis {
    const NAME: &'static str = "redis";

    fn missing() -> Option<String> {
        crate::server::without(&["redis-server", "redis-cli"], "redis-server and redis-tools")
    }
}

impl Redis {
    /// Starts one that tells of all changes, without TLS, users and data.
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

    /// One that does not run yet.
    fn on(port: Port, name: &str, options: RedisOptions) -> Redis {
        let folder = Folder::new();
        folder.write("redis.conf", &options.file(port.number(), &folder.path().display().to_string()));
        let (addr, tls) = (port.addr(), options.certs.is_some());
        let ready = move || {
            if tls {
                // it listens when its data is loaded
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

    /// Where clients reach it.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// The same as a URL: `redis://127.0.0.1:6379`, or `rediss://` for TLS.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", if self.options.certs.is_some() { "rediss" } else { "redis" }, self.addr())
    }

    /// Calls a command, without TLS, with the password of the options: `redis.call(&["SET", "name", "value"])`.
    ///
    /// # Panics
    /// There is no answer. An error of Redis is one.
    pub fn call(&self, command: &[&str]) -> Reply {
        match self.try_call(command, LIMIT) {
            Ok(reply) => reply,
            Err(error) => panic!("{}: {command:?}: {error}", self.server.name()),
        }
    }

    /// The same, where there may be no answer within `limit`.
    ///
    /// # Errors
    /// There is no connection, or no answer.
    pub fn try_call(&self, command: &[&str], limit: Duration) -> io::Result<Reply> {
        let auth = self.options.password.as_deref().map(|password| vec!["AUTH", password]);
        let commands: Vec<Vec<&str>> = auth.into_iter().chain([command.to_vec()]).collect();
        resp::call(self.addr(), &commands, limit)
    }

    /// Runs `redis-cli` against it, with TLS if it wants that, and returns what it wrote. `args` may begin with options: `["--user", "reader", "--pass", "secret", "GET", "name"]`.
    ///
    /// # Errors
    /// What it wrote, where it ends with an error, or not within 5 seconds.
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
        // an error of Redis is one of the command
        command.arg("-e").args(args);
        output(command, LIMIT).map(|text| text.trim_end().to_string())
    }

    /// What `INFO` says of this field, in this section.
    ///
    /// # Errors
    /// There is no answer, or no such field.
    pub fn info(&self, section: &str, field: &str) -> Result<String, String> {
        let reply = self.try_call(&["INFO", section], LIMIT).map_err(|error| error.to_string())?;
        let text = reply.text().unwrap_or_default();
        let line = |line: &str| line.strip_prefix(field)?.strip_prefix(':').map(str::to_string);
        text.lines().find_map(line).ok_or_else(|| format!("no {field} in {text}"))
    }
}

/// All that can be done to a process.
impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn program() -> PathBuf {
    find("redis-server").unwrap_or_else(|| "redis-server".into())
}
