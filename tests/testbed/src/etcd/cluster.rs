//! [`EtcdCluster`]: a cluster of three etcd members.

use super::{Etcd, EtcdOptions, Ports};
use crate::server::{started, wait_until};
use std::{ops::Index, time::Duration};

/// A cluster of three etcd members; `cluster[0]` is one of them. It accepts writes as long as two of them run.
///
/// Clients use the addresses that they are given: if a proxy is in front of a member, give clients the proxy's address.
/// But members announce their own addresses, so a client that asks for the list of members bypasses the proxy.
#[derive(Debug)]
pub struct EtcdCluster {
    members: Vec<Etcd>,
}

impl EtcdCluster {
    /// Starts a cluster.
    ///
    /// # Panics
    /// It is not installed, or does not serve in time.
    #[must_use]
    pub fn start() -> EtcdCluster {
        EtcdOptions::default().start_cluster()
    }

    pub(super) fn of(options: &EtcdOptions) -> EtcdCluster {
        let make = || {
            let ports = [(); 3].map(|()| Ports::free());
            let name = |i: usize| format!("n{}", i + 1);
            let urls: Vec<String> =
                (0..3).map(|i| format!("{}={}", name(i), options.peer_url(&ports[i].peer))).collect();
            let members = urls.join(",");
            let member = |(i, ports)| Etcd::member(&name(i), ports, &members, options.clone(), false);
            EtcdCluster { members: ports.into_iter().enumerate().map(member).collect() }
        };
        let cluster = started(make, |cluster| cluster.members.iter().map(|member| &member.server).collect());
        cluster.wait();
        cluster
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> &[Etcd] {
        &self.members
    }

    /// The URLs of all members, separated by commas.
    #[must_use]
    pub fn endpoints(&self) -> String {
        self.members.iter().map(Etcd::endpoint).collect::<Vec<_>>().join(",")
    }

    /// Which member leads, if all running members that answer within 2 seconds agree on it.
    ///
    /// # Errors
    /// They do not agree, there is no leader, or fewer than two answer.
    pub fn leader(&self) -> Result<usize, String> {
        let mut said: Vec<u64> = Vec::new();
        for member in self.members.iter().filter(|member| member.is_running()) {
            said.extend(member.status("Leader"));
        }
        let first = said.first().copied().filter(|id| *id != 0).ok_or_else(|| format!("nobody leads: {said:?}"))?;
        if said.len() < 2 || said.iter().any(|id| *id != first) {
            return Err(format!("they do not agree: {said:?}"));
        }
        let leads = |member: &Etcd| member.is_running() && member.status("MemberID") == Ok(first);
        self.members.iter().position(leads).ok_or_else(|| format!("{first} leads, which does not run"))
    }

    /// Waits until there is a leader, and returns its index.
    ///
    /// # Panics
    /// There is none in time.
    pub fn wait(&self) -> usize {
        let leader = wait_until("a leader", || self.leader());
        let write = || self.members[leader].try_ctl(&["get", "any"], Duration::from_secs(2));
        wait_until("a cluster that answers", write);
        leader
    }

    /// Kills the leader, and returns its index.
    ///
    /// # Panics
    /// There is no leader in time.
    pub fn kill_leader(&self) -> usize {
        let leader = self.wait();
        self.members[leader].kill();
        leader
    }

    /// Kills all members except this one. It still answers, but not to requests that need a majority.
    pub fn kill_all_but(&self, left: usize) {
        let others = self.members.iter().enumerate().filter(|(i, _)| *i != left);
        others.for_each(|(_, member)| member.kill());
    }

    /// Starts all members that do not run, waits until there is a leader, and returns its index.
    ///
    /// # Panics
    /// They are not ready in time.
    pub fn restart(&self) -> usize {
        self.members.iter().for_each(|member| member.start());
        self.members.iter().for_each(|member| member.server.wait());
        self.wait()
    }
}

impl Index<usize> for EtcdCluster {
    type Output = Etcd;

    fn index(&self, member: usize) -> &Etcd {
        &self.members[member]
    }
}
