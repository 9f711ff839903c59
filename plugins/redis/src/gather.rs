//! [`Gather`]: reads and writes of single keys that arrive while others are in flight are sent together, as one `MGET`
//! or `MSET`.
//!
//! Most of the cost of a call, on both sides, is sending it and receiving its answer: so sixty-four concurrent calls
//! become a few. A call that comes alone is sent at once, and so is everything but a read or a write of a small value.
//! In a cluster nothing is gathered, since the keys of one command have to be in one slot.

use crate::{
    command::{Command, Reply},
    failure::Failure,
};
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::{
    future::Future,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::{
    sync::{Notify, oneshot},
    task::yield_now,
};

/// The largest number of keys in one command, so that no call waits long behind others.
const TOGETHER: usize = 64;
/// A larger value is sent by itself: sending it is most of its cost.
const SMALL: usize = 4 << 10;
/// How many commands are in flight at once; further calls wait for a later one.
const SENT: usize = 16;
/// Waiting calls are sent once no other one has come in so many turns of the scheduler. The calls of a burst that are
/// made on another thread come one after the other, and each command that they share saves both sides a call.
const QUIET: usize = 3;

/// The result of a gathered call; `None` if it has to be repeated by itself.
type SharedAnswer = Option<Result<Reply, Failure>>;

#[derive(Default)]
pub(crate) struct Gather {
    waiting: Mutex<Waiting>,
    /// The number of waiting calls, apart from the lock, so that counting them does not delay new ones.
    count: AtomicUsize,
    wake: Notify,
    /// Calls that have begun and not ended, whether they are gathered or not.
    begun: AtomicUsize,
    /// The last command had several calls. So the first call of the next burst waits a moment for the others: sent
    /// before them, it would cost the server one more command, and the others would be answered only after it.
    was_shared: AtomicBool,
    /// The server does not let this user use commands with several keys.
    is_off: AtomicBool,
}

type Read = (Bytes, oneshot::Sender<SharedAnswer>);
type Write = (Bytes, Bytes, oneshot::Sender<SharedAnswer>);

#[derive(Default)]
struct Waiting {
    reads: Vec<Read>,
    writes: Vec<Write>,
    /// Nobody sends any more.
    has_ended: bool,
}

impl Waiting {
    fn len(&self) -> usize {
        self.reads.len() + self.writes.len()
    }
}

/// Held by the task that sends. When it is dropped, the waiting calls fail: they were not sent.
pub(crate) struct Sending(pub(crate) Arc<Gather>);

impl Drop for Sending {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.has_ended = true;
        let (reads, writes) = (mem::take(&mut waiting.reads), mem::take(&mut waiting.writes));
        drop(waiting);
        let lost = Some(Err(Failure::no_connection("the connection was lost")));
        Together::Reads(reads).deliver_to_all(&lost);
        Together::Writes(writes).deliver_to_all(&lost);
    }
}

/// A call in progress, until it is dropped.
pub(crate) struct Begun<'g> {
    gather: &'g Gather,
    is_alone: bool,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.gather.begun.fetch_sub(1, Relaxed);
    }
}

impl Begun<'_> {
    /// Lets the call join others, if there are any. The result arrives in the returned receiver. If this returns
    /// `None`, the caller has to send the call by itself.
    pub(crate) fn join(&self, command: &Command<'_>) -> Option<oneshot::Receiver<SharedAnswer>> {
        let gather = self.gather;
        if (self.is_alone && !gather.was_shared.load(Relaxed)) || gather.is_off.load(Relaxed) {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let mut waiting = gather.lock();
        match *command {
            _ if waiting.has_ended => return None,
            Command::Get(key) => waiting.reads.push((key.clone(), sender)),
            Command::Set(key, value) if value.len() <= SMALL => {
                waiting.writes.push((key.clone(), value.clone(), sender))
            }
            _ => return None,
        }
        let count = waiting.len();
        gather.count.store(count, Relaxed);
        drop(waiting);
        // Later calls are taken along.
        if count == 1 {
            gather.wake.notify_one();
        }
        Some(receiver)
    }
}

