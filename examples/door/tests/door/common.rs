//! A home, and calls of `door` in it: each its own process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub const NOON: &str = "2026-11-23T12:00:00Z";

pub struct Scene {
    folder: TempDir,
    seed: u64,
}

/// What a call gave.
#[derive(Debug)]
pub struct Call {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Scene {
    /// An empty home.
    pub fn empty(seed: u64) -> Self {
        // In memory, where there is such a place: every call waits for its files to be durable.
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        Self { folder, seed }
    }

    /// A lock that is provisioned, with its clock at noon and slots 0 and 1 open, and contacts ana and
    /// ben.
    pub fn new(seed: u64) -> Self {
        let scene = Self::empty(seed);
        scene.ok(&format!("--at {NOON} lock new"));
        scene.ok(&format!("owner provision --card {}", scene.card()));
        scene.ok("owner set-clock");
        scene.ok("owner activate 0");
        scene.ok("owner activate 1");
        scene.befriend("owner", "ana");
        scene.befriend("owner", "ben");
        scene
    }

    /// `owner` knows the key of `guest`.
    pub fn befriend(&self, owner: &str, guest: &str) {
        let account = self.ok(&format!("guest {guest} account"));
        let key = account.lines().find_map(|line| line.strip_prefix("key ")).unwrap().trim().to_owned();
        self.ok(&format!("owner --as {owner} contact add {guest} {key}"));
        let read_out = account.lines().find_map(|line| line.strip_prefix("fingerprint ")).unwrap().replace(' ', "");
        self.ok(&format!("owner --as {owner} contact verify {guest} {read_out}"));
    }

    /// The same, with a key to slot 0 on ana's phone.
    pub fn downloaded(seed: u64) -> Self {
        let scene = Self::new(seed);
        scene.download("ana", 0);
        scene
    }

    pub fn download(&self, guest: &str, slot: u8) {
        self.ok(&format!("owner share {slot} --to-id {guest}"));
        self.ok(&format!("guest {guest} receive"));
        self.ok(&format!("guest {guest} download {slot}"));
    }

    /// A home with the same files.
    pub fn copy(&self) -> Self {
        let copy = Self::empty(self.seed);
        copy_folder(self.home(), copy.home());
        copy
    }

    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.home().join(file)
    }

    /// The digits on the activation card.
    pub fn card(&self) -> String {
        std::fs::read_to_string(self.path("lock/card")).unwrap()
    }

    pub fn call(&self, line: &str) -> Call {
        let mut command = Command::new(env!("CARGO_BIN_EXE_door"));
        command.env("DOOR_HOME", self.home()).env("DOOR_ENTROPY", self.seed.to_string());
        let output = command.args(line.split_whitespace()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Call { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The call succeeds; gives what it prints.
    #[track_caller]
    pub fn ok(&self, line: &str) -> String {
        let call = self.call(line);
        assert_eq!((call.code, call.err.as_str()), (0, ""), "door {line}");
        call.out
    }

    /// `who` refuses, for this reason; the lock's slots and bolt and the guests' keys stay as they were.
    #[track_caller]
    pub fn refused(&self, line: &str, who: &str, why: &str) -> String {
        let before = self.state();
        let call = self.call(line);
        assert_eq!(call.code, 1, "door {line}: {call:?}");
        let begin = format!("refused by {who}: ");
        let first = call.err.lines().next().unwrap();
        assert!(first.starts_with(&begin) && first.contains(why), "door {line}\n{}", call.err);
        assert!(call.err.contains("\n  fault: ") && call.err.contains("\n  to do: "), "{}", call.err);
        assert!(before == self.state(), "door {line} changed something");
        call.err
    }

    /// The lock refuses.
    #[track_caller]
    pub fn lock_refuses(&self, line: &str, why: &str) -> String {
        self.refused(line, "the lock", &format!("(Lock.{why})"))
    }

    /// What must not change by a refusal: the lock's records (but the replay counter), its bolt, and
    /// every key.
    pub fn state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = files(&self.path("lock"));
        files.retain(|path, _| !path.ends_with("flash/counter.rec"));
        files.extend(self::files(&self.path("guests")).into_iter().filter(|(path, _)| path.ends_with("keys.json")));
        files
    }

    /// The number of the newest message of a kind that went to somebody.
    #[track_caller]
    pub fn newest(&self, kind: &str, to: &str) -> u32 {
        let list = self.ok("wire list");
        let mut words = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found = words.rfind(|words| words[1] == kind && words[3] == to);
        found.unwrap_or_else(|| panic!("no {kind} to {to}:\n{list}"))[0].parse().unwrap()
    }

    /// The bytes of a message on the wire.
    pub fn message(&self, number: u32) -> Vec<u8> {
        let prefix = format!("{number:04}-");
        let all = files(&self.path("wire"));
        let found = all.into_iter().find(|(path, _)| path.file_name().unwrap().to_string_lossy().starts_with(&prefix));
        found.unwrap().1
    }

    /// Puts a message of the attacker's own making on the wire; gives its number.
    pub fn forge(&self, kind: &str, to: &str, bytes: &[u8]) -> u32 {
        let number = u32::try_from(files(&self.path("wire")).len()).unwrap() + 1000;
        std::fs::write(self.path(&format!("wire/{number:04}-{kind}-somebody-{to}.bin")), bytes).unwrap();
        number
    }

    /// How often the bolt was told to move.
    pub fn bolt_moves(&self) -> u64 {
        let shown = self.ok("lock show");
        let line = shown.lines().find(|line| line.starts_with("bolt")).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// The JSON status of a slot.
    pub fn status(&self, slot: u8) -> serde_json::Value {
        let all: serde_json::Value = serde_json::from_str(&self.ok(&format!("owner status {slot} --json"))).unwrap();
        all["slots"][0].clone()
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return all };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    all
}

pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}
