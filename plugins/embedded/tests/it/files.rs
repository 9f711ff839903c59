//! Files that cannot be opened, and the errors for them.

use cninfra::keyval::{Applied, Expiry, KvError, Put, Reason, Store as _};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex},
};

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
    // A store that is dropped closes its file soon.
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

/// redb panics over some of this damage.
#[tokio::test]
async fn what_is_damaged_is_said_to_be_so() {
    const PAGE: usize = 4096;
    let path = crate::folder("damaged").join("data.redb");
    let config = EmbeddedConfig { path: Some(path.clone()), ..EmbeddedConfig::default() };
    let store = EmbeddedStore::open(&config).await.unwrap();
    store.put(Put::new("k", "1", Expiry::Never)).await.unwrap();
    store.close().await.unwrap();
    let whole = fs::read(&path).unwrap();
    let mut refusals = 0;
    for (number, page) in whole.chunks(PAGE).enumerate().skip(1).filter(|(_, page)| page.iter().any(|byte| *byte != 0))
    {
        let mut damaged = whole.clone();
        damaged[number * PAGE..][..page.len()].fill(0xff);
        fs::write(&path, damaged).unwrap();
        match EmbeddedStore::open(&config).await {
            Ok(store) => drop(store.close().await),
            Err(_) => {
                let error = refused(&path).await;
                assert!(error.help().unwrap().contains("is damaged"), "page {number}: {error:?}");
                refusals += 1;
            }
        }
    }
    assert!(refusals > 0);
    // Cut off in the header, and in the data.
    for left in [100, whole.len() / 2] {
        fs::write(&path, &whole[..left]).unwrap();
        let error = refused(&path).await;
        assert!(error.help().unwrap().contains("is damaged"), "{left} bytes: {error:?}");
    }
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
    let killed = Killed::default();
    redb::Builder::new().create_with_backend(killed.clone()).unwrap_err();
    let states = killed.0.lock().unwrap().before.clone();
    // The file exists, has a length, and has a header.
    assert_eq!(states.len(), 3);
    for state in states {
        fs::write(&path, &state).unwrap();
        EmbeddedStore::open(&config).await.unwrap().close().await.unwrap();
    }
}

#[tokio::test]
async fn what_only_looks_unfinished_is_left_as_it_is() {
    let folder = crate::folder("zeros");
    let killed = Killed::default();
    redb::Builder::new().create_with_backend(killed.clone()).unwrap_err();
    let left = killed.0.lock().unwrap().before.pop().unwrap();
    let with = |at: usize, byte: u8| {
        let mut file = left.clone();
        file[at] = byte;
        file
    };
    let zeros = |len: usize| vec![0; len];
    let files = [
        zeros(1),
        zeros(9),
        zeros(4096),
        zeros(100 << 10),
        zeros(left.len() - 1),
        zeros(left.len() + 1),
        zeros(1 << 20),
        with(9, 0x55),
        with(200, 0x55),
        with(left.len() - 1, 1),
    ];
    for (number, file) in files.into_iter().enumerate() {
        let path = folder.join(number.to_string());
        fs::write(&path, &file).unwrap();
        let error = refused(&path).await;
        assert!(error.help().unwrap().contains("move it away"), "{number}: {error:?}");
        assert_eq!(fs::read(&path).unwrap(), file, "{number}");
    }
}

/// A redb file whose process is killed before it writes the magic number: its contents now and before.
#[derive(Clone, Default, Debug)]
struct Killed(Arc<Mutex<States>>);

#[derive(Default, Debug)]
struct States {
    now: Vec<u8>,
    before: Vec<Vec<u8>>,
}

impl Killed {
    fn now(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut states = self.0.lock().unwrap();
        let before = states.now.clone();
        states.before.push(before);
        change(&mut states.now);
    }
}

impl redb::StorageBackend for Killed {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.0.lock().unwrap().now[from..from + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.now(|file| file.resize(usize::try_from(len).unwrap(), 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let is_last = data.starts_with(b"redb");
        let at = usize::try_from(offset).unwrap();
        self.now(|file| {
            if !is_last {
                file[at..at + data.len()].copy_from_slice(data)
            }
        });
        if is_last { Err(io::Error::other("killed")) } else { Ok(()) }
    }
}
