//! What the types stop: each file in `cases` is one mistake, and does not compile.
//!
//! To add one: its first line says what would go wrong if it did compile (`//! Compiled, …`). The line that
//! is the mistake ends with the code of its error, or the name of its lint, and with what of the line is
//! underlined where that is not all of it: `slot.publish(key); //~ E0599 publish`. What `cargo check` does
//! not see, because it is found when the library's code is instantiated, goes to `cases/built`. The function
//! of the same name in `cases/ok` is the same without the mistake, and compiles: so it is the mistake that
//! is refused, nothing else, and no method that is gone or renamed since.
//!
//! Codes and places are compared, and never words, which every compiler chooses for itself. What stands in
//! `cases/controls` is marked wrongly, and has to be noticed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod compared;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs};

use compared::{Outcome, differences, outcomes};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

struct Case {
    name: String,
    file: String,
    source: String,
}

/// All in these folders, in order.
fn cases(folders: &[&str]) -> Vec<Case> {
    let cases = folders.iter().flat_map(|folder| {
        let files = fs::read_dir(format!("{CASES}{folder}")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|found| found == "rs")).collect();
        files.sort();
        assert!(!files.is_empty(), "nothing in cases{folder}");
        files
    });
    let case = |file: PathBuf| Case {
        name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
        source: fs::read_to_string(&file).unwrap(),
        file: file.into_os_string().into_string().unwrap(),
    };
    cases.map(case).collect()
}

/// A package in which each case is a program. Versions and profile are the workspace's, so that what it has compiled
/// is taken as it is; only the library is another to cargo here, and need not be fast.
fn manifest() -> String {
    let workspace = fs::read_to_string(format!("{ROOT}/Cargo.toml")).unwrap();
    let line = |start: &str| workspace.lines().find(|line| line.starts_with(start)).unwrap();
    let sections = workspace.split("\n[").filter(|section| section.starts_with("profile.dev"));
    let profile = sections.flat_map(str::lines).filter(|line| !line.starts_with("sharekey"));
    let profile: String = profile.map(|line| line.replace("profile.", "[profile.") + "\n").collect();
    let programs = ["", "/built", "/ok", "/controls"].map(|folder| {
        let program = |Case { name, file, .. }| {
            let program = format!("misuse{folder}/{name}").replace('/', "-");
            format!("[[example]]\nname = {program:?}\npath = {file:?}\n")
        };
        cases(&[folder]).into_iter().map(program).collect::<String>()
    });
    let [edition, rand_core, serde] = ["edition = ", "rand_core = ", "serde = "].map(line);
    let sharekey = format!("{{ path = {ROOT:?}, default-features = false, features = [\"std\", \"ring\"] }}");
    let dependencies = format!("[dependencies]\n{rand_core}\n{serde}\nsharekey = {sharekey}\n");
    format!("[package]\nname = \"misuse\"\n{edition}\n[workspace]\n{dependencies}{profile}{}", programs.concat())
}

/// One run for all, which builds: how many slots a lock has is looked at last. A case that fails costs no more so.
static BUILT: LazyLock<BTreeMap<String, Outcome>> = LazyLock::new(|| {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // Checkouts may share the target folder.
    let package = temporary.join(format!("misuse{}", env!("CARGO_MANIFEST_DIR").replace(['/', '\\', ':'], "_")));
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("Cargo.toml"), manifest()).unwrap();
    fs::copy(format!("{ROOT}/Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--examples", "--keep-going", "--offline", "--message-format=json", "--target-dir"]);
    // The target folder itself: cargo locks it while it compiles, and no longer while it runs tests.
    cargo.arg(temporary.parent().unwrap()).current_dir(&package).env("CARGO_INCREMENTAL", "0");
    // What cargo tells this test of its package, ring's build script would take for a change. And flags of the run
    // outside, such as denied warnings, are not for code that is wrong.
    let outside = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"];
    for (name, _) in env::vars().filter(|(name, _)| outside.iter().any(|start| name.starts_with(start))) {
        cargo.env_remove(name);
    }
    let built = cargo.output().unwrap();
    println!("{}", String::from_utf8_lossy(&built.stderr));
    outcomes(&String::from_utf8(built.stdout).unwrap())
});

#[test]
fn misuse_does_not_compile() {
    let mut unlike = String::new();
    for Case { name, file, source } in cases(&["", "/built"]) {
        let outcome = BUILT.get(&file);
        let differ = differences(&source, outcome);
        if !differ.is_empty() {
            let said = outcome.map_or("", |outcome| &outcome.words);
            unlike += &format!("{name}: {}\n{said}\n", differ.join("; "));
        }
    }
    assert!(unlike.is_empty(), "{unlike}");
}

#[test]
fn the_same_without_the_mistake_compiles() {
    for Case { name, file, .. } in cases(&["/ok"]) {
        let outcome = BUILT.get(&file);
        let compiles = outcome.is_some_and(|outcome| outcome.compiled && outcome.mistakes.is_empty());
        assert!(compiles, "{name}:\n{}", outcome.map_or("cargo did not come to it", |outcome| &outcome.words));
    }
}

#[test]
fn every_misuse_says_what_would_go_wrong_and_has_its_twin() {
    let twins: String = cases(&["/ok"]).into_iter().map(|case| case.source).collect();
    for Case { name, source, .. } in cases(&["", "/built"]) {
        assert!(source.starts_with("//! Compiled, "), "{name} does not say what for");
        let there = ["(", "<"].map(|next| twins.contains(&format!("fn {name}{next}")));
        assert!(there.contains(&true), "{name} has no twin in ok");
    }
}

#[test]
fn a_case_that_is_marked_wrongly_is_noticed() {
    let noticed = [
        ("another_error", "no E0599 in line 6 at `uses`; also E0616 in line 6 at `uses`"),
        ("another_line", "no E0616 in line 7 at `limits`; also E0616 in line 6 at `uses`"),
        ("another_place", "no E0308 in line 7 at `lock.unlock`; also E0308 in line 7 at `session`"),
        ("compiles", "compiles"),
        ("not_marked", "nothing is marked"),
        ("one_more_error", "also E0616 in line 8 at `uses`"),
    ];
    let differ = |case: Case| (case.name, differences(&case.source, BUILT.get(&case.file)).join("; "));
    let differ: Vec<_> = cases(&["/controls"]).into_iter().map(differ).collect();
    assert_eq!(differ, noticed.map(|(name, differ)| (name.to_owned(), differ.to_owned())));
}
