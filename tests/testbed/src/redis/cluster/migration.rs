//! [`Migration`]: the step-by-step move of a hash slot from one node to another.

use super::RedisCluster;

/// A hash slot that is being moved from one node to another: between the steps a test can check how a client copes with
/// it. Dropping this does not end the move.
///
/// Meanwhile the source serves the keys that it still has, and answers `ASK` for others; the target serves keys only
/// after `ASKING`, and answers `MOVED` otherwise.
#[derive(Debug)]
#[must_use = "it has only begun"]
pub struct Migration<'c> {
    cluster: &'c RedisCluster,
    slot: u16,
    from: usize,
    to: usize,
}

impl RedisCluster {
    /// Begins to move a slot to the node `to`. No key is moved yet.
    ///
    /// # Panics
    /// `to` already owns it, or a node refuses a command.
    pub fn begin_migration(&self, slot: u16, to: usize) -> Migration<'_> {
        let from = self.owner(slot);
        assert!(from != to, "slot {slot} is at node {to} already");
        let number = slot.to_string();
        self.ok(to, &["CLUSTER", "SETSLOT", &number, "IMPORTING", &self.ids[from]]);
        self.ok(from, &["CLUSTER", "SETSLOT", &number, "MIGRATING", &self.ids[to]]);
        Migration { cluster: self, slot, from, to }
    }

    /// Moves a slot with all its keys to the node `to`.
    ///
    /// # Panics
    /// See [`begin_migration`](RedisCluster::begin_migration).
    pub fn migrate_slot(&self, slot: u16, to: usize) {
        self.begin_migration(slot, to).finish();
    }
}

impl Migration<'_> {
    /// The index of the node that the slot is moved from.
    #[must_use]
    pub fn from(&self) -> usize {
        self.from
    }

    /// Moves up to `count` keys, and returns their number.
    ///
    /// # Panics
    /// A node refuses a command.
    pub fn move_keys(&self, count: usize) -> usize {
        let source = &self.cluster.nodes[self.from];
        let reply = source.call(&["CLUSTER", "GETKEYSINSLOT", &self.slot.to_string(), &count.to_string()]);
        let keys: Vec<&str> = reply.list().iter().filter_map(|key| key.text()).collect();
        if keys.is_empty() {
            return 0;
        }
        let target = &self.cluster.nodes[self.to];
        // If the nodes use TLS among themselves, they do so here, too.
        let port = self.cluster.secure.get(self.to).unwrap_or(&target.port).number().to_string();
        let mut command = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000"];
        if let Some(password) = &target.options.password {
            command.extend(["AUTH", password]);
        }
        command.push("KEYS");
        command.extend(&keys);
        self.cluster.ok(self.from, &command);
        keys.len()
    }

    /// Moves the remaining keys, assigns the slot to the target, and waits until all nodes know it.
    ///
    /// # Panics
    /// A node refuses a command, or does not know it in time.
    pub fn finish(self) {
        while self.move_keys(100) > 0 {}
        let (number, id) = (self.slot.to_string(), &self.cluster.ids[self.to]);
        // The target first, so that the slot always has an owner. The other nodes would learn it by themselves, but
        // later.
        for i in [self.to, self.from] {
            self.cluster.ok(i, &["CLUSTER", "SETSLOT", &number, "NODE", id]);
        }
        let others = (0..self.cluster.nodes.len()).filter(|i| *i != self.to && *i != self.from);
        for i in others.filter(|i| self.cluster.nodes[*i].is_running()) {
            crate::server::wait_until("a node that knows who has the slot", || {
                // Replicas refuse it; they learn it from their primary.
                let _ = self.cluster.nodes[i].call(&["CLUSTER", "SETSLOT", &number, "NODE", id]);
                match self.cluster.owner_as_said_by(i, self.slot) {
                    Some(owner) if owner == self.to => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            });
        }
    }
}
