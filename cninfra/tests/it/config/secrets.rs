//! Secrets can be read from files, and are never shown.

use super::{App, read, wrong, wrong_over};
use cninfra::{
    agent::{Agent, Cause, Limits, Phase, PluginError, StartError},
    config::{Config, Secret},
};
use cninfra_testbed::{Folder, Silent};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_secret_may_be_in_a_file_of_its_own() {
    for text in ["password-file: secret.txt", "PasswordFile: secret.txt", "password_file: ./secret.txt"] {
        let config = read(&[("secret.txt", "  hunter2 \r\n\n"), ("server.conf", text)]).await;
        assert_eq!(config.password.reveal(), "  hunter2 ", "{text}");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
    // A text that looks like a number stays a text.
    let config = read(&[("secret.txt", "12345"), ("server.conf", "password-file: secret.txt")]).await;
    assert_eq!(config.password.reveal(), "12345");
}

#[tokio::test]
async fn a_secret_and_its_file_are_one_key() {
    let words = wrong(&[("secret.txt", "x"), ("server.conf", "password-file: secret.txt\npassword: y")]).await;
    assert_eq!(words, ["server.conf:2:1: key `server.password` is there twice, also as `password-file`"]);
    let files =
        [("secret.txt", "x"), ("server.conf", "password-file: secret.txt"), ("agent.yaml", "server: {password: y}")];
    assert_eq!(wrong(&files).await, ["server.conf:1:1: key `server.password-file` is there twice, also as `password`"]);
}

#[tokio::test]
async fn what_is_wrong_near_a_secret_does_not_show_it() {
    for (name, text) in [
        ("server.conf", "password: [hunter2]\nport: x"),
        ("server.conf", "password: {a: hunter2}"),
        ("server.conf", "password: 4711"),
        ("server.toml", "password = 4711"),
        ("server.conf", "password: hunter2\n  port: x"),
        ("server.conf", "pasword: hunter2"),
        ("server.conf", "password hunter2"),
        ("server.conf", "tls: hunter2"),
        ("server.conf", "tags: hunter2"),
        ("agent.yaml", "server: hunter2"),
        ("agent.yaml", "hunter2"),
        ("server.conf", "password: 'hunter2"),
        ("server.conf", "password: @hunter2"),
        ("server.conf", "password: hunter2\npassword: hunter2"),
        ("server.toml", "password = hunter2"),
        ("server.toml", "password = 'hunter2"),
        ("server.toml", "password = ['hunter2']"),
        ("server.toml", "password = 'hunter2'\npassword = 'hunter2'"),
        ("agent.yaml", "server: {password: {x: hunter2}}"),
    ] {
        let words = wrong(&[(name, text)]).await;
        assert!(!words.is_empty());
        assert!(words.iter().all(|words| !words.contains("hunter2") && !words.contains("4711")), "{text}: {words:?}");
    }
}

#[tokio::test]
async fn a_number_that_is_too_large_is_not_shown() {
    for digits in ["99999999999999999999", "-99999999999999999999", "999999999999999999999999999999999999999999999999"]
    {
        for (name, text) in [
            ("server.conf", format!("password: {digits}")),
            ("agent.yaml", format!("server: {{password: {digits}}}")),
            ("server.json", format!("{{\"password\": {digits}}}")),
            ("server.toml", format!("password = {digits}")),
            ("server.conf", format!("{{password: [{digits}]}}")),
        ] {
            let words = wrong(&[(name, &text)]).await;
            assert!(!words.is_empty() && words.iter().all(|words| !words.contains("99999")), "{text}: {words:?}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_no_text_is_told_by_its_kind() {
    let hidden = "(it is not shown, since it is a secret)";
    for (value, kind) in [("12345", "a number"), ("true", "`true` or `false`"), ("1.5", "a number")] {
        let words = wrong(&[("server.conf", &format!("password: {value}"))]).await;
        let what = format!("its value is {kind} where a text is wanted: put it in quotes {hidden}");
        assert_eq!(words, [format!("server.conf:1:11: key `server.password`: {what}")]);
    }
}

#[tokio::test]
async fn the_mask_is_no_secret() {
    let words =
        "`***` stands for a secret where it is not shown: write the secret itself (in a program, `secret.reveal()`)";
    let found = wrong(&[("server.conf", "password: '***'")]).await;
    assert_eq!(found, [format!("server.conf:1:11: key `server.password`: {words}")]);
    let config = Config::new().set("server", "password", Secret::new("x".to_string()));
    let found = wrong_over(&[], config).await;
    assert_eq!(found, [format!("set by the program: key `server.password`: {words}")]);
}

#[test]
fn a_config_does_not_show_its_values() {
    let config = Config::new().set("server", "password", "hunter2").set("server", "port", 1);
    assert_eq!(format!("{config:?}"), r#"["server (set by the program)", "server (set by the program)"]"#);
}

/// Everything that does not answer is reported, and all mistakes elsewhere.
#[tokio::test]
async fn a_start_tells_what_the_files_say_that_answer() {
    let folder = Folder::new();
    folder.write(
        "server.conf",
        "password-file: password
prot: 1",
    );
    folder.write("password", "hunter2");
    folder.write("extra.conf", "size: 1");
    folder.write("plain.conf", "start-policy: sometimes");
    let _silent = ["password", "extra.conf"].map(|name| Silent::file(folder.path().join(name)));
    let limits = Limits::default().start(Duration::from_secs(2));
    let agent = Agent::<App>::builder().config_dir(folder.path()).limits(limits);
    let start = agent.limit("sevrer", Phase::Init, limits.start).start();
    let (began, error) = (Instant::now(), start.await.err().unwrap());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let dir = format!("{}/", folder.path().display());
    let mut told: Vec<_> = told(&error).into_iter().map(|words| words.replace(&dir, "")).collect();
    told.sort();
    let expected = [
        "a limit or a start policy is set for `sevrer`, but no plugin has that name",
        "extra.conf is not read within 2s",
        "password is not read within 2s",
        "plain.conf:1:15: key `plain.start-policy` takes `fail`, `retry` or `ignore`, not `sometimes`",
        "server.conf:2:1: key `server.prot` is unknown",
    ];
    assert_eq!(told, expected);
}

/// The mistakes in the config, without the help.
fn told(error: &StartError) -> Vec<String> {
    assert!(error.is_config(), "{error}");
    let words = |error: &PluginError| match &error.cause {
        Cause::Config(error) => error.to_string(),
        cause => panic!("{cause:?}"),
    };
    error.errors.iter().map(words).collect()
}

/// This also holds for a file that the program names. No runtime waits for it.
#[tokio::test]
async fn a_secret_that_does_not_answer_ends_the_start_within_its_limit() {
    let folder = Folder::new();
    folder.write("password", "hunter2");
    let path = folder.path().join("password");
    let _silent = Silent::file(&path);
    let config = Config::new().set("server", "password-file", path.display().to_string());
    let limits = Limits::default().start(Duration::from_millis(300));
    let start = Agent::<App>::builder().config(config).limits(limits).start();
    let began = Instant::now();
    let error = start.await.err().unwrap().to_string();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(error.contains(&format!("{} is not read within 300ms", path.display())), "{error}");
}
