#!/usr/bin/env bash
# The long searches, which no run of CI makes: hours on two cores. Each prints its own figures; note them in
# spec/RESULTS.md with the date.
#
#   spec/campaign.sh                 everything
#   spec/campaign.sh checker ...     only: checker, refinement, faults, mutants, models, fuzz
#
# SHAREKEY_CHECKER_SECONDS stops each scenario of the checker after about that long.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(checker refinement faults models mutants fuzz)

for part in "${parts[@]}"; do
    printf '\n== %s, %s\n' "$part" "$(date -u +%F)"
    case $part in
        checker)
            cargo test --locked --release -p sharekey-checker -- --ignored campaign --nocapture ;;
        refinement)
            PROPTEST_CASES="${PROPTEST_CASES:-100000}" cargo test --locked --release -p sharekey-refinement -- --nocapture ;;
        faults) spec/mutants/run.sh ;;
        models) spec/models/run.sh ;;
        fuzz) fuzz/campaign.sh "${SHAREKEY_FUZZ_MINUTES:-240}" ;;
        mutants)
            cargo mutants --version >/dev/null || cargo install --locked cargo-mutants
            # The vectors alone kill most, and are built in seconds; what they leave meets the rules, and what those
            # leave everything. Which files, and which packages in the end: .cargo/mutants.toml. A campaign that was
            # cut short goes on where it was: --iterate.
            stage() { cargo mutants --iterate --timeout 300 --cargo-arg=--locked "${@/#/--test-package=}" || true; }
            stage sharekey-vectors
            stage sharekey-lock-rules sharekey-roles
            cargo mutants --iterate --timeout 900 --cargo-arg=--locked ;;
        *) printf 'no such part: %s\n' "$part" >&2; exit 2 ;;
    esac
done
