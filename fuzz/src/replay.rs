//! Every input of every corpus once more, on stable Rust.

use std::collections::BTreeSet;

use crate::corpus::{archived, whole};
use crate::targets::{NAMES, body};

/// Says which input it was, should the body panic.
struct Replayed<'a>(&'a [u8]);

impl Drop for Replayed<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("input: {}", sharekey_stage::hex::text(self.0));
        }
    }
}

pub fn replay(target: &str) {
    let body = body(target).unwrap();
    let inputs = whole(target);
    assert!(!inputs.is_empty(), "no corpus of {target}");
    for input in inputs.iter().map(Vec::as_slice).chain([&[][..]]) {
        let _replayed = Replayed(input);
        body(input);
    }
}

/// What is a target and has no archive, and what has one and is no target.
fn unpaired(targets: &[&str], archives: &BTreeSet<String>) -> Vec<String> {
    let targets: BTreeSet<String> = targets.iter().map(|target| (*target).to_owned()).collect();
    targets.symmetric_difference(archives).cloned().collect()
}

#[test]
fn every_target_is_replayed() {
    assert_eq!(unpaired(NAMES, &archived()), [""; 0]);
    let not_built: Vec<&&str> = NAMES.iter().filter(|name| body(name).is_none()).collect();
    let expected: &[&str] = if cfg!(feature = "rustcrypto") { &[] } else { &["providers"] };
    assert_eq!(not_built, expected.iter().collect::<Vec<_>>());
}

#[test]
fn an_archive_without_its_target_and_a_target_without_its_archive_are_told() {
    let archives = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(unpaired(&["lock_ops", "limits"], &archives(&["limits", "lock_ops"])), [""; 0]);
    assert_eq!(unpaired(&["lock_ops", "limits"], &archives(&["limits"])), ["lock_ops"]);
    assert_eq!(unpaired(&["limits"], &archives(&["limits", "slot"])), ["slot"]);
    assert_eq!(unpaired(&["limits"], &archives(&["Limits"])), ["Limits", "limits"]);
}

#[test]
#[should_panic(expected = "nobody.bin")]
fn a_corpus_without_its_archive_is_an_error() {
    let _none = crate::corpus::found("nobody");
}
