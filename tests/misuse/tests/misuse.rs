//! What the types stop: each file in `misuse/` is one mistake, and does not compile.
//!
//! Its first line says what would go wrong if it did. The function of the same name in `misuse/ok/` is
//! the same without the mistake, and compiles: so it is the mistake that is refused, nothing else.
//!
//! The `.stderr` beside each file is what the compiler says of it. After a change of the compiler or of
//! the API, read the difference, then write them anew: `TRYBUILD=overwrite cargo test --test misuse`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn rustc(question: &[&str]) -> String {
    let answer = Command::new("rustc").args(question).output().unwrap();
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

/// Compilers differ in their words: they are compared on the version that `Cargo.toml` names.
fn the_words_are_known() -> bool {
    let known = env!("CARGO_PKG_RUST_VERSION");
    let ours = rustc(&["--version"]).starts_with(&format!("rustc {known}."));
    if !ours {
        println!("skipped: the messages are those of rustc {known}");
    }
    ours
}

/// Where its source is installed, the compiler quotes the standard library in some messages.
fn the_standard_library_is_quoted() -> bool {
    Path::new(&rustc(&["--print", "sysroot"])).join("lib/rustlib/src/rust/library").exists()
}

/// The files of a folder with this extension, in order.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("cases{folder}")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty(), "nothing in misuse{folder}");
    files
}

#[test]
fn misuse_does_not_compile() {
    if the_words_are_known() {
        trybuild::TestCases::new().compile_fail("cases/*.rs");
    }
}

/// Here everything is built, not only checked: how many slots a lock has is looked at last.
#[test]
fn the_same_without_the_mistake_compiles() {
    let cases = trybuild::TestCases::new();
    cases.pass("cases/ok/*.rs");
    if !the_words_are_known() {
        return;
    }
    if the_standard_library_is_quoted() {
        println!("skipped: misuse/built, whose messages quote the standard library");
    } else {
        cases.compile_fail("cases/built/*.rs");
    }
}

#[test]
fn every_misuse_says_what_would_go_wrong_and_has_its_twin() {
    let twins: String = files("/ok", "rs").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    for file in files("", "rs").into_iter().chain(files("/built", "rs")) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(fs::read_to_string(&file).unwrap().starts_with("//! Compiled, "), "{name} does not say what for");
        let there = ["(", "<"].map(|next| twins.contains(&format!("fn {name}{next}")));
        assert!(there.contains(&true), "{name} has no twin in ok");
    }
}

/// What is installed, and where, must not matter.
#[test]
fn no_message_quotes_what_is_not_ours() {
    for file in files("", "stderr") {
        let message = fs::read_to_string(&file).unwrap();
        for quoted in ["$RUST", "$CARGO", "$WORKSPACE", "::: /", "--> /", "warning:"] {
            assert!(!message.contains(quoted), "{} has {quoted}", file.display());
        }
    }
}
