//! Processes of the service over one database, and who asks them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The service as a process.
pub struct Server {
    child: Child,
    pub url: String,
}

/// What all processes of a test have in common.
pub struct Setup {
    pub folder: tempfile::TempDir,
    pub database: String,
}

impl Setup {
    pub fn new(database: Option<String>) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let database = database.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("records.db").display()));
        Self { folder, database }
    }

    pub fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// Starts a process, and returns once it listens.
    pub fn start(&self) -> Server {
        self.start_with("127.0.0.1:0", &[])
    }

    /// Starts it again where another was.
    pub fn start_at(&self, url: &str) -> Server {
        self.start_with(url.trim_start_matches("http://"), &[])
    }

    pub fn start_with(&self, listen: &str, more: &[&str]) -> Server {
        let mut child = self.command(listen, more).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://"), "the service did not start: {line:?}\n{}", self.logged());
        Server { child, url }
    }

    /// Starts it where it must not start; gives what it says.
    pub fn refuses(&self, more: &[&str]) -> String {
        let said = self.command("127.0.0.1:0", more).stderr(Stdio::piped()).output().unwrap();
        assert!(!said.status.success() && said.stdout.is_empty());
        String::from_utf8(said.stderr).unwrap()
    }

    /// The file of a SQLite.
    pub fn records(&self) -> PathBuf {
        self.folder.path().join("records.db")
    }

    fn command(&self, listen: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sharekey-service"));
        command.args(["--listen", listen, "--database", &self.database, "--operator", "operator"]).args(more);
        command.arg("--key").arg(self.key()).stdout(Stdio::piped()).stderr(self.log());
        // Tests ask faster than any person.
        command.env("SHAREKEY_LIMITS", "1000000").env("RUST_LOG", "warn");
        command
    }

    fn log(&self) -> Stdio {
        let log = std::fs::OpenOptions::new().append(true).create(true).open(self.folder.path().join("log"));
        Stdio::from(log.unwrap())
    }

    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Server {
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to end, and waits until it has.
    pub fn end(mut self) -> bool {
        self.signal("-TERM");
        self.child.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What came of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It was served, with these bytes.
    Served(Vec<u8>),
    /// It was refused by the protocol, with this code.
    Refused(String),
    /// Nobody took it.
    NotSent,
    /// It may have been served, or not.
    Unknown,
}

pub fn agent() -> ureq::Agent {
    let config =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(12))).http_status_as_error(false);
    config.build().into()
}

/// Sends bytes to a path.
pub fn post(agent: &ureq::Agent, server: &str, path: &str, body: &[u8]) -> Answer {
    let request = if path.ends_with("/ownership") {
        agent.put(format!("{server}{path}"))
    } else {
        agent.post(format!("{server}{path}"))
    };
    let mut response = match request.content_type("application/octet-stream").send(body) {
        Ok(response) => response,
        Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Answer::NotSent,
        Err(_) => return Answer::Unknown,
    };
    let status = response.status();
    let Ok(body) = response.body_mut().read_to_vec() else { return Answer::Unknown };
    if status.is_success() {
        return Answer::Served(body);
    }
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    match problem["code"].as_str() {
        Some(code) if !code.starts_with("Http.") => Answer::Refused(code.to_owned()),
        _ => Answer::Unknown,
    }
}

pub fn write(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}
