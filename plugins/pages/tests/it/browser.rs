//! [`Browser`]: headless Chromium, from Debian's package `chromium`, which `tests/run` installs. It is controlled with
//! its debugging protocol over pipes, without a port, and is asked what it has really drawn.

use cninfra_testbed::{DEADLINE, Folder, is_strict, skip};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// Whether Chromium is installed. Without it the tests are skipped with a message; with `CI=true` that is a failure.
pub fn is_there() -> bool {
    let found = Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let missing = || "chromium is not installed: run tests/run, or install Debian's chromium".to_string();
    !skip("chromium", (!found).then(missing), is_strict())
}

/// A browser with one page. It is ended when this is dropped.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    session: String,
    /// The events that it has sent.
    events: Vec<Value>,
    _profile: Folder,
}

impl Browser {
    pub fn start() -> Self {
        let profile = Folder::new();
        // It reads from file descriptor 3 and writes to 4: the shell sets them up and then executes the browser.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "chromium", "--headless=new"]);
        command.args(["--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]);
        command.args([
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]);
        // The shared memory of a container is small.
        command.arg("--disable-dev-shm-usage");
        // Nothing outside of this machine can be reached.
        command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if is_root() {
            command.arg("--no-sandbox");
        }
        command
            .env("HOME", profile.path())
            .env("XDG_CONFIG_HOME", profile.path())
            .env("XDG_CACHE_HOME", profile.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (to, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (said, from) = channel();
        thread::spawn(move || {
            let messages = BufReader::new(out).split(0).map_while(Result::ok);
            messages
                .map_while(|message| serde_json::from_slice(&message).ok())
                .try_for_each(|message| said.send(message))
        });
        let session = String::new();
        let mut browser = Browser { child, to, from, last: 0, session, events: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().unwrap().to_string();
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Calls a method of the protocol, of the page once there is one.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        let until = Instant::now() + DEADLINE;
        loop {
            let mut answer = self.next(until).unwrap_or_else(|error| panic!("{method}: {error}"));
            match answer.get("id") {
                Some(id) if *id == self.last => {
                    assert!(answer.get("error").is_none(), "{method}: {answer}");
                    return answer["result"].take();
                }
                _ => self.events.push(answer),
            }
        }
    }

    fn next(&mut self, until: Instant) -> Result<Value, RecvTimeoutError> {
        self.from.recv_timeout(until.saturating_duration_since(Instant::now()))
    }

    /// Sets the width of the window, and whether the user prefers dark pages.
    pub fn look(&mut self, width: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let screen = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &screen);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Loads a page completely.
    pub fn open(&mut self, url: &str) {
        self.events.clear();
        let opened = self.call("Page.navigate", &json!({ "url": url }));
        assert!(opened.get("errorText").is_none(), "{url}: {opened}");
        let until = Instant::now() + DEADLINE;
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next(until).unwrap_or_else(|error| panic!("{url}: {error}"));
            self.events.push(event);
        }
    }

    /// Evaluates a script of the test in the page as it is drawn.
    pub fn ask(&mut self, script: &str) -> Value {
        let mut answer = self.call("Runtime.evaluate", &json!({ "expression": script, "returnByValue": true }));
        assert!(answer.get("exceptionDetails").is_none(), "{answer}");
        answer["result"]["value"].take()
    }

    /// The addresses of all requests since the page was opened.
    pub fn requests(&self) -> Vec<String> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_string()).collect()
    }

    /// The problems that it has reported: violations of the page's policy, and errors.
    pub fn complaints(&self) -> Vec<String> {
        let is_one =
            |event: &&Value| event["method"] == "Log.entryAdded" || event["method"] == "Runtime.exceptionThrown";
        self.events.iter().filter(is_one).map(|event| event["params"].to_string()).collect()
    }

    /// Saves a picture of the whole page below the target directory, for people to look at.
    pub fn picture(&mut self, name: &str) -> PathBuf {
        let taken = self.call("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": true }));
        let png = data_encoding::BASE64.decode(taken["data"].as_str().unwrap().as_bytes()).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, png).unwrap();
        path
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // So that it ends its own children; it may be gone already.
        self.session.clear();
        let message = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.to.write_all(format!("{message}\0").as_bytes());
        let until = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Chromium refuses to run its sandbox as root.
fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}
