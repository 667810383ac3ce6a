//! Does the peer, as a process of its own, play whole runs over its standard input and output?
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

struct Process {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start() -> Self {
        let mut child =
            Command::new(env!("CARGO_BIN_EXE_peer")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    fn ask(&mut self, line: &str) -> Value {
        writeln!(self.to.as_mut().unwrap(), "{line}").unwrap();
        let mut reply = String::new();
        self.from.read_line(&mut reply).unwrap();
        serde_json::from_str(&reply).unwrap()
    }

    /// Ends with its input.
    fn end(mut self) {
        drop(self.to.take());
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn every_conversation_goes_through_a_process() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/conversations.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let mut peer = Process::start();
        for step in case["steps"].as_array().unwrap() {
            assert_eq!(peer.ask(&step["request"].to_string()), step["reply"], "{}: {}", case["name"], step["request"]);
        }
        peer.end();
    }
}

#[test]
fn what_is_no_request_is_named_so_and_the_peer_goes_on() {
    let mut peer = Process::start();
    let seed = "00".repeat(32);
    for line in [
        "no JSON",
        "{}",
        "[]",
        r#"{"role": "cat", "op": "make"}"#,
        r#"{"role": "lock", "op": "status"}"#,
        r#"{"role": "owner", "op": "make", "seed": "00"}"#,
        r#"{"role": "owner", "op": "make", "seed": "zz"}"#,
        &format!(r#"{{"role": "lock", "op": "make", "card": "{}", "entropy": "00"}}"#, &seed[..32]),
    ] {
        assert_eq!(peer.ask(line)["error"], "Request", "{line}");
    }
    let made = peer.ask(&json!({ "role": "owner", "op": "make", "seed": seed }).to_string());
    assert_eq!(made["ok"]["key"], "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29");
    let drawn = |peer: &mut Process| peer.ask(r#"{"role": "owner", "op": "issue"}"#)["ok"]["code"].clone();
    assert_ne!(drawn(&mut peer), drawn(&mut peer), "without entropy the peer draws its own");
    peer.end();
}
