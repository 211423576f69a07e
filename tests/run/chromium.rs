//! A browser without a window, spoken to by the DevTools protocol over two pipes: messages of JSON,
//! each ended by a zero byte. One browser, one page at a time.

use std::collections::VecDeque;
use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bench::skip;

/// What a browser is called, where there is one.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// No answer takes a tenth of this on an idle machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Which pixels and which theme a page is shown with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// CSS pixels.
    pub(crate) width: u32,
    pub(crate) is_dark: bool,
    pub(crate) is_print: bool,
}

/// A browser that was started here.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    events: VecDeque<Value>,
    calls: u64,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one; none, and the reason printed, where none is installed.
    pub(crate) fn start() -> Option<Browser> {
        let Some(program) = find() else {
            skip(&format!("no browser is installed: none of {}", NAMES.join(", ")));
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        // The pipes are descriptors 3 and 4 of the browser; only a shell can put them there safely.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(profile.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (send, from) = mpsc::channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if send.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Browser {
            child,
            to,
            from,
            events: VecDeque::new(),
            calls: 0,
            session: String::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].clone();
        let attached =
            browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Opens a file, and waits until it is there.
    pub(crate) fn open(&mut self, path: &Path, screen: Screen) {
        let scheme = if screen.is_dark { "dark" } else { "light" };
        let media = if screen.is_print { "print" } else { "screen" };
        let size = json!({
            "width": screen.width, "height": 900, "deviceScaleFactor": 1, "mobile": false
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"media": media, "features": features}));
        self.events.clear();
        self.call("Page.navigate", json!({"url": url(path)}));
        let end = Instant::now() + LONGEST;
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.from.recv_timeout(left).expect("the page is loaded");
            self.events.push_back(event);
        }
    }

    /// What an expression is in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let said =
            self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        assert!(said.get("exceptionDetails").is_none(), "{said:#}");
        said["result"]["value"].clone()
    }

    /// What was written to the console since the page was opened, by whomever.
    pub(crate) fn console(&self) -> Vec<String> {
        let methods = ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"];
        let said = self.events.iter();
        said.filter(|event| methods.iter().any(|method| event["method"] == *method))
            .map(|event| event["params"].to_string())
            .collect()
    }

    /// What was asked for since the page was opened, the page itself aside.
    pub(crate) fn requests(&self, path: &Path) -> Vec<String> {
        let sent = self.events.iter().filter(|e| e["method"] == "Network.requestWillBeSent");
        sent.map(|event| event["params"]["request"]["url"].as_str().unwrap().to_owned())
            .filter(|asked| *asked != url(path))
            .collect()
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let answer = self.from.recv_timeout(LONGEST);
            let answer = answer.unwrap_or_else(|error| panic!("{method}: {error}"));
            if answer["id"] == self.calls {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push_back(answer);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked, it ends its other processes first; its profile is removed after that.
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let directories: Vec<PathBuf> = env::split_paths(&path).collect();
    NAMES.iter().find_map(|name| {
        directories.iter().map(|directory| directory.join(name)).find(|program| program.is_file())
    })
}

fn url(path: &Path) -> String {
    // Names in these tests have no letter that an address must escape.
    format!("file://{}", path.display())
}
