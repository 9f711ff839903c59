//! Files that can not be opened, and what is said of them.

use cninfra::keyval::{Applied, KvError, Reason};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use std::{fs, path::Path};

async fn refused(path: &Path) -> KvError {
    let config = EmbeddedConfig { path: Some(path.to_path_buf()), ..EmbeddedConfig::default() };
    let error = EmbeddedStore::open(&config).await.unwrap_err();
    let name = path.display().to_string();
    assert_eq!((error.endpoint(), error.applied()), (Some(&*name), Applied::No), "{error:?}");
    assert!(error.to_string().contains(&name) && error.help().unwrap().contains(&name), "{error:?}");
    error
}

#[tokio::test]
async fn one_store_has_a_file_at_a_time() {
    let config = crate::config("twice");
    let path = config.path.clone().unwrap();
    let store = EmbeddedStore::open(&config).await.unwrap();
    let error = refused(&path).await;
    assert_eq!(*error.reason(), Reason::Unavailable);
    assert!(error.help().unwrap().contains("another process"), "{error:?}");
    store.close().await.unwrap();
    // one that is dropped lets go of it soon
    drop(EmbeddedStore::open(&config).await.unwrap());
    EmbeddedStore::open(&config).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn what_is_no_store_is_said_to_be_none() {
    let folder = crate::folder("foreign");
    let error = refused(&folder).await;
    assert!(error.help().unwrap().contains("is a folder"), "{error:?}");
    let text = folder.join("text");
    fs::write(&text, "a text that is no database, and long enough to be looked at: ".repeat(100)).unwrap();
    let error = refused(&text).await;
    assert!(error.help().unwrap().contains("something else"), "{error:?}");
    assert!(fs::read_to_string(&text).unwrap().starts_with("a text"));
    let below = text.join("data.redb");
    let error = refused(&below).await;
    assert!(error.help().unwrap().contains("a file and no folder"), "{error:?}");
    let error = refused(&folder.join("x".repeat(300))).await;
    assert!(error.help().unwrap().contains("look at the disk"), "{error:?}");
    let other = folder.join("other.redb");
    {
        let database = redb::Database::create(&other).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<u64, u64>::new("numbers")).unwrap();
        write.commit().unwrap();
    }
    let error = refused(&other).await;
    assert!(error.help().unwrap().contains("another program"), "{error:?}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_made() {
    let path = crate::folder("made").join("a/b/data.redb");
    let config = EmbeddedConfig { path: Some(path.clone()), ..EmbeddedConfig::default() };
    EmbeddedStore::open(&config).await.unwrap().close().await.unwrap();
    assert!(path.is_file() && path.with_extension("redb.reserve").metadata().unwrap().len() == 4 << 20);
}

#[tokio::test]
async fn a_file_whose_making_was_broken_off_is_made_anew() {
    let config = crate::config("unfinished");
    let path = config.path.clone().unwrap();
    // a process that is killed then leaves a header without the magic number, and nothing else
    let unfinished = |last: u8| {
        let mut bytes = vec![0; 1 << 20];
        bytes[9..320].fill(1);
        *bytes.last_mut().unwrap() = last;
        fs::write(&path, &bytes).unwrap();
        bytes
    };
    let other = unfinished(1);
    let error = refused(&path).await;
    assert!(error.help().unwrap().contains("something else"), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), other);
    unfinished(0);
    EmbeddedStore::open(&config).await.unwrap().close().await.unwrap();
}
