//! Run by `tests/constant_time.rs` under valgrind's memcheck. Prints one line a case; fails where a secret
//! decided something, or where a leak that was put in was not noticed.

use std::process::ExitCode;

use secrets::{cases, watch};

fn main() -> ExitCode {
    if !watch::under_valgrind() {
        eprintln!("run under valgrind: see tests/constant_time.rs");
        return ExitCode::FAILURE;
    }
    let only = std::env::args().nth(1).unwrap_or_default();
    let mut failed = false;
    for case in cases::all().into_iter().filter(|case| format!("{} {}", case.provider, case.name).contains(&only)) {
        let finding = case.run();
        let verdict = if finding.holds() { "ok" } else { "FAILED" };
        let controls: Vec<_> = finding.controls.iter().map(|(name, errors)| format!("{name}: {errors}")).collect();
        println!("{verdict}\t{}\t{}\t{}\t{}", finding.provider, finding.name, finding.errors, controls.join(", "));
        failed |= !finding.holds();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
