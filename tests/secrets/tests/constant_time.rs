//! No branch and no address depends on a secret, but for the verdicts that `verdicts.supp` names.
//!
//! Starts `watched` under valgrind's memcheck, which treats secrets as memory that was never written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What there is to watch: fewer would be a check that was skipped.
const CASES: usize = 12 + 2 * 11;
const VERDICTS: usize = 10;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn under_valgrind(log: &Path) -> Output {
    Command::new("valgrind")
        .args(["--tool=memcheck", "--leak-check=no", "--error-limit=no", "--num-callers=12", "-s"])
        .arg(format!("--suppressions={}", here().join("verdicts.supp").display()))
        .arg(format!("--log-file={}", log.display()))
        .arg(env!("CARGO_BIN_EXE_watched"))
        .output()
        .expect("valgrind is installed")
}

#[test]
fn no_secret_decides_a_branch_or_an_address_and_every_leak_put_in_is_noticed() {
    let optimised = !cfg!(debug_assertions);
    assert!(optimised, "only what is optimised as what ships is: cargo test -p secrets --profile secrets");
    let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("memcheck.log");
    let output = under_valgrind(&log);
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("verdict\tprovider\tcase\terrors\terrors of the leaks put in\n{said}{errors}");
    let log = std::fs::read_to_string(&log).unwrap();
    for needed in log.lines().filter_map(|line| line.split_once("used_suppression:")) {
        println!("declassified:{}", needed.1);
    }

    assert!(output.status.success(), "see above, and the stacks in memcheck.log");
    assert_eq!(said.lines().filter(|line| line.starts_with("ok\t")).count(), CASES);
    assert_eq!(said.lines().count(), CASES);
    assert_eq!(log.matches("used_suppression:").count(), VERDICTS, "a verdict that nothing needs, or a new one");
}
