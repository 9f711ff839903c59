//! Which config files are read.

use super::{App, read, start};
use cninfra::{config::Config, prelude::*};
use cninfra_testbed::Folder;

#[tokio::test]
async fn a_file_switches_an_optional_plugin_off() {
    for (name, text) in [
        ("extra.conf", "enabled: false"),
        ("agent.toml", "[extra]\nEnabled = false"),
        ("extra.conf", "size: 1\nENABLED: false"),
    ] {
        let agent = start(&[(name, text)], Config::new()).await.map_err(|(error, _)| error).unwrap();
        assert!(agent.extra.is_none(), "{name}");
        agent.close().await.unwrap();
    }
    // The file overrides the program.
    let on = Config::new().set("extra", "enabled", false);
    let agent = start(&[("extra.conf", "enabled: true")], on).await.map_err(|(error, _)| error).unwrap();
    assert!(agent.extra.is_some());
    agent.close().await.unwrap();
}

#[tokio::test]
async fn other_files_of_the_folder_are_not_read() {
    let files =
        [("other.conf", "{"), ("servers.yaml", "["), ("README.md", "x"), ("server.conf.bak", "["), ("server", "[")];
    assert_eq!(read(&files).await, Default::default());
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_told() {
    let error = Agent::<App>::builder().config_dir("/nosuch/dir").start().await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_config() && text.contains("/nosuch/dir: there is no such directory"), "{text}");
}

#[tokio::test]
async fn a_link_to_what_is_not_there_is_told() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("nowhere", folder.path().join("server.conf")).unwrap();
    let error = Agent::<App>::builder().config_dir(folder.path()).start().await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_config() && text.contains("server.conf: the file is a link to what is not there"), "{text}");
}

#[tokio::test]
async fn the_agents_own_section_is_read() {
    let file = ("agent.yaml", "agent: {microservice-label: from-the-file, stop-timeout: 3s}");
    let agent = start(&[file], Config::new()).await.map_err(|(error, _)| error).unwrap();
    assert_eq!(agent.label(), "from-the-file");
    agent.close().await.unwrap();
    // Within the program, the builder's own method is the lowest layer.
    let config = Config::new().set("agent", "microservice-label", "config");
    let agent = Agent::<App>::builder().label("builder").config(config).start().await.unwrap();
    assert_eq!(agent.label(), "config");
    agent.close().await.unwrap();
    let agent = Agent::<App>::builder().label("builder").start().await.unwrap();
    assert_eq!(agent.label(), "builder");
    agent.close().await.unwrap();
}
