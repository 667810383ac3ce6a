#!/usr/bin/env bash
# The mutation bar: plants each fault of this directory, one at a time, in a copy of the last commit, and
# runs the checks that have to catch it. Says which one did.
#
#   spec/mutants/run.sh             all faults
#   spec/mutants/run.sh NAME...     these
#
# A fault is NAME.patch: what is wrong, the test targets that should notice, first the quickest, and the
# change. Where none of them notices, all tests run. Exits 1 if a fault was missed, does not apply, or does
# not compile. The copy is under target/mutants, outside the package: nothing planted is ever in the crate.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
copy=${MUTANTS_DIR:-$root/target/mutants}/copy
export CARGO_TARGET_DIR=${MUTANTS_DIR:-$root/target/mutants}/build
# A model checker or a proptest that fails need not be shrunk to the end.
export PROPTEST_MAX_SHRINK_ITERS=64 CARGO_TERM_COLOR=never

rm -rf "$copy"
mkdir -p "$(dirname "$copy")"
git clone --quiet --shared "$root" "$copy"
cd "$copy"

faults=("$@")
if [ ${#faults[@]} -eq 0 ]; then
    for patch in "$here"/*.patch; do faults+=("$(basename "$patch" .patch)"); done
fi

# Unharmed, every check passes: a fault is not caught by a check that fails anyway.
mapfile -t all < <(for name in "${faults[@]}"; do sed -n 's/^Check: //p' "$here/$name.patch"; done | tr ' ' '\n' | sort -u)
printf 'without a fault: %s\n' "${all[*]}"
cargo test --quiet --locked "${all[@]/#/--test=}" >"$(dirname "$copy")/unharmed.log" 2>&1 || {
    printf 'FAILED without a fault: see %s\n' "$(dirname "$copy")/unharmed.log"
    exit 1
}

# The first check of the list that fails, or nothing.
caught_by() {
    local check
    for check in "$@"; do
        if ! timeout 900 cargo test --quiet --locked --test "$check" >"$log" 2>&1; then
            printf '%s' "$check"
            return
        fi
    done
    if ! timeout 3600 cargo test --quiet --locked >"$log" 2>&1; then
        printf 'another test: %s' "$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$log" | head -1)"
    fi
}

caught=0 missed=() broken=()
for name in "${faults[@]}"; do
    log=$(dirname "$copy")/$name.log
    patch=$here/$name.patch
    if ! git apply "$patch" 2>"$log"; then
        broken+=("$name: does not apply")
    elif ! cargo check --quiet --locked --lib --all-features >"$log" 2>&1; then
        broken+=("$name: does not compile")
    else
        read -ra checks < <(sed -n 's/^Check: //p' "$patch")
        by=$(caught_by "${checks[@]}")
        if [ -n "$by" ]; then
            caught=$((caught + 1))
            printf '%-34s caught by %s\n' "$name" "$by"
        else
            missed+=("$name")
            printf '%-34s MISSED\n' "$name"
        fi
    fi
    git checkout --quiet .
done

printf '\n%d faults, %d caught, %d missed, %d broken\n' "${#faults[@]}" "$caught" "${#missed[@]}" "${#broken[@]}"
printf '%s\n' ${broken[@]+"${broken[@]}"}
[ ${#missed[@]} -eq 0 ] && [ ${#broken[@]} -eq 0 ]
