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
            cargo test --locked --release --features model --test checker -- --ignored campaign --nocapture ;;
        refinement)
            PROPTEST_CASES="${PROPTEST_CASES:-100000}" cargo test --locked --release --test refinement -- --nocapture ;;
        faults) spec/mutants/run.sh ;;
        models) spec/models/run.sh ;;
        fuzz) fuzz/campaign.sh "${SHAREKEY_FUZZ_MINUTES:-240}" ;;
        mutants)
            cargo mutants --version >/dev/null || cargo install --locked cargo-mutants
            cargo mutants --all-features -f 'src/lock*' -f 'src/lock/**' -f 'src/slot*' -f 'src/slot/**' \
                -f 'src/service*' -f 'src/service/**' -f 'src/owner*' -f 'src/owner/**' -f 'src/guest*' \
                -f 'src/guest/**' -f 'src/code*' -f 'src/code/**' -f 'src/limits*' -f 'src/limits/**' \
                -f 'src/wire*' -f 'src/wire/**' -f src/counter.rs -f 'src/crypto*' -f 'src/crypto/**' ;;
        *) printf 'no such part: %s\n' "$part" >&2; exit 2 ;;
    esac
done
