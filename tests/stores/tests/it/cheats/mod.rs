//! Tests of the conformance suite: for each point of the contract, a store that breaks only this point is found.

mod store;
mod wrong_report;

use cninfra::{
    Result,
    testing::{StoreConformance, Subject},
};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use cninfra_testbed::Folder;
use futures_util::future::join_all;
use std::sync::Arc;
use store::{Cheat, Cheating};
use wrong_report::WrongReport;

/// A store that breaks one point. It is in memory, unless its data has to outlive the client.
struct Broken(Cheat, Option<Folder>);

impl Broken {
    fn new(cheat: Cheat) -> Self {
        Broken(cheat, (cheat == Cheat::OutlivesItsClient).then(Folder::new))
    }
}

impl Subject for Broken {
    type Store = Cheating;

    async fn open(&self) -> Result<Arc<Cheating>> {
        let path = self.1.as_ref().map(|folder| folder.path().join("store.redb"));
        let config = EmbeddedConfig { in_memory: path.is_none(), path, ..EmbeddedConfig::default() };
        Ok(Arc::new(Cheating::new(EmbeddedStore::open(&config).await?, self.0)))
    }

    async fn close(&self, store: Arc<Cheating>) -> Result<()> {
        Ok(store.inner().close().await?)
    }
}

/// Asserts that each is found by the check whose name contains these words. The checks mostly wait, so they run
/// concurrently.
async fn are_found(cheats: impl IntoIterator<Item = (Cheat, &'static str)>) {
    let is_found = async |(cheat, words): (Cheat, &'static str)| {
        let all = StoreConformance::of(Broken::new(cheat)).with_revisions().with_leases().with_coordination();
        let found = all.only(words).violations().await;
        let is_found = found.iter().any(|line| line.contains(words));
        (!is_found).then(|| format!("{cheat:?} is not found by {words:?}: {found:?}"))
    };
    let missed: Vec<String> = join_all(cheats.into_iter().map(is_found)).await.into_iter().flatten().collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_all_is_found_nowhere() {
    let all = StoreConformance::of(Broken::new(Cheat::None)).with_revisions().with_leases().with_coordination();
    assert_eq!(all.violations().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_values_is_found() {
    are_found([
        (Cheat::EmptyIsAbsent, "byte for byte"),
        (Cheat::DeletesAlwaysCount, "says what was there"),
        (Cheat::PrefixesBleed, "where it ends"),
        (Cheat::ConditionsHold, "on a condition happens"),
        (Cheat::ConditionsApart, "none is lost"),
        (Cheat::PagesLose, "each key once"),
        (Cheat::PagesRepeat, "each key once"),
        (Cheat::RangesAreAll, "begin and end where"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_lives_is_found() {
    are_found([
        (Cheat::LivesForEver, "ends when its life does"),
        (Cheat::KeepsNothing, "has its own life"),
        (Cheat::TooLongLifeIsShort, "a key that is to live for ever"),
        (Cheat::OutlivesItsClient, "ends with its client"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_transactions_is_found() {
    are_found([
        (Cheat::ConditionsHold, "one of two things"),
        (Cheat::ResultsOfNothing, "came of each"),
        (Cheat::OneByOne, "all or nothing"),
        (Cheat::RefusesNothing, "before anything is done"),
        (Cheat::RefusesNothing, "refused with its key"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_puts_alone_is_found() {
    are_found([
        (Cheat::PutsLiveForEver, "a put does what"),
        (Cheat::PutsLiveForEver, "a put gives the life"),
        (Cheat::PutsTellNothing, "a put does what"),
        (Cheat::PutsBeginAnew, "a put does what"),
        (Cheat::PutsAreNotRefused, "a put does what"),
        (Cheat::PutsKeepTheLife, "a put gives the life"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_watches_is_found() {
    are_found([
        (Cheat::Reports(WrongReport::Less), "and then what changes"),
        (Cheat::Reports(WrongReport::Twice), "and then what changes"),
        (Cheat::Reports(WrongReport::EmptyIsNothing), "and then what changes"),
        (Cheat::Reports(WrongReport::NoSnapshot), "and then what changes"),
        (Cheat::Reports(WrongReport::AllIsNew), "and then what changes"),
        (Cheat::Reports(WrongReport::Phantom), "and then what changes"),
        (Cheat::Reports(WrongReport::Apart), "told as one"),
        (Cheat::Reports(WrongReport::Backwards), "all is told all"),
        (Cheat::WatchesAll, "its keys alone"),
        (Cheat::RangesStay, "taken out and told anew"),
        (Cheat::Unbounded, "wants snapshots is told one"),
        (Cheat::Unbounded, "wants the latest"),
        (Cheat::ClaimsResnapshots, "takes nothing is told nothing"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_revisions_is_found() {
    are_found([
        (Cheat::OnlyNow, "read as it was"),
        (Cheat::PagesOfNow, "of one state"),
        (Cheat::ConditionsHold, "condition on revisions"),
        (Cheat::BeginsNow, "any state that is kept"),
        (Cheat::CompactsNothing, "is compacted is said"),
        (Cheat::CompactsOnce, "compacted already"),
        (Cheat::BeginsAfter, "compacted to is not lost"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_of_leases_is_found() {
    are_found([
        (Cheat::RevokesNothing, "keys of a lease end"),
        (Cheat::KeepsNothingAlive, "kept alive"),
        (Cheat::LeasesAreAlive, "gone is said to be"),
        (Cheat::TooLongLifeIsRefused, "a lease that is to live for ever"),
        (Cheat::RevokesNothing, "next one when it resigns"),
        (Cheat::ConditionsHold, "refused when it is lost"),
        (Cheat::Reports(WrongReport::NoDeletes), "leads no more"),
    ])
    .await;
}