impl Gather {
    /// Begins a call.
    pub(crate) fn begin(&self) -> Begun<'_> {
        Begun { is_alone: self.begun.fetch_add(1, Relaxed) == 0, gather: self }
    }

    /// Sends the gathered calls, until it is dropped.
    pub(crate) async fn run<F>(&self, send: impl Fn(Command<'static>) -> F)
    where
        F: Future<Output = Result<Reply, Failure>>,
    {
        let mut sent = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                () = self.wake.notified(), if sent.len() < SENT => {}
                Some(()) = sent.next(), if !sent.is_empty() => continue,
            }
            self.wait_for_burst().await;
            for some in self.take() {
                let answer = send(some.command());
                sent.push(async { self.deliver(some, answer.await) });
            }
        }
    }

    /// Yields until no further call comes, or a command is full, so that calls which are about to come are taken along.
    async fn wait_for_burst(&self) {
        let (mut known, mut quiet) = (0, 0);
        while quiet < QUIET && known < TOGETHER {
            yield_now().await;
            let there = self.count.load(Relaxed);
            quiet = if there == known { quiet + 1 } else { 0 };
            known = there;
        }
    }

    /// Gives each call its result.
    fn deliver(&self, some: Together, answer: Result<Reply, Failure>) {
        self.is_off.fetch_or(matches!(&answer, Err(failure) if failure.has_no_command()), Relaxed);
        match (some, answer) {
            (Together::Reads(reads), Ok(Reply::List(values))) if values.len() == reads.len() => {
                for ((_, sender), value) in reads.into_iter().zip(values) {
                    // `MGET` has the same answer for a missing key as for one that holds no string: such a call is
                    // repeated by itself. Sending fails if the caller waits no longer.
                    let _ = sender.send((value != Reply::Nil).then_some(Ok(value)));
                }
            }
            (Together::Writes(writes), Ok(done)) => {
                writes.into_iter().for_each(|(.., sender)| drop(sender.send(Some(Ok(done.clone())))));
            }
            (some, Err(failure)) if failure.is_connection_lost() => some.deliver_to_all(&Some(Err(failure))),
            // The server has executed nothing of it, and a single call may be the reason.
            (some, _) => some.deliver_to_all(&None),
        }
    }

    /// The waiting calls, as commands.
    fn take(&self) -> Vec<Together> {
        let mut waiting = self.lock();
        let (reads, writes) = (mem::take(&mut waiting.reads), mem::take(&mut waiting.writes));
        self.count.store(0, Relaxed);
        drop(waiting);
        self.was_shared.store(reads.len() + writes.len() > 1, Relaxed);
        // Leaves out calls whose callers wait no longer.
        let mut reads = reads.into_iter().filter(|(_, sender)| !sender.is_closed()).peekable();
        let mut writes = writes.into_iter().filter(|(.., sender)| !sender.is_closed()).peekable();
        let mut all = Vec::new();
        while writes.peek().is_some() {
            all.push(Together::Writes(writes.by_ref().take(TOGETHER).collect()));
        }
        while reads.peek().is_some() {
            all.push(Together::Reads(reads.by_ref().take(TOGETHER).collect()));
        }
        all
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls that share one command.
enum Together {
    Reads(Vec<Read>),
    Writes(Vec<Write>),
}

impl Together {
    fn command(&self) -> Command<'static> {
        match self {
            Together::Reads(reads) => Command::new("MGET", reads.iter().map(|(key, _)| key.clone())),
            Together::Writes(writes) => {
                Command::new("MSET", writes.iter().flat_map(|(key, value, _)| [key.clone(), value.clone()]))
            }
        }
    }

    fn deliver_to_all(self, what: &SharedAnswer) {
        // Sending fails if the caller waits no longer.
        match self {
            Together::Reads(reads) => reads.into_iter().for_each(|(_, sender)| drop(sender.send(what.clone()))),
            Together::Writes(writes) => writes.into_iter().for_each(|(.., sender)| drop(sender.send(what.clone()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, future::join_all};
    use std::future::ready;

    static KEYS: [Bytes; 3] = [Bytes::from_static(b"a"), Bytes::from_static(b"b"), Bytes::from_static(b"c")];
    static VALUE: Bytes = Bytes::from_static(b"v");
    const GET: Command<'_> = Command::Get(&KEYS[0]);
    const SET: Command<'_> = Command::Set(&KEYS[1], &VALUE);

    /// The result of each call, if all are gathered and then get this answer; and how many commands were sent.
    async fn answers_of(
        calls: &[Command<'_>],
        answer: impl Fn(&Command<'_>) -> Result<Reply, Failure>,
    ) -> (Vec<SharedAnswer>, usize) {
        let gather = Gather::default();
        // A call in flight, so that the others are gathered.
        let _first = gather.begin();
        let begun: Vec<_> = calls.iter().map(|call| (gather.begin(), call)).collect();
        let waiting: Vec<_> = begun.iter().map(|(begun, call)| begun.join(call).expect("it is gathered")).collect();
        let sent = AtomicUsize::new(0);
        let send = |command: Command<'static>| {
            sent.fetch_add(1, Relaxed);
            ready(answer(&command))
        };
        let answers = tokio::select! {
            answers = join_all(waiting) => answers,
            () = gather.run(send) => unreachable!(),
        };
        (answers.into_iter().map(|answer| answer.expect("all are told")).collect(), sent.into_inner())
    }

    #[tokio::test]
    async fn each_is_told_what_is_its_own() {
        let (answers, sent) = answers_of(&[GET, SET, Command::Get(&KEYS[2])], |command| {
            Ok(match command {
                command if *command == Command::new("MGET", ["a", "c"]) => {
                    Reply::List(vec![Reply::Bytes("1".into()), Reply::Nil])
                }
                command if *command == Command::new("MSET", ["b", "v"]) => Reply::Bytes("OK".into()),
                _ => panic!("{command:?}"),
            })
        })
        .await;
        let ok = |text: &'static str| Some(Ok(Reply::Bytes(text.into())));
        // `MGET` does not say whether the key is missing or holds no string.
        assert_eq!((answers, sent), (vec![ok("1"), ok("OK"), None], 2));
    }

    #[tokio::test]
    async fn what_the_server_refuses_is_asked_one_by_one() {
        let (answers, _) = answers_of(&[GET, SET], |_| Err(Failure::answer("OOM no more"))).await;
        assert_eq!(answers, [None, None]);
    }

    #[tokio::test]
    async fn a_connection_that_is_lost_is_lost_for_all() {
        let (answers, _) = answers_of(&[GET, SET], |_| Err(Failure::lost("reset"))).await;
        assert_eq!(answers, [Some(Err(Failure::lost("reset"))), Some(Err(Failure::lost("reset")))]);
    }

    #[tokio::test]
    async fn many_are_several_commands() {
        let calls = vec![GET; 2 * TOGETHER + 1];
        let (answers, sent) = answers_of(&calls, |command| {
            let all = [1, TOGETHER].into_iter().find(|keys| *command == Command::new("MGET", vec!["a"; *keys]));
            Ok(Reply::List(vec![Reply::Bytes("1".into()); all.expect("no more than are sent together")]))
        })
        .await;
        assert_eq!((answers.iter().flatten().count(), sent), (calls.len(), 3));
    }

    #[tokio::test]
    async fn who_comes_a_moment_later_goes_along() {
        let gather = Gather::default();
        let _first = gather.begin();
        let sent = AtomicUsize::new(0);
        let come = async {
            let mut waiting = Vec::new();
            for _ in 0..10 {
                let begun = gather.begin();
                waiting.push(begun.join(&GET).expect("it is gathered"));
                // The next call is made on a thread that also does other things.
                yield_now().await;
                yield_now().await;
            }
            join_all(waiting).await
        };
        let send = |_| {
            sent.fetch_add(1, Relaxed);
            ready(Ok(Reply::List(vec![Reply::Bytes("1".into()); 10])))
        };
        tokio::select! {
            answers = come => assert!(answers.iter().all(|answer| matches!(answer, Ok(Some(Ok(_))))), "{answers:?}"),
            () = gather.run(send) => unreachable!(),
        }
        assert_eq!(sent.into_inner(), 1);
    }

    /// Makes calls at once, and returns how many of them were gathered.
    async fn burst(gather: &Gather, calls: usize) -> usize {
        let begun: Vec<_> = (0..calls).map(|_| gather.begin()).collect();
        let waiting: Vec<_> = begun.iter().filter_map(|begun| begun.join(&GET)).collect();
        join_all(waiting).await.len()
    }

    #[tokio::test]
    async fn who_comes_first_goes_with_the_others_where_several_came_before() {
        let gather = Gather::default();
        let sent = AtomicUsize::new(0);
        let calls = async {
            // At first the first call is not gathered. After several calls it waits for others, and after a single one
            // it does not.
            let mut gathered = Vec::new();
            for calls in [3, 3, 1, 1, 2, 2] {
                gathered.push(burst(&gather, calls).await);
            }
            gathered
        };
        let send = |_| {
            sent.fetch_add(1, Relaxed);
            ready(Ok(Reply::List(vec![Reply::Bytes("1".into()); 3])))
        };
        tokio::select! {
            gathered = calls => assert_eq!(gathered, [2, 3, 1, 0, 1, 1]),
            () = gather.run(send) => unreachable!(),
        }
        assert_eq!(sent.into_inner(), 5);
    }

    #[tokio::test]
    async fn what_has_been_gathered_waits_for_nothing_else() {
        let gather = Gather::default();
        let _first = gather.begin();
        // Counts the polls during which no other call comes.
        let (polls, sent_at) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let counts = async {
            loop {
                polls.fetch_add(1, Relaxed);
                yield_now().await;
            }
        };
        let send = |_| async {
            sent_at.store(polls.load(Relaxed), Relaxed);
            Ok(Reply::List(vec![Reply::Bytes("1".into()); 3]))
        };
        tokio::select! {
            biased;
            () = counts => unreachable!(),
            // It is already waiting for calls when they come, as usual.
            () = gather.run(send) => unreachable!(),
            gathered = burst(&gather, 3) => assert_eq!(gathered, 3),
        }
        assert!(sent_at.load(Relaxed) <= QUIET + 3, "{sent_at:?}");
    }

    #[tokio::test]
    async fn who_waits_no_more_is_not_asked_for() {
        let gather = Gather::default();
        let (_first, second) = (gather.begin(), gather.begin());
        drop(second.join(&SET));
        assert!(gather.take().is_empty());
    }

    #[tokio::test]
    async fn what_was_not_sent_is_told_so_where_nobody_sends_any_more() {
        let gather = Arc::<Gather>::default();
        let (_first, second) = (gather.begin(), gather.begin());
        let waiting = [&GET, &SET].map(|command| second.join(command).expect("it is gathered"));
        // This also holds if it has never run.
        drop(Sending(gather.clone()));
        for receiver in waiting {
            let answer = receiver.now_or_never().expect("it is told at once");
            assert_eq!(answer, Ok(Some(Err(Failure::no_connection("the connection was lost")))));
        }
        assert!(second.join(&GET).is_none());
    }

    #[test]
    fn who_is_alone_goes_at_once_and_so_does_what_is_large() {
        let gather = Gather::default();
        let alone = gather.begin();
        assert!(alone.join(&GET).is_none());
        let second = gather.begin();
        let [small, large] = [SMALL, SMALL + 1].map(|len| Bytes::from(vec![0; len]));
        assert!(second.join(&GET).is_some());
        assert!(second.join(&Command::Set(&KEYS[0], &small)).is_some());
        assert!(second.join(&Command::Set(&KEYS[0], &large)).is_none());
        assert!(second.join(&SET.arg("NX")).is_none());
        drop((alone, second));
        assert!(gather.begin().join(&GET).is_none());
    }

    #[tokio::test]
    async fn a_user_who_may_not_is_not_asked_for_again() {
        for refusal in ["NOPERM User u has no permissions to run the 'mget' command", "ERR unknown command 'MGET'"] {
            let gather = Gather::default();
            let (_first, second) = (gather.begin(), gather.begin());
            let receiver = second.join(&GET).unwrap();
            tokio::select! {
                answer = receiver => assert_eq!(answer.unwrap(), None),
                () = gather.run(|_| ready(Err(Failure::answer(refusal)))) => unreachable!(),
            }
            assert!(second.join(&GET).is_none());
        }
    }
}
