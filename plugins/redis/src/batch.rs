//! Reads of many keys at once.

use crate::{
    call::{To, Turn},
    command::{Command, Reply},
    core::Core,
    failure::{Asked, Failure},
    wire::Wire,
};
use bytes::Bytes;
use cninfra::client::Pauses;
use cninfra::keyval::{Applied, KeyRange, KvError, Result};
use futures_util::future::join_all;
use std::{collections::HashMap, sync::Arc};
use tokio::time::{Instant, sleep, timeout_at};

/// How many reads are sent in one batch.
pub(crate) const BATCH: usize = 256;

impl Core {
    /// Reads some keys. Returns the value of each, in order. All reads share one deadline.
    pub(crate) async fn read(&self, turn: Turn, op: &'static str, keys: &[Bytes]) -> Vec<Result<Option<Bytes>>> {
        let turn = &turn;
        let mut groups: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (index, key) in keys.iter().enumerate() {
            if let Some(owner) = self.slots.borrow().owner(key) {
                groups.entry(owner.clone()).or_default().push(index);
            }
        }
        let pieces = groups.iter().flat_map(|(owner, indexes)| indexes.chunks(BATCH).map(move |some| (owner, some)));
        let reading = pieces.map(|(owner, some)| async move {
            let of_piece = some.iter().filter_map(|index| keys.get(*index)).collect();
            some.iter().zip(self.read_batch(turn, op, owner, of_piece).await)
        });
        let mut read: HashMap<usize, Result<Option<Bytes>>> = HashMap::new();
        for answers in join_all(reading).await {
            read.extend(answers.filter_map(|(index, answer)| Some((*index, answer?))));
        }
        let mut all = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            // Keys that are on another server by now, or that were not answered, are read one by one.
            all.push(match read.remove(&index) {
                Some(answer) => answer,
                None => {
                    let asked = || Asked::to_read(op, Some(KeyRange::key(key)));
                    self.call(turn.next_request(), &asked, &To::Key(key), &Command::Get(key)).await.map(Reply::bytes)
                }
            });
        }
        all
    }

    /// Reads some keys of one server. `None` for a key that has to be read again: it is elsewhere, or the failure is
    /// temporary.
    async fn read_batch(
        &self,
        turn: &Turn,
        op: &'static str,
        endpoint: &Arc<str>,
        keys: Vec<&Bytes>,
    ) -> Vec<Option<Result<Option<Bytes>>>> {
        let gets: Vec<Command<'_>> = keys.iter().map(|key| Command::Get(key)).collect();
        let asked_for = |key: &Bytes| Asked::to_read(op, Some(KeyRange::key(key)));
        let asked = keys.first().map_or_else(|| Asked::to_read(op, None), |key| asked_for(key));
        let answers = tokio::select! {
            biased;
            () = self.closed() => Err(self.closed_error(&asked, Applied::No)),
            answers = timeout_at(turn.deadline, self.ask_batch(turn, &asked, endpoint, &gets)) => {
                answers.unwrap_or_else(|_| Err(self.timeout_error(turn.limit, &asked, endpoint, Applied::No)))
            }
        };
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => {
                let reason = error.reason().clone();
                let others = keys
                    .iter()
                    .skip(1)
                    .map(|key| asked_for(key).error(reason.clone(), Applied::No).at(endpoint.clone()));
                let others: Vec<KvError> = others.collect();
                return [error].into_iter().chain(others).map(|error| Some(Err(error))).collect();
            }
        };
        let result_of = |(key, answer): (&&Bytes, std::result::Result<Reply, Failure>)| match answer {
            Ok(reply) => Some(Ok(reply.bytes())),
            Err(failure) => {
                let asked = asked_for(key);
                let must_retry = failure.elsewhere(endpoint).is_some() || failure.is_retryable(&asked);
                (!must_retry).then(|| Err(failure.into_error(&asked, endpoint)))
            }
        };
        keys.iter().zip(answers).map(result_of).collect()
    }

    /// Sends some commands to one server, and repeats them while the connection is lost.
    async fn ask_batch(
        &self,
        turn: &Turn,
        asked: &Asked,
        endpoint: &Arc<str>,
        commands: &[Command<'_>],
    ) -> Result<Vec<std::result::Result<Reply, Failure>>> {
        let _permit = self.wait_for_permit(turn.origin).await;
        let node = self.node(endpoint);
        let mut pauses = Pauses::default();
        loop {
            let failure = match node.wire().await {
                Err(failure) => failure,
                Ok(wire) => {
                    let unanswered = Unanswered::new(self, &wire);
                    let answers = wire.calls(commands).await;
                    unanswered.mark_answered();
                    match answers
                        .iter()
                        .find_map(|answer| answer.as_ref().err().filter(|failure| failure.is_connection_lost()))
                    {
                        None => return Ok(answers),
                        Some(failure) => {
                            self.replace_broken(&wire);
                            failure.clone()
                        }
                    }
                }
            };
            let wait = pauses.next();
            if Instant::now() + wait >= turn.deadline {
                return Err(failure.into_error(asked, endpoint));
            }
            sleep(wait).await;
        }
    }
}

/// A batch in flight. If it is dropped after a long time without an answer, and no other call was answered meanwhile,
/// the connection is replaced.
struct Unanswered<'c> {
    core: &'c Core,
    wire: &'c Arc<Wire>,
    began: Instant,
    before: u64,
}

impl<'c> Unanswered<'c> {
    fn new(core: &'c Core, wire: &'c Arc<Wire>) -> Self {
        Unanswered { core, wire, began: Instant::now(), before: wire.answers() }
    }

    fn mark_answered(mut self) {
        self.before = u64::MAX;
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if self.core.is_long(self.began, self.core.config.read_within()) && self.wire.answers() == self.before {
            self.core.replace_broken(self.wire);
        }
    }
}
